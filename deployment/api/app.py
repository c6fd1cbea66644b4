"""Serve CHW Tools from the settings in the environment; the same as ``chw serve``.

A server that makes the app itself is given ``app:make_app`` as a factory.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from chw_tools.cli.main import main

if TYPE_CHECKING:
    from fastapi import FastAPI


def make_app() -> FastAPI:
    """The app over the installation that the environment names."""
    from chw_tools.api.app import create_app
    from chw_tools.api.behind_proxy import read_proxy
    from chw_tools.settings import read_settings
    from chw_tools.wiring import build_parts

    settings = read_settings(os.environ)
    return create_app(build_parts(settings), proxy=read_proxy(settings))


if __name__ == "__main__":
    sys.exit(main(["serve", *sys.argv[1:]], os.environ))
