"""The command that plans a whole district in one run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chw_tools.cli.monitoring import asked_of
from chw_tools.cli.options import AsOf, Json, PlannedDay, day
from chw_tools.cli.plans import write_week
from chw_tools.cli.world import World, frame_rows, progress_bar, say, say_json, say_notes, say_table

if TYPE_CHECKING:
    from chw_tools.workflows.district import DistrictPlan


def add_to(plans: typer.Typer) -> None:
    """Add this module's command to ``chw plan``."""
    plans.command(
        epilog="Examples: chw plan district · chw plan district --time-limit 120 --keep · "
        "chw plan district --stock stock.csv --depot health-centre --folder plan"
    )(district)


def district(
    context: typer.Context,
    as_of: AsOf = None,
    on: PlannedDay = None,
    stock: Annotated[
        Path | None,
        typer.Option(exists=True, help="CSV: place_id, item, quantity, ...; without, none."),
    ] = None,
    depot: Annotated[
        list[str] | None, typer.Option(help="A place of the stock file that sends to workers.")
    ] = None,
    posts: Annotated[
        int | None,
        typer.Option(min=1, help="Posts in all; those of workers stay, the others are placed."),
    ] = None,
    time_limit: Annotated[
        float, typer.Option(min=5, help="Seconds for everything; routes get what is left.")
    ] = 360.0,
    seed: Annotated[int, typer.Option(help="Chance starts here.")] = 0,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler that does the routes.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Write the week's tables, map and calendars there.")
    ] = None,
    names: Annotated[
        bool, typer.Option("--names", help="Write people's names to the files; else keys.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep all of it; days and weeks use the caseloads.")
    ] = False,
    json: Json = False,
) -> None:
    """Plan a whole district: hours, posts, caseloads, the week with its routes, supplies."""
    world: World = context.obj
    from chw_tools.exchange.stock_files import read_stock
    from chw_tools.resource_allocation.routing import Work
    from chw_tools.workflows.district import DistrictAsked, keep_district, plan_district
    from chw_tools.workflows.planning import check_somebody
    from chw_tools.workflows.week import WeekAsked

    asked = DistrictAsked(
        WeekAsked(day(on)),
        stock=None if stock is None else read_stock(stock),
        depots=depot or [],
        posts=posts,
        limit_seconds=time_limit,
    )
    with world.parts() as parts, progress_bar(json) as progress:
        progress("register read", 0, None)
        found = plan_district(
            store=parts.store,
            models=parts.models,
            programme=parts.programme,
            asked=replace(asked, week=replace(asked.week, follow_ups=asked_of(parts))),
            as_of=day(as_of),
            work=Work(seed=seed, scheduler=scheduler),
            progress=progress,
        )
        check_somebody(found.week)
        runs = keep_district(parts.store, found) if keep else {}
        is_simulated = parts.store.population == "simulated"
    files = write_week(found.week, folder, names=names, is_simulated=is_simulated)
    if json:
        say_json(_as_json(found, runs, files))
        return
    _say(found)
    if files:
        say(f"Written to {folder}: {len(files)} files, among them visits.csv and map.svg")
    if not keep:
        say("Nothing was kept; with --keep plans of days and weeks use these caseloads.")


def _as_json(found: DistrictPlan, runs: dict[str, str], files: list[str]) -> dict[str, object]:
    return {
        "as_of": found.needs.as_of,
        "week_from": found.week.week_from,
        "seconds": dict(found.seconds),
        "runs": runs,
        "files": files,
        "reality": found.needs.check.said,
        "posts": frame_rows(found.posts.table),
        "posts_gap": found.posts.plan.gap,
        "caseloads_gap": found.caseloads.plan.gap,
        "caseloads": frame_rows(found.caseloads.table),
        "week": found.week.plan.summary,
        "orders": frame_rows(found.supplies.plan.orders),
        "notes": _notes(found),
    }


def _notes(found: DistrictPlan) -> list[str]:
    said = [found.notes, found.posts.notes, found.caseloads.notes]
    said += [found.week.notes, found.supplies.notes]
    return list(dict.fromkeys(note for notes in said for note in notes))


def _say(found: DistrictPlan) -> None:
    from chw_tools.workflows.known_names import area_and_worker_names, with_names

    called = area_and_worker_names(found.needs.assessment.register)
    posts, loads, week = found.posts, found.caseloads, found.week.plan.summary
    people = len(found.needs.assessment.features.frame)
    workers = len(found.needs.workers)
    say(f"{people:,} people and {workers:,} workers, as known on {found.needs.as_of:%Y-%m-%d}.")
    say(found.needs.check.said)
    has = loads.table["worker_id"].notna()
    fill = found.supplies.plan.fill
    packs = found.supplies.plan.orders["packs"].sum()
    seconds = found.seconds
    rows = [
        ("Register", "loaded from the store", "", seconds["register"]),
        ("Hours", f"{found.needs.check.ratio:.2f} times those there are", "", seconds["needs"]),
        (
            "Posts",
            f"{int(posts.plan.posts.sum()):,} posts, {int(posts.table['posts_before'].sum()):,} "
            "of them there now",
            f"{posts.plan.gap:.1%}",
            seconds["posts"],
        ),
        (
            "Caseloads",
            f"{int(has.sum()):,} of {len(has):,} homes have a worker, {loads.n_kept:,} stay",
            f"{loads.plan.gap:.1%}",
            seconds["caseloads"],
        ),
        (
            f"Week from {found.week.week_from:%Y-%m-%d}",
            f"{week['n_visits']:,} people at {week['n_homes']:,} homes; "
            f"{week['n_due_waiting']:,} who are due wait",
            f"{week['gap']:.1%}",
            seconds["week"],
        ),
        (
            "Supplies",
            f"{packs:,.0f} packs to order; the worst met order is met to {fill:.0%}",
            "",
            seconds["supplies"],
        ),
    ]
    shown = [(what, said, gap, f"{spent:.1f}") for what, said, gap, spent in rows]
    columns = ["Part", "Plan", "Gap", "Seconds"]
    say_table(f"Planned in {sum(seconds.values()):.0f} s", columns, shown)
    say("Gap: how far from a proven bound at most; no plan is better than that.")
    if week["n_must_waiting"]:
        say(f"NOT IN THE WEEK: {week['n_must_waiting']:,} who cannot wait; hand them over today")
    for why in week["why_not"]:
        say(f"Does not hold in the week: {with_names(why, called)}")
    say_notes(_notes(found))
