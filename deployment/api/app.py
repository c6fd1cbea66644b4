"""Serve CHW Tools on this machine, from the settings in the environment.

``python deployment/api/app.py`` listens on ``CHW_HOST`` and ``CHW_PORT``; a server that
makes the app itself is given ``app:make_app`` as a factory.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from chw_tools.api.app import create_app
from chw_tools.api.serving import serve
from chw_tools.settings import read_settings
from chw_tools.wiring import build_parts

if TYPE_CHECKING:
    from fastapi import FastAPI


def make_app() -> FastAPI:
    """The app over the installation that the environment names."""
    return create_app(build_parts(read_settings(os.environ)))


def main() -> None:
    """Serve until interrupted."""
    settings = read_settings(os.environ)
    parts = build_parts(settings)
    serve(parts, host=settings.host, port=settings.port, ready=_tell)


def _tell(address: str) -> None:
    sys.stderr.write(f"Open {address}\n")


if __name__ == "__main__":
    main()
