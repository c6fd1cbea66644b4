"""Serve the app: on this machine, or to a proxy that signs people in."""

from __future__ import annotations

import logging
import os
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from chw_tools.api.behind_proxy import read_proxy
from chw_tools.api.security import is_loopback
from chw_tools.errors import SettingsFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from chw_tools.api.behind_proxy import Proxy
    from chw_tools.wiring import Parts

#: A process manager's patience is 30 s or more; answers take less than one.
_SECONDS_TO_END = 20


def serve(
    parts: Parts, *, host: str, port: int, ready: Callable[[str], None] | None = None
) -> None:
    """Serve pages and API until interrupted.

    Parameters
    ----------
    parts : Parts
        The wired parts of one installation.
    host : str
        A loopback address or name; another where the settings name a proxy in front.
    port : int
        0 takes a free one.
    ready : callable, optional
        Told the address as soon as it can be opened.

    Raises
    ------
    SettingsFault
        If the host can be reached by others and no proxy stands in front, the proxy's settings
        are incomplete, or the port is taken.
    """
    import uvicorn

    from chw_tools.api.app import create_app
    from chw_tools.api.logs import set_up_logs

    # At a terminal a person reads; elsewhere something collects the lines.
    set_up_logs(level=logging.WARNING if sys.stderr.isatty() else logging.INFO)
    proxy = read_proxy(parts.settings)
    with listen(host, port, proxy=proxy) as listening:
        config = uvicorn.Config(
            create_app(parts, proxy=proxy),
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_SECONDS_TO_END,
        )
        if ready is not None:
            ready(address_of(listening))
        with suppress(KeyboardInterrupt):  # how a server is meant to end
            uvicorn.Server(config).run(sockets=[listening])


def listen(host: str, port: int, *, proxy: Proxy | None = None) -> socket.socket:
    """A socket that listens: on a loopback host, or on any where a proxy is known.

    Raises
    ------
    SettingsFault
        If the host can be reached by others and no proxy is known, or the port is taken.
    """
    if proxy is None and not is_loopback(host):
        raise SettingsFault(
            "is no loopback address. Accounts do not exist yet, so everybody on the network "
            "could read people's health records.",
            where="CHW_HOST",
            cure="Use 127.0.0.1, or put a proxy that signs people in in front "
            "(CHW_PROXY_SECRET_FILE and CHW_PUBLIC_HOSTS; deployment/deployment_instructions.md).",
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    if os.name != "nt":  # there it would let two programs share the port
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host.strip("[]"), port))
        listening.listen(128)
    except (OSError, OverflowError) as refused:
        listening.close()
        why = getattr(refused, "strerror", None) or "ports go from 0 to 65535"
        raise SettingsFault(
            f"port {port} cannot be used ({why}).",
            where="--port or CHW_PORT",
            cure="Stop the other program, or choose another port (make demo PORT=8010); "
            "0 takes a free one.",
        ) from None
    return listening


def address_of(listening: socket.socket) -> str:
    """The address under which a listening socket can be opened."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
