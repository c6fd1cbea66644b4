"""Serve the app on this machine."""

from __future__ import annotations

import logging
import os
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from chw_tools.api.security import is_loopback
from chw_tools.errors import SettingsFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from chw_tools.wiring import Parts


def serve(
    parts: Parts, *, host: str, port: int, ready: Callable[[str], None] | None = None
) -> None:
    """Serve pages and API until interrupted.

    Parameters
    ----------
    parts : Parts
        The wired parts of one installation.
    host : str
        A loopback address or name.
    port : int
        0 takes a free one.
    ready : callable, optional
        Told the address as soon as it can be opened.

    Raises
    ------
    SettingsFault
        If the host can be reached by others, or the port is taken.
    """
    import uvicorn

    from chw_tools.api.app import create_app
    from chw_tools.api.logs import set_up_logs

    # At a terminal a person reads; elsewhere something collects the lines.
    set_up_logs(level=logging.WARNING if sys.stderr.isatty() else logging.INFO)
    with listen(host, port) as listening:
        config = uvicorn.Config(
            create_app(parts),
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
        )
        if ready is not None:
            ready(address_of(listening))
        with suppress(KeyboardInterrupt):  # how a server is meant to end
            uvicorn.Server(config).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on a loopback host.

    Raises
    ------
    SettingsFault
        If the host can be reached by others, or the port is taken.
    """
    if not is_loopback(host):
        raise SettingsFault(
            "is no loopback address. Accounts do not exist yet, so everybody on the network "
            "could read people's health records.",
            where="CHW_HOST",
            cure="Use 127.0.0.1.",
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
