"""Commands around plans of more than a day: a week with its routes, and its files."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chw_tools.cli.monitoring import asked_of
from chw_tools.cli.options import AsOf, Json, PlannedDay, day
from chw_tools.cli.world import World, frame_rows, progress_bar, say, say_json, say_notes, say_table
from chw_tools.errors import InputError

if TYPE_CHECKING:
    from chw_tools.resource_allocation.week import WeekPlan
    from chw_tools.workflows.gains import Step
    from chw_tools.workflows.week import WeekResult


def add_to(plans: typer.Typer) -> None:
    """Add this module's commands to ``chw plan``."""
    plans.command(epilog="Example: chw plan pace --positions stops.csv")(pace)
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
        typer.Option(
            help="GROUP:NAME:N, at least N homes of a group, such as wealth_fifth:1:20, "
            "sex:female:50 or area_id:VILLAGE:10."
        ),
    ] = None,
    unseen_weeks: Annotated[
        float | None, typer.Option(min=0, help="Whoever was unseen so long must be seen.")
    ] = None,
    risk_floor: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Nobody of such a risk waits without being named."),
    ] = None,
    states: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            help="CSV: person_id, week_on, is_good, is_visited, stratum; orders by an index.",
        ),
    ] = None,
    value: Annotated[
        str, typer.Option(help="With --states: belief (seen at visits) or index (seen weekly).")
    ] = "belief",
    forecast: Annotated[
        Path | None,
        typer.Option(exists=True, help="CSV: person_id, value; orders by your own forecast."),
    ] = None,
    positions: Annotated[
        Path | None,
        typer.Option(exists=True, help="CSV of recorded stops; measures the pace of walking."),
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
        bool, typer.Option("--names", help="Write people's names to the files; else keys.")
    ] = False,
    json: Json = False,
) -> None:
    """Plan a week: whom each worker visits on which day, in which order, and who waits."""
    world: World = context.obj
    from chw_tools.exchange.value_files import read_forecast, read_positions, read_states
    from chw_tools.resource_allocation.choice import read_floor
    from chw_tools.resource_allocation.routing import Work
    from chw_tools.resource_allocation.week import WeekOptions
    from chw_tools.workflows.known_names import find_floors
    from chw_tools.workflows.planning import check_somebody
    from chw_tools.workflows.week import WeekAsked, keep_week, plan_week

    options = WeekOptions(
        days=days,
        floors=tuple(read_floor(text) for text in floor or []),
        most_weeks_unseen=unseen_weeks,
        risk_floor=risk_floor,
    )
    asked = WeekAsked(
        day(on),
        options,
        states=None if states is None else read_states(states),
        step=_step(value),
        forecast=None if forecast is None else read_forecast(forecast),
        positions=None if positions is None else read_positions(positions),
    )
    with world.parts() as parts, progress_bar(json) as progress:
        areas = parts.store.load_register(tables=("areas",)).areas
        options = replace(options, floors=find_floors(options.floors, areas, where="--floor"))
        asked = replace(asked, options=options, follow_ups=asked_of(parts))
        progress("people chosen", 0, None)
        result = plan_week(
            store=parts.store,
            models=parts.models,
            programme=parts.programme,
            as_of=day(as_of),
            asked=asked,
            work=Work(
                seed=seed,
                limit_seconds=time_limit,
                scheduler=scheduler,
                progress=partial(progress, "weeks planned"),
            ),
        )
        check_somebody(result)
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


def _step(value: str) -> Step:
    from chw_tools.workflows.gains import STEPS

    for step in STEPS:
        if step == value:
            return step
    raise InputError("no such value.", where="--value", cure=f"One of {', '.join(STEPS)}.")


def pace(
    context: typer.Context,
    positions: Annotated[
        Path,
        typer.Option(exists=True, help="CSV: worker_id, arrived_at, left_at, latitude, longitude."),
    ],
    json: Json = False,
) -> None:
    """Measure how fast workers walk here, from stops recorded with positions and times."""
    world: World = context.obj
    from chw_tools.exchange.value_files import read_positions
    from chw_tools.workflows.pace import measure_pace

    with world.parts() as parts:
        found = measure_pace(read_positions(positions), parts.programme)
    speed = found.programme.planning.walking_km_per_h
    if json:
        say_json({"pace": found.pace, "walking_km_per_h": speed, "said": found.said})
        return
    say(found.said)
    if found.pace.is_enough:
        say("In programme.toml of your folder:")
        say(f'  [planning.walking_km_per_h]\n  value = {speed:.2f}\n  unit = "km/h"')
        say(f'  source = "Measured: {found.pace.n_legs} walks between recorded stops"')
        say("Or for one week: chw plan week --positions FILE")


def write_week(
    result: WeekResult, folder: Path | None, *, names: bool, is_simulated: bool
) -> list[str]:
    """Write a week's files where a folder is given; their names."""
    if folder is None:
        return []
    import pandas as pd

    from chw_tools.exchange.plan_files import write_plan_files
    from chw_tools.workflows.known_names import people_names, worker_names

    register = result.assessment.register
    called = worker_names(register.workers)
    if names:
        called |= people_names(register.people)
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
    from chw_tools.workflows.known_names import area_and_worker_names, with_names

    plan, told = result.plan, result.plan.summary
    called = area_and_worker_names(result.assessment.register)
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
    say_table("Who waits, and why", ["Reason", "Due this week", "Later"], _waiting(plan))
    say(
        f"Used {told['minutes_used']:,.0f} of {told['minutes_capacity']:,.0f} minutes; benefit "
        f"{told['benefit']:.3g}, no plan exceeds {told['benefit_bound']:.3g}; "
        f"{told['seconds']:.0f} s"
    )
    if told["price_of_floors"]:
        prices = [
            (
                with_names(row["floor"], called),
                f"{row['value_lost']:.3g}",
                f"{row['share_lost']:.1%}",
            )
            for row in told["price_of_floors"]
        ]
        say_table("Price of each floor", ["Floor", "Benefit given up", "Share"], prices)
    if told["n_must_waiting"]:
        say(f"NOT IN THE WEEK: {told['n_must_waiting']:,} who cannot wait; hand them over today")
    if told["n_late"]:
        say(f"Late: {told['n_late']:,} visits after the last day for them; no room before")
    for why in told["why_not"]:
        say(f"Does not hold: {with_names(why, called)}")
    say_notes(result.notes)
    say("Kept. The day's list stays that of chw plan.")
    if folder is not None:
        say(f"Written to {folder}: {len(files)} files, among them visits.csv and map.svg")


def _waiting(plan: WeekPlan) -> list[tuple[str, str, str]]:
    """People who wait by reason, those who are due beside those who are not yet."""
    from chw_tools.workflows.kept_plans import reasons_of

    counts = reasons_of(plan.unvisited)
    total = ("All", sum(n_due for _, n_due, _ in counts), sum(later for *_, later in counts))
    return [(why, f"{n_due:,}", f"{later:,}") for why, n_due, later in (*counts, total)]
