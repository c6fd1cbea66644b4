"""Commands around visits: the day's list, and entering one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated

import typer

from chw_tools.cli.options import Json, Person, PlannedDay, day
from chw_tools.cli.world import World, frame_rows, say, say_json, say_notes, say_table

visits = typer.Typer(help="The day's visit list, and entering visits.", no_args_is_help=True)


@visits.command("list", epilog="Examples: chw visits list · chw visits list --worker KEY")
def list_visits(
    context: typer.Context,
    worker: Annotated[str | None, typer.Option(help="Key, name or code of the worker.")] = None,
    on: PlannedDay = None,
    json: Json = False,
) -> None:
    """The visit list of a day: all workers in figures, or one worker's list."""
    world: World = context.obj
    from chw_tools.workflows.known_names import find_worker
    from chw_tools.workflows.show import show_day

    with world.parts() as parts:
        key = find_worker(parts.store, worker, where="--worker")
        view = show_day(
            store=parts.store, programme=parts.programme, worker_id=key, visit_on=day(on)
        )
    if json:
        say_json(view)
        return
    say(f"{view.visit_on:%A %d %B %Y} · {view.ordered_by}")
    if view.worker is None:
        rows = [
            (w.worker_id, w.name, w.place, w.n_visits, w.n_urgent, w.n_waiting, f"{w.minutes:.0f}")
            for w in view.workers
        ]
        columns = ["Key", "Worker", "Place", "Visits", "Urgent", "Waiting", "Minutes"]
        say_table("Workers", columns, rows)
    else:
        stops = [
            (s.position, s.name, f"{s.sex}, {s.age}", s.place, s.urgency, s.reason, s.person_id)
            for s in view.stops
        ]
        columns = ["", "Person", "", "Place", "Urgency", "Why", "Key"]
        say_table(view.worker.name, columns, stops)
    say_notes(view.notes)


@visits.command(
    "record",
    epilog="Example: chw visits record KEY --on 2026-01-01 --measure systolic_mmhg=150 "
    "--measure diastolic_mmhg=95 --no-danger-sign",
)
def record(
    context: typer.Context,
    person: Person,
    on: Annotated[datetime, typer.Option("--on", formats=["%Y-%m-%d"], help="Day of the visit.")],
    outcome: Annotated[str, typer.Option(help="seen, away, refused, moved or died.")] = "seen",
    measure: Annotated[list[str] | None, typer.Option(help="NAME=VALUE of the catalogue.")] = None,
    danger_sign: Annotated[list[str] | None, typer.Option(help="A danger sign present.")] = None,
    no_danger_sign: Annotated[
        bool, typer.Option("--no-danger-sign", help="Asked about all, and none is there.")
    ] = False,
    worker: Annotated[str | None, typer.Option(help="Key, name or code of the worker.")] = None,
    minutes: Annotated[float | None, typer.Option(help="How long it took.")] = None,
    known_on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day it came to be known.")
    ] = None,
    corrects: Annotated[str | None, typer.Option(help="Key of the visit it corrects.")] = None,
    json: Json = False,
) -> None:
    """Enter a visit; the advice and tomorrow's list follow from it."""
    world: World = context.obj
    from chw_tools.workflows.assess import recommend_actions
    from chw_tools.workflows.known_names import find_worker
    from chw_tools.workflows.views import VisitEntry
    from chw_tools.workflows.visits import record_visit

    signs = {_sign(name): True for name in danger_sign or []}
    entry = VisitEntry(
        person_id=person,
        visited_on=on.date(),
        outcome=outcome,
        measurements=dict(_measurement(text) for text in measure or []),
        danger_signs=signs if signs or no_danger_sign else None,
        minutes=minutes,
        supersedes_id=corrects,
    )
    with world.parts() as parts:
        by = find_worker(parts.store, worker, where="--worker")
        key = record_visit(
            store=parts.store,
            catalogue=parts.catalogue,
            entry=replace(entry, worker_id=by),
            today=parts.today,
            known_on=day(known_on),
        )
        advice = recommend_actions(
            store=parts.store,
            models=parts.models,
            programme=parts.programme,
            as_of=day(known_on) or on.date(),
            person_ids=[person],
        ).recommendations
    if json:
        say_json({"visit_id": key, "recommendations": frame_rows(advice)})
        return
    say(f"Kept as visit {key}.")
    rows = [
        (r.rank, r.urgency, r.action, r.reason, f"{r.due_on:%Y-%m-%d}") for r in advice.itertuples()
    ]
    say_table("Now", ["", "Urgency", "Action", "Reason", "Due"], rows)


def _measurement(text: str) -> tuple[str, float | str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise typer.BadParameter("give NAME=VALUE, for example systolic_mmhg=150")
    try:
        return name, float(value)
    except ValueError:
        return name, value


def _sign(name: str) -> str:
    return name if name.startswith("danger_") else f"danger_{name}"
