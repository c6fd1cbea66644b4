"""Commands of the installation itself: serve, settings, dictionary."""

from __future__ import annotations

from typing import Annotated

import typer

from chw_tools.cli.options import Json
from chw_tools.cli.world import World, say, say_json, say_notes, say_table


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(epilog="Examples: chw serve · chw serve --port 0")(serve)
    app.command(epilog="Example: CHW_HOME=/srv/chw chw settings")(settings)
    app.command(epilog="Example: chw dictionary > data_dictionary.md")(dictionary)


def serve(
    context: typer.Context,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes any free one.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
) -> None:
    """Serve the page and the API on this machine only.

    Until accounts exist the server binds to the loopback address: whoever could reach it
    would read health records. Another address is taken only where a proxy that signs people
    in stands in front and proves itself (CHW_PROXY_SECRET_FILE, CHW_PUBLIC_HOSTS).
    """
    world: World = context.obj
    from chw_tools.api.serving import serve as listen

    with world.parts() as parts:
        say_notes(parts.store.notes)
        listen(
            parts,
            host=host or parts.settings.host,
            port=parts.settings.port if port is None else port,
            ready=lambda address: say(f"Open {address} in a browser. Ctrl-C stops."),
        )


def settings(context: typer.Context, json: Json = False) -> None:
    """Show where things are, and by which environment variable to move them."""
    world: World = context.obj
    shown = world.settings.shown()
    if json:
        say_json(shown)
    else:
        say_table("Settings", ["Variable", "Value"], list(shown.items()))


def dictionary() -> None:
    """Print the data dictionary: every table and column, with unit, limits and source."""
    from chw_tools.records.dictionary import data_dictionary

    say(data_dictionary())
