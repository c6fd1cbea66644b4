"""`chw`: one command for each act. Here: the app, its exit codes, and what an error looks like.

Heavy libraries are imported inside the commands that use them, so that ``chw --help``
answers at once.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import typer

from chw_tools.cli import (
    backtest,
    care,
    data,
    demo,
    keeping,
    models,
    monitoring,
    outreach,
    people,
    programme,
    published,
    registry,
    service,
    shapes,
    working,
)
from chw_tools.cli.world import World
from chw_tools.errors import ChwError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_EPILOG = (
    "Begin with `chw demo`, or with your own records: `chw ingest FOLDER`, then `chw plan` "
    "and `chw serve`. Exit codes: 0 done, 1 something could not be used, 2 wrong words, "
    "3 records in quarantine (with --strict)."
)

app = typer.Typer(
    name="chw",
    help="From a patient register to today's visit list, and back.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for module in (
    demo,
    data,
    models,
    registry,
    backtest,
    shapes,
    care,
    monitoring,
    published,
    people,
    programme,
    outreach,
    working,
    service,
    keeping,
):
    module.add_to(app)


@app.callback()
def _begin(context: typer.Context) -> None:
    if context.obj is None:
        context.obj = World(os.environ)


def main(args: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one command; gives its exit code.

    Parameters
    ----------
    args : sequence of str
        Words after ``chw``.
    environ : mapping of str to str
        The environment that settings are read from.
    """
    try:
        app(args=list(args), obj=World(environ))
    except ChwError as error:
        typer.secho(str(error), fg=typer.colors.RED, err=True)
        return 1
    except OSError as error:
        # A folder that is not there, a full disk: the place and the reason say it all.
        said = ": ".join(str(part) for part in (error.filename, error.strerror) if part)
        typer.secho(f"{said}.", fg=typer.colors.RED, err=True)
        return 1
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    return 0


def run() -> None:
    """The console script."""
    sys.exit(main(sys.argv[1:], os.environ))
