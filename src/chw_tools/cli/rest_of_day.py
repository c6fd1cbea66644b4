"""The command that plans the rest of a day in progress anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from chw_tools.cli.options import Json, PlannedDay, day
from chw_tools.cli.world import World, frame_rows, say, say_json, say_notes, say_table

if TYPE_CHECKING:
    from chw_tools.workflows.rest_of_day import RestResult


def add_to(plans: typer.Typer) -> None:
    """Add this module's command to ``chw plan``."""
    plans.command(
        "rest-of-day",
        epilog='Examples: chw plan rest-of-day --worker "Worker 3" --at 11:30 · '
        "chw plan rest-of-day --worker KEY --at 10:15 --ill",
    )(rest_of_day)


def rest_of_day(
    context: typer.Context,
    worker: Annotated[str, typer.Option(help="Key, name or code of the worker.")],
    at: Annotated[str, typer.Option(help="Time of the day, such as 11:30.")],
    ill: Annotated[
        bool, typer.Option("--ill", help="The worker cannot go on: stops go to others, or wait.")
    ] = False,
    done: Annotated[
        list[str] | None,
        typer.Option(help="Key of a person seen whose visit is not recorded yet."),
    ] = None,
    place: Annotated[
        str | None,
        typer.Option(help="Key of the person at whose home the worker is; else the last visit."),
    ] = None,
    on: PlannedDay = None,
    json: Json = False,
) -> None:
    """Order anew what is left of a day in progress; what is done keeps its place.

    Visits recorded that day are done. Who cannot wait comes first, beyond the minutes if need
    be; who does not fit any more waits, with the reason. The list is kept in place of the
    morning's.
    """
    world: World = context.obj
    from chw_tools.workflows.known_names import find_workers
    from chw_tools.workflows.rest_of_day import RestAsked, replan_day

    with world.parts() as parts:
        workers = parts.store.load_register(tables=("workers",)).workers
        (key,) = find_workers(workers, [worker], where="--worker")
        asked = RestAsked(key, at, ill, tuple(done or ()), place, day(on))
        found = replan_day(store=parts.store, programme=parts.programme, asked=asked)
    if json:
        say_json(
            {
                "run_id": found.run_id,
                "visit_on": found.visit_on,
                "n_done": found.n_done,
                "n_left": found.n_left,
                "n_waiting": found.n_waiting,
                "n_handed_over": found.n_handed_over,
                "ends_at": found.ends_at,
                "visits": frame_rows(found.rest.visits),
                "waiting": frame_rows(found.rest.waiting),
                "notes": found.notes,
            }
        )
        return
    _say(found)


def _say(found: RestResult) -> None:
    handed = f", {found.n_handed_over:,} with another worker now" if found.n_handed_over else ""
    say(
        f"{found.visit_on:%A %d %B %Y}: {found.n_done:,} done, {found.n_left:,} still to see"
        f"{handed}; {found.n_waiting:,} who were on a list wait"
    )
    rows = [
        (found.names[key], int((found.rest.visits["worker_id"] == key).sum()), until)
        for key, until in found.ends_at.items()
    ]
    say_table("Lists", ["Worker", "People", "Ends"], rows)
    reasons = found.rest.waiting.groupby("reason").size()
    if len(reasons):
        say_table("Who waits, and why", ["Reason", "People"], list(reasons.items()))
    say_notes(found.notes)
    say("Kept. Next: chw visits list --worker NAME")
