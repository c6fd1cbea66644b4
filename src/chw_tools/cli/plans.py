"""Commands around plans of more than a day: a week with its routes, and its files."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chw_tools.cli.options import AsOf, Json, PlannedDay, day
from chw_tools.cli.world import World, frame_rows, progress_bar, say, say_json, say_notes, say_table
from chw_tools.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from chw_tools.resource_allocation.replay import Replay
    from chw_tools.resource_allocation.week import WeekPlan
    from chw_tools.workflows.week import WeekResult


def add_to(app: typer.Typer, plans: typer.Typer) -> None:
    """Add this module's commands, and those under ``chw plan``."""
    app.command(
        epilog="Examples: chw replay --from 2025-01-05 --to 2025-12-31 --policy risk · "
        "chw replay --from 2025-01-05 --to 2025-12-31 --truth district --picture rules.svg"
    )(replay)
    plans.command(
        "week",
        epilog="Examples: chw plan week · chw plan week --folder week1 --names · "
        "chw plan week --risk-floor 0.3 --unseen-weeks 52 --floor wealth_fifth:1:20",
    )(week)


def week(
    context: typer.Context,
    as_of: AsOf = None,
    on: PlannedDay = None,
    days: Annotated[int, typer.Option(min=1, max=7, help="Working days.")] = 5,
    floor: Annotated[
        list[str] | None,
        typer.Option(help="GROUP:NAME:N, at least N homes; area_id, wealth_fifth or sex."),
    ] = None,
    unseen_weeks: Annotated[
        float | None, typer.Option(min=0, help="Whoever was unseen so long must be seen.")
    ] = None,
    risk_floor: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Nobody of such a risk waits without being named."),
    ] = None,
    time_limit: Annotated[
        float | None, typer.Option(min=0.1, help="Seconds for all routes together.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Chance starts here.")] = 0,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler that does the work.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(help="Write tables, GeoJSON, a map and calendars to this folder."),
    ] = None,
    names: Annotated[
        bool, typer.Option("--names", help="Write names to the files, not only keys.")
    ] = False,
    json: Json = False,
) -> None:
    """Plan a week: whom each worker visits on which day, in which order, and who waits."""
    world: World = context.obj
    from chw_tools.resource_allocation.choice import read_floor
    from chw_tools.resource_allocation.routing import Work
    from chw_tools.resource_allocation.week import WeekOptions
    from chw_tools.workflows.week import WeekAsked, keep_week, plan_week

    options = WeekOptions(
        days=days,
        floors=tuple(read_floor(text) for text in floor or []),
        most_weeks_unseen=unseen_weeks,
        risk_floor=risk_floor,
    )
    with world.parts() as parts, progress_bar(json) as progress:
        result = plan_week(
            store=parts.store,
            models=parts.models,
            programme=parts.programme,
            as_of=day(as_of),
            asked=WeekAsked(day(on), options),
            work=Work(
                seed=seed,
                limit_seconds=time_limit,
                scheduler=scheduler,
                progress=partial(progress, "weeks planned"),
            ),
        )
        run_id = keep_week(parts.store, result)
        is_simulated = parts.store.population == "simulated"
    files = write_week(result, folder, names=names, is_simulated=is_simulated)
    if json:
        say_json(
            {
                "as_of": result.as_of,
                "week_from": result.week_from,
                "run_id": run_id,
                "summary": result.plan.summary,
                "notes": result.notes,
                "files": files,
                "visits": frame_rows(result.plan.visits),
                "unvisited": frame_rows(result.plan.unvisited),
            }
        )
        return
    _say_week(result, files, folder)


def write_week(
    result: WeekResult, folder: Path | None, *, names: bool, is_simulated: bool
) -> list[str]:
    """Write a week's files where a folder is given; their names."""
    if folder is None:
        return []
    import pandas as pd

    from chw_tools.exchange.plan_files import write_plan_files

    register = result.assessment.register
    called: dict[str, str] = {}
    if names:
        people = register.people
        full = people["given_name"].fillna("") + " " + people["family_name"].fillna("")
        both = [*zip(people["id"], full.str.strip(), strict=True)]
        both += [*zip(register.workers["id"], register.workers["name"].fillna(""), strict=True)]
        called = {key: name for key, name in both if name}
    return write_plan_files(
        folder,
        visits=result.plan.visits,
        unvisited=result.plan.unvisited,
        workers=register.workers,
        as_of=pd.Timestamp(result.as_of),
        names=called,
        is_simulated=is_simulated,
    )


def _say_week(result: WeekResult, files: list[str], folder: Path | None) -> None:
    plan, told = result.plan, result.plan.summary
    say(
        f"Week from {result.week_from:%Y-%m-%d}, knowing what was known on "
        f"{result.as_of:%Y-%m-%d}: {told['n_visits']:,} people at {told['n_homes']:,} homes by "
        f"{told['n_workers']:,} workers. {told['n_due_waiting']:,} wait who are due by then"
    )
    by_day = plan.visits.groupby(plan.visits["visit_on"].dt.strftime("%A %d %B"), sort=False)
    ordered = sorted(by_day, key=lambda part: part[1]["visit_on"].iloc[0])
    rows = [
        (name, len(part), int(part["is_must"].sum()), f"{part['travel_minutes'].sum():,.0f}")
        for name, part in ordered
    ]
    say_table("Days", ["Day", "People", "Cannot wait", "Minutes walked"], rows)
    because = plan.visits.groupby("because").size().sort_values(ascending=False)
    say_table("Why they are in", ["Because", "People"], list(because.items()))
    kind = plan.unvisited["reason"].str.replace(
        r"(, on \d{4}-\d\d-\d\d|; number \d+ in line| by [\d a-z,]+ visits)", "", regex=True
    )
    say_table("Who waits, and why", ["Reason", "Due this week", "Later"], _waiting(plan, kind))
    say(
        f"Used {told['minutes_used']:,.0f} of {told['minutes_capacity']:,.0f} minutes; benefit "
        f"{told['benefit']:.3g}, no plan exceeds {told['benefit_bound']:.3g}; "
        f"{told['seconds']:.0f} s"
    )
    if told["price_of_floors"]:
        prices = [
            (row["floor"], f"{row['value_lost']:.3g}", f"{row['share_lost']:.1%}")
            for row in told["price_of_floors"]
        ]
        say_table("Price of each floor", ["Floor", "Benefit given up", "Share"], prices)
    for why in told["why_not"]:
        say(f"Not kept: {why}")
    say_notes(result.notes)
    say("Kept. The day's list stays that of chw plan.")
    if folder is not None:
        say(f"Written to {folder}: {len(files)} files, among them visits.csv and map.svg")


def _waiting(plan: WeekPlan, kind: pd.Series) -> list[tuple[str, str, str]]:
    """People who wait by reason, those who are due beside those who are not yet."""
    import pandas as pd

    due = plan.unvisited["is_due"]
    counts = pd.crosstab(kind, due).reindex(columns=[True, False], fill_value=0)
    counts = counts.sort_values([True, False], ascending=False)
    rows = [(str(why), f"{n_due:,}", f"{later:,}") for why, n_due, later in counts.itertuples()]
    total = (f"{int(counts[True].sum()):,}", f"{int(counts[False].sum()):,}")
    return [*rows, ("All", *total)]


def say_what_if(
    world: World, texts: list[str], as_of: datetime | None, on: datetime | None, *, json: bool
) -> None:
    """Plan a day as it is and as it would be; nothing is kept."""
    from chw_tools.resource_allocation.what_if import read_change
    from chw_tools.workflows.replay import what_if

    changes = [read_change(text) for text in texts]
    with world.parts() as parts:
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
