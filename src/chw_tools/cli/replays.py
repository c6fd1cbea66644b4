"""Commands around other rules and other workforces: what would be if, and replays."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chw_tools.cli.options import Json, day
from chw_tools.cli.world import World, frame_rows, progress_bar, say, say_json, say_notes, say_table
from chw_tools.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from chw_tools.resource_allocation.replay import Replay


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(
        epilog="Examples: chw replay --from 2025-01-05 --to 2025-12-31 --policy risk · "
        "chw replay --from 2025-01-05 --to 2025-12-31 --truth district --picture rules.svg"
    )(replay)


def say_what_if(
    world: World, texts: list[str], as_of: datetime | None, on: datetime | None, *, json: bool
) -> None:
    """Plan a day as it is and as it would be; nothing is kept."""
    from chw_tools.resource_allocation.what_if import read_change
    from chw_tools.workflows.replay import what_if

    changes = [read_change(text) for text in texts]
    with world.parts() as parts, progress_bar(json) as progress:
        progress("day planned twice", 0, None)
        found = what_if(
            changes,
            store=parts.store,
            models=parts.models,
            programme=parts.programme,
            as_of=day(as_of),
            visit_on=day(on),
        )
    if json:
        say_json(
            {
                "as_of": found.as_of,
                "visit_on": found.visit_on,
                "measures": frame_rows(found.table),
                "notes": found.notes,
            }
        )
        return
    say(f"Plan for {found.visit_on:%Y-%m-%d} if {' and '.join(texts)}; nothing was kept")
    rows = [
        (
            _MEASURE_NAMES.get(row.measure, row.measure),
            *map(_figure, (row.now, row.then)),
            f"{row.change:+,.4g}",
        )
        for row in found.table.itertuples()
    ]
    say_table("Now and then", ["", "Now", "Then", "Change"], rows)
    say_notes(found.notes)


_MEASURE_NAMES = {
    "n_workers": "Workers",
    "n_visits": "People visited",
    "n_homes": "Homes visited",
    "n_must": "Who cannot wait, visited",
    "n_displaced": "Due, and waiting",
    "n_workers_over_capacity": "Workers with more than fits",
    "minutes_used": "Minutes used",
    "minutes_capacity": "Minutes there are",
    "benefit": "Benefit reached",
    "benefit_bound": "Benefit no plan exceeds",
}


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.3g}"


def replay(
    context: typer.Context,
    from_day: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")],
    to_day: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")],
    policy: Annotated[
        list[str] | None,
        typer.Option(help="random, overdue, risk, benefit or index; by default all of them."),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(help="Folder of a simulated programme, whose true risks are then used."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Chance starts here.")] = 0,
    picture: Annotated[Path | None, typer.Option(help="Draw it to this SVG file.")] = None,
    json: Json = False,
) -> None:
    """Live through past months with another rule of whom to visit, and count whom it reaches."""
    world: World = context.obj
    from chw_tools.resource_allocation.replay import POLICIES, plot_replay
    from chw_tools.workflows.replay import replay_policies

    with world.parts() as parts, progress_bar(json) as progress:
        if truth is not None and parts.store.population != "simulated":
            raise InputError("true risks are known of simulated people only.", where="--truth")
        found = replay_policies(
            store=parts.store,
            models=parts.models,
            programme=parts.programme,
            from_day=from_day.date(),
            to_day=to_day.date(),
            policies=policy or POLICIES,
            truth=None if truth is None else _read_truth(truth),
            seed=seed,
            progress=progress,
        )
    if picture is not None:
        title = f"Whom each rule reaches, {from_day:%Y-%m-%d} to {to_day:%Y-%m-%d}"
        people = "simulated people" if truth is not None else "recorded events"
        picture.write_bytes(plot_replay(found, title=f"{title} ({people})"))
    if json:
        say_json(
            {
                "policies": frame_rows(found.policies),
                "groups": frame_rows(found.groups),
                "notes": found.notes,
            }
        )
        return
    _say_replay(found)


def _read_truth(folder: Path) -> pd.DataFrame:
    import pandas as pd

    files = [*folder.glob("truth/risks*.csv"), *folder.glob("truth/risks/*.parquet")]
    if not files:
        raise InputError(
            "no true risks are there.", where=folder.name, cure="Name a folder of chw simulate."
        )
    read = [pd.read_csv(f) if f.suffix == ".csv" else pd.read_parquet(f) for f in sorted(files)]
    frame = pd.concat(read, ignore_index=True)
    return frame.assign(as_of=pd.to_datetime(frame["as_of"]))


def _say_replay(found: Replay) -> None:
    rows = [
        (
            row.policy,
            f"{row.visits:,}",
            f"{row.reached:,.1f}",
            f"{row.missed:,.1f}",
            f"{row.share_reached:.1%} ({row.low:.1%} to {row.high:.1%})",
            "not known"
            if row.averted != row.averted
            else f"{row.averted:.2f} ({row.averted_low:.2f} to {row.averted_high:.2f})",
        )
        for row in found.policies.itertuples()
    ]
    columns = ["Rule", "Visits", "Cases reached", "Missed", "Share reached", "Averted"]
    say_table("Rules", columns, rows)
    groups = [
        (
            row.policy,
            f"{row.group} {row.name}",
            row.people,
            f"{row.share_reached:.1%} ({row.low:.1%} to {row.high:.1%})",
        )
        for row in found.groups.itertuples()
    ]
    say_table("By group", ["Rule", "Group", "People", "Share of cases reached"], groups)
    say_notes(found.notes)
