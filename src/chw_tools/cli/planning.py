"""Commands around a workforce: hours, posts, caseloads, supplies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chw_tools.cli.options import AsOf, Json, Limit, Output, day
from chw_tools.cli.world import World, frame_rows, progress_bar, say, say_json, say_notes, say_table

if TYPE_CHECKING:
    from datetime import datetime

    from chw_tools.wiring import Parts
    from chw_tools.workflows.needs import Needs
    from chw_tools.workflows.ports import Progress

Seconds = Annotated[float, typer.Option("--seconds", min=1, help="Time for each plan solved.")]
Seed = Annotated[int, typer.Option("--seed", help="Same seed and steps, same plan.")]


def add_to(plans: typer.Typer) -> None:
    """Add this module's commands to ``chw plan``."""
    plans.command(epilog="Examples: chw plan needs · chw plan needs --output needs.csv")(needs)
    plans.command(
        epilog="Examples: chw plan posts · chw plan posts --posts 20 --worst-first · "
        "chw plan posts --curve 12 --curve 16 --curve 20"
    )(posts)
    plans.command(epilog="Examples: chw plan caseloads · chw plan caseloads --absent KEY --keep")(
        caseloads
    )
    plans.command(epilog="Example: chw plan supplies --stock stock.csv --depot health-centre")(
        supplies
    )


def needs(
    context: typer.Context, as_of: AsOf = None, output: Output = None, json: Json = False
) -> None:
    """Hours that the scope of the work needs, and whether they fit into those there are."""
    world: World = context.obj
    with world.parts() as parts, progress_bar(json) as progress:
        found = _needs(parts, as_of, progress)
    check = found.check
    if output is not None:
        found.communities.to_csv(output, index=False)
    if json:
        say_json(
            {
                "as_of": found.as_of,
                "hours_needed": check.hours_needed,
                "hours_there": check.hours_there,
                "n_workers": check.n_workers,
                "fits": check.fits,
                "said": check.said,
                "cures": frame_rows(check.cures),
                "services": frame_rows(found.work.services),
                "communities": frame_rows(found.communities),
                "notes": found.notes,
            }
        )
        return
    say(f"{check.said} ({check.hours_needed:,.0f} of {check.hours_there:,.0f})")
    rows = [
        (r.label, f"{r.n_people:,}", f"{r.visits:,.0f}", f"{r.visit_hours:,.0f}")
        for r in found.work.services.itertuples()
    ]
    walking = found.work.travel_hours
    rows.append(("Walking (estimated)", "", "", f"{walking:,.0f}"))
    say_table("In a year", ["Service", "People", "Visits", "Hours"], rows)
    if len(check.cures):
        cures = [(c.cure, c.change) for c in check.cures.itertuples()]
        say_table("What would make it fit, each alone", ["", ""], cures)
    say_notes(found.notes)
    say("Next: chw plan posts · chw plan caseloads · chw plan supplies --stock FILE")


def posts(
    context: typer.Context,
    budget: Annotated[
        int | None,
        typer.Option("--posts", min=1, help="Posts in all; by default as the hours ask for."),
    ] = None,
    curve: Annotated[
        list[int] | None, typer.Option(help="A budget for the curve of what each post buys.")
    ] = None,
    worst_first: Annotated[
        bool, typer.Option("--worst-first", help="Raise the worst served area before the mean.")
    ] = False,
    seconds: Seconds = 30.0,
    seed: Seed = 0,
    as_of: AsOf = None,
    limit: Limit = 10,
    output: Output = None,
    json: Json = False,
) -> None:
    """Where to post how many workers, and how near the best plan that is proven to be."""
    world: World = context.obj
    from chw_tools.resource_allocation.solving import Stop
    from chw_tools.workflows.posts import plan_posts

    with world.parts() as parts, progress_bar(json) as progress:
        needed = _needs(parts, as_of, progress)
        progress("posts planned", 0, None)
        found = plan_posts(
            needed,
            programme=parts.programme,
            stop=Stop(seconds),
            seed=seed,
            posts=budget,
            curve=curve or [],
            worst_first=worst_first,
        )
    plan, table, names = found.plan, found.table, found.needs.names
    if output is not None:
        table.to_csv(output, index=False)
    people = max(float(found.needs.communities["n_people"].sum()), 1.0)
    summary = {
        "posts": int(plan.posts.sum()),
        "mean_minutes": plan.cost / people,
        "gap": plan.gap,
        "is_feasible": plan.is_feasible,
        "faults": plan.faults,
        "seconds": plan.seconds,
        "worst": found.worst,
        "worst_bound": found.worst_bound,
    }
    if json:
        say_json(
            {
                **summary,
                "posts_by_community": frame_rows(table),
                "curve": frame_rows(found.curve),
                "sites": frame_rows(found.sites),
                "set_aside": frame_rows(found.set_aside),
                "notes": found.notes,
            }
        )
        return
    say(
        f"{summary['posts']:,} posts, mean walk {summary['mean_minutes']:.1f} min (who is not "
        f"served counted as the programme says); at most {plan.gap:.1%} above the best plan; "
        f"{plan.seconds:.1f} s"
    )
    if found.worst is not None:
        say(f"Worst served area: {found.worst:.0%} of its hours; at most {found.worst_bound:.0%}")
    rows = [
        (_name(names, r.area_id), r.posts_before, r.posts, f"{r.served:.0%}", _said(r.reason))
        for r in table.sort_values(["served", "posts"]).head(limit).itertuples()
    ]
    say_table("Least served", ["Community", "Posts now", "Posts", "Served", "Why"], rows)
    if len(found.curve):
        rows = [
            (r.posts, f"{r.mean_minutes:.1f}", f"{r.served:.0%}", f"{r.gap:.1%}", _post_buys(r))
            for r in found.curve.itertuples()
        ]
        columns = ["Posts", "Mean minutes", "Served", "Gap", "Person-minutes saved per post"]
        say_table("What each further post buys", columns, rows)
    best = [
        (_name(names, r.area_id), f"{r.use_added:+.1%}", f"{r.use_moved:+.1%}", f"{r.mean_km:.1f}")
        for r in found.sites.head(limit).itertuples()
    ]
    columns = ["Site", "Use, if added", "Use, if a post moves there", "Mean km"]
    if best:
        say_table("One more site: post, facility or outreach", columns, best)
    _say_aside(found.set_aside, names)
    say_notes(found.notes)


def caseloads(
    context: typer.Context,
    absent: Annotated[
        list[str] | None,
        typer.Option(help="Key, name or code of a worker who is away; others stand in."),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="From now on plans of days and weeks use them.")
    ] = False,
    seconds: Seconds = 30.0,
    as_of: AsOf = None,
    output: Output = None,
    json: Json = False,
) -> None:
    """Which worker looks after which home: whole homes, fair loads, hard capacity."""
    world: World = context.obj
    from chw_tools.resource_allocation.solving import Stop
    from chw_tools.workflows.caseloads import keep_caseloads, plan_caseloads
    from chw_tools.workflows.known_names import find_workers, worker_names
    from chw_tools.workflows.planning import check_workers

    with world.parts() as parts, progress_bar(json) as progress:
        workers = parts.store.load_register(tables=("workers",)).workers
        away = find_workers(workers, absent or [], where="--absent")
        needed = _needs(parts, as_of, progress)
        check_workers(needed)
        progress("homes given out", 0, None)
        found = plan_caseloads(needed, programme=parts.programme, stop=Stop(seconds), absent=away)
        run_id = keep_caseloads(parts.store, found) if keep else None
    table, plan = found.table, found.plan
    if output is not None:
        table.to_csv(output, index=False)
    if json:
        say_json(
            {
                "gap": plan.gap,
                "is_feasible": plan.is_feasible,
                "n_kept": found.n_kept,
                "run_id": run_id,
                "seconds": plan.seconds,
                "caseloads": frame_rows(table),
                "notes": found.notes,
            }
        )
        return
    has = table["worker_id"].notna()
    say(
        f"{int(has.sum()):,} of {len(table):,} homes have a worker, {found.n_kept:,} the one of "
        f"before; at most {plan.gap:.1%} above the best plan; {plan.seconds:.1f} s"
    )
    loads = table[has].groupby("worker_id")["load_minutes"].agg(["size", "sum"])
    called = worker_names(needed.workers)
    rows = [
        (called.get(key, key), int(n), f"{load / 60:.1f}") for key, n, load in loads.itertuples()
    ]
    say_table("Workers", ["Worker", "Homes", "Hours a week"], rows)
    reasons = table[~has].groupby("reason").size()
    if len(reasons):
        say_table("Without a worker", ["Why", "Homes"], list(reasons.items()))
    say_notes(found.notes)
    if keep:
        say("Kept: plans of days and weeks use these caseloads from now on.")
    else:
        say("Nothing was kept; with --keep plans of days and weeks use them.")


def supplies(
    context: typer.Context,
    stock: Annotated[
        Path, typer.Option("--stock", exists=True, help="CSV: place_id, item, quantity, ...")
    ],
    depot: Annotated[
        list[str] | None, typer.Option(help="A place of the stock file that sends to workers.")
    ] = None,
    as_of: AsOf = None,
    limit: Limit = 20,
    output: Output = None,
    json: Json = False,
) -> None:
    """What each worker orders, from the visits planned; scarce stock is shared fairly."""
    world: World = context.obj
    from chw_tools.exchange.stock_files import read_stock
    from chw_tools.workflows.known_names import worker_names
    from chw_tools.workflows.supplies import plan_supplies

    counted = read_stock(stock)
    with world.parts() as parts, progress_bar(json) as progress:
        needed = _needs(parts, as_of, progress)
        progress("orders planned", 0, None)
        found = plan_supplies(needed, stock=counted, programme=parts.programme, depots=depot or [])
    plan = found.plan
    if output is not None:
        plan.orders.to_csv(output, index=False)
    if json:
        say_json(
            {
                "fill": plan.fill,
                "bound": plan.bound,
                "orders": frame_rows(plan.orders),
                "batches": frame_rows(plan.batches),
                "left_out": frame_rows(plan.left_out),
                "notes": found.notes,
            }
        )
        return
    by_item = plan.orders.groupby("item")[["expected", "safety", "usable", "packs", "packs_sent"]]
    rows = [
        (name, *(f"{value:,.0f}" for value in row)) for name, *row in by_item.sum().itertuples()
    ]
    columns = ["Item", "Expected use", "For chance", "Usable", "Packs to order", "Packs sent"]
    say_table("By item, all places", columns, rows)
    if plan.fill < 1:
        said = f"Stock is scarce: the worst met order is met to {plan.fill:.0%}"
        say(f"{said}; with packs that can be divided it could be {plan.bound:.0%}.")
    left_out = plan.left_out
    few = left_out.groupby("item").size()
    called = worker_names(needed.workers)
    short = [
        (called.get(r.place_id, r.place_id), r.item, r.reason)
        for r in left_out.head(limit).itertuples()
    ]
    if len(left_out) > limit:
        say_table("Short", ["Item", "Places"], list(few.items()))
    elif short:
        say_table("Short or left out", ["Place", "Item", "Why"], short)
    say_notes(found.notes)


def _needs(parts: Parts, as_of: datetime | None, progress: Progress) -> Needs:
    from chw_tools.workflows.needs import plan_needs

    progress("hours counted", 0, None)
    return plan_needs(
        store=parts.store, models=parts.models, programme=parts.programme, as_of=day(as_of)
    )


def _name(names: Any, key: Any) -> str:
    return str(names.get(key, "not known")) if key else "not known"


def _said(reason: object) -> str:
    return reason if isinstance(reason, str) else ""


def _post_buys(row: Any) -> str:
    saved = row.saved_per_post
    return "" if saved != saved else f"{max(saved, 0.0):,.0f}"


def _say_aside(set_aside: Any, names: Any) -> None:
    if len(set_aside):
        rows = [(_name(names, r.area_id), r.reason) for r in set_aside.itertuples()]
        say_table("Not planned", ["Community", "Why"], rows)
