"""Commands around the programme's own files: check them, and find texts that are missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chw_tools.cli.options import Json
from chw_tools.cli.world import World, say, say_json, say_table

if TYPE_CHECKING:
    from chw_tools.workflows.guidelines import CheckedGuidelines

programme = typer.Typer(
    help="Guidelines, numbers and texts that a programme decides.", no_args_is_help=True
)
Folder = Annotated[
    Path | None,
    typer.Argument(help="Programme folder; by default the one of CHW_PROGRAMME, or the shipped."),
]


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(programme, name="programme")


@programme.command(
    "check",
    epilog="Examples: chw programme check · chw programme check our_programme · "
    "chw programme check --unverified",
)
def check(
    context: typer.Context,
    folder: Folder = None,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="List every rule and number to be confirmed.")
    ] = False,
    json: Json = False,
) -> None:
    """Find every fault of a programme folder, and say what it would change.

    Exit code 1 if anything must be mended before the folder can be used.
    """
    from chw_tools.workflows.guidelines import check_guidelines

    world: World = context.obj
    result = check_guidelines(folder or world.settings.programme)
    if json:
        say_json(
            {
                "findings": result.findings,
                "changes": result.changes,
                "unverified": result.check.unverified(),
            }
        )
    else:
        _say(result, unverified)
    if result.findings:
        raise typer.Exit(1)


def _say(result: CheckedGuidelines, unverified: bool) -> None:
    programme = result.check.programme
    rules, figures = programme.rules, programme.figures
    for finding in result.findings:
        say(str(finding))
    if result.findings:
        say(f"{_count(len(result.findings), 'fault')}: the programme cannot be used like this.")
    else:
        numbers = f"{len(rules)} rules, {len(figures) - len(rules)} other numbers"
        say(f"{programme.name}. No faults: {numbers}, {result.n_cases} cases.")
    if result.changes:
        rows = [(change.key, change.before, change.after) for change in result.changes]
        say_table("What it would change", ["Key", "Shipped", "Here"], rows)
    elif not result.findings:
        say("It changes nothing in the shipped programme.")
    open_ = result.check.unverified()
    if not unverified:
        say(f"{len(open_)} of {len(figures)} are to be confirmed (--unverified lists them).")
        return
    rows = [(figure.key, figure.value, figure.source) for figure in open_]
    say_table("To be confirmed: the source was not read", ["Key", "Value", "Source"], rows)


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


@programme.command(
    "texts",
    epilog="Examples: chw programme texts · chw programme texts --missing fr",
)
def texts(
    context: typer.Context,
    folder: Folder = None,
    missing: Annotated[
        str | None, typer.Option("--missing", help="List the texts this language lacks: fr, sw.")
    ] = None,
    json: Json = False,
) -> None:
    """The languages of the advice, how far each is, and which texts are missing.

    Exit code 1 if texts of the language asked for are missing.
    """
    from chw_tools.programme.checking import language_states, texts_missing

    world: World = context.obj
    place = folder or world.settings.programme
    if missing is None:
        states = language_states(place)
        if json:
            say_json(states)
            return
        rows = [(s.language, s.state, s.n_texts, s.n_missing) for s in states]
        say_table("Languages of the advice", ["Language", "State", "Texts", "Missing"], rows)
        return
    keys = texts_missing(missing, place)
    if json:
        say_json({"language": missing, "missing": keys})
    else:
        for key in keys:
            say(key)
        say(f"{_count(len(keys), 'text')} missing in {missing}.")
    if keys:
        raise typer.Exit(1)
