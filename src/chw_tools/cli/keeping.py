"""Commands that keep an installation safe: migrate, backup, restore."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chw_tools.cli.options import Json
from chw_tools.cli.world import World, say, say_json

if TYPE_CHECKING:
    from chw_tools.settings import Settings
    from chw_tools.workflows.keep import Kept

#: Tables whose rows are told; the rest is in the JSON answer.
_TOLD = ("people", "visits", "observations", "planned_visits")


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(epilog="Example: chw migrate")(migrate)
    app.command(epilog="Example: chw backup /backups/chw-2026-01-05.tar")(backup)
    app.command(
        epilog="Example: CHW_HOME=/srv/new chw restore /backups/chw-2026-01-05.tar",
    )(restore)


def migrate(context: typer.Context, json: Json = False) -> None:
    """Make the store, or bring its schema up to date; a second time changes nothing.

    Needed by itself only where CHW_MIGRATIONS is off, as on Kubernetes. Take a backup first.
    """
    world: World = context.obj
    from chw_tools.store import open_store
    from chw_tools.store.database import REVISION

    open_store(world.settings.database_url).close()
    if json:
        say_json({"revision": REVISION})
    else:
        say(f"The store is of version {REVISION}.")


def backup(
    context: typer.Context,
    to: Annotated[Path, typer.Argument(metavar="FILE", help="File to write; a new one.")],
    json: Json = False,
) -> None:
    """Write the store, the models and the programme's folder to one file.

    Nobody need stop working. On PostgreSQL this calls pg_dump. The file holds health records
    in the clear: keep it on an encrypted disk, or encrypt it before it leaves this machine.
    """
    world: World = context.obj
    from datetime import UTC, datetime

    from chw_tools.store import copy_store
    from chw_tools.workflows.keep import back_up

    settings = world.settings
    kept = back_up(
        copy_store=partial(copy_store, settings.database_url),
        folders=_folders(settings),
        to=to,
        made_at=datetime.now(UTC),
    )
    if json:
        say_json({"file": str(to), "kept": kept})
    else:
        say(f"{_account(kept)} in {to} ({to.stat().st_size / 1e6:,.1f} MB). {_CLEAR}")


_CLEAR = "It holds health records in the clear."


def restore(
    context: typer.Context,
    archive: Annotated[Path, typer.Argument(metavar="FILE", help="What chw backup wrote.")],
    json: Json = False,
) -> None:
    """Put a backup back where nothing is; what is there is never overwritten.

    Every file is checked before anything is changed. The store begins another life: phones
    that synchronised with the old one must be able to tell.
    """
    world: World = context.obj
    from chw_tools.store import CopyFacts, check_nothing_there, put_back
    from chw_tools.workflows.keep import restore as put

    settings = world.settings
    url = settings.database_url

    def put_store_back(copy: Path, kept: Kept) -> None:
        put_back(url, copy, CopyFacts(kept.database, kept.revision, kept.rows))

    kept = put(
        archive=archive,
        check_nothing_there=partial(check_nothing_there, url),
        put_back=put_store_back,
        folders=_folders(settings),
        beside=_beside(settings),
    )
    if json:
        say_json({"kept": kept})
    else:
        say(f"{_account(kept)} put back, as of {kept.made_at}. Next: chw migrate, then chw serve")


def _folders(settings: Settings) -> dict[str, Path]:
    folders = {"models": settings.models}
    return folders | ({"programme": settings.programme} if settings.programme else {})


def _beside(settings: Settings) -> Path:
    """A folder on the disk of the store, so that the copy can be moved into place at once."""
    scheme, _, path = settings.database_url.partition(":///")
    return Path(path).parent if scheme == "sqlite" else settings.home


def _account(kept: Kept) -> str:
    rows = ", ".join(f"{kept.rows.get(table, 0):,} {table.replace('_', ' ')}" for table in _TOLD)
    files = len(kept.files) - 1
    return f"{rows}; {files:,} files of models and programme"
