"""Commands about people: find, show, and decisions that can be taken back."""

from __future__ import annotations

from typing import Annotated

import typer

from chw_tools.cli.options import AsOf, Happened, Json, Limit, Person, day
from chw_tools.cli.world import World, say, say_json, say_notes, say_table

people = typer.Typer(help="People of the register, and decisions about them.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(people, name="people")


@people.command(epilog="Example: chw people find Amina")
def find(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="Part of a name, or of a key.")],
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """Find people by name or key."""
    world: World = context.obj
    from chw_tools.workflows.show import find_people

    with world.parts() as parts:
        found = find_people(store=parts.store, text=text, limit=limit)
    if json:
        say_json(found)
        return
    rows = [(p.person_id, p.name, p.sex, p.age, p.place, p.status) for p in found]
    say_table("Found", ["Key", "Name", "Sex", "Age", "Place", "Status"], rows)
    if len(found) == limit:
        say(f"The first {limit}; there may be more: write more of the name, or --limit 100.")


@people.command(epilog="Example: chw people show KEY")
def show(context: typer.Context, person: Person, as_of: AsOf = None, json: Json = False) -> None:
    """All about one person: what to do, why, risk, measurements, visits, decisions."""
    world: World = context.obj
    from chw_tools.workflows.show import show_person

    with world.parts() as parts:
        view = show_person(
            store=parts.store,
            models=parts.models,
            programme=parts.programme,
            person_id=person,
            as_of=day(as_of),
        )
    if json:
        say_json(view)
        return
    say(f"{view.name}, {view.sex}, {view.age}, {view.place} ({view.status})")
    rows = [(a.rank, a.urgency, a.action, a.reason, f"{a.due_on}", a.source) for a in view.advice]
    say_table("What to do", ["", "Urgency", "Action", "Why", "Due", "Source"], rows)
    risks = [
        (r.label, r.band or r.state, r.of_100 or r.note, "; ".join(x.label for x in r.reasons))
        for r in view.risks
    ]
    say_table("Risk", ["Outcome", "Band", "Of 100 people like this", "Reasons"], risks)
    measured = [(m.label, m.value, m.observed_on) for m in view.measurements]
    say_table("Latest measurements", ["What", "Value", "On"], measured)
    changes = [(c.change_id, c.change, c.happened_on) for c in view.changes]
    if changes:
        say_table("Decisions", ["Key", "What", "On"], changes)
    say_notes(view.notes)


@people.command(epilog="Example: chw people merge KEY --into OTHER --on 2026-01-02")
def merge(
    context: typer.Context,
    person: Person,
    into: Annotated[str, typer.Option(help="Key of the entry to keep.")],
    on: Happened,
    json: Json = False,
) -> None:
    """Say that two entries are one person; `chw people undo` parts them again."""
    from chw_tools.workflows.people import merge_person

    with context.obj.parts() as parts:
        key = merge_person(
            store=parts.store,
            person_id=person,
            into_person_id=into,
            on=on.date(),
            today=parts.today,
        )
    _say_change(key, json)


@people.command(epilog="Example: chw people moved KEY --on 2026-01-02")
def moved(
    context: typer.Context,
    person: Person,
    on: Happened,
    json: Json = False,
) -> None:
    """Say that a person left the programme's area."""
    from chw_tools.workflows.people import move_person

    with context.obj.parts() as parts:
        key = move_person(store=parts.store, person_id=person, on=on.date(), today=parts.today)
    _say_change(key, json)


@people.command(epilog="Example: chw people died KEY --on 2026-01-02")
def died(
    context: typer.Context,
    person: Person,
    on: Happened,
    json: Json = False,
) -> None:
    """Say that a person died; the dead never appear on a list."""
    from chw_tools.workflows.people import report_death

    with context.obj.parts() as parts:
        key = report_death(store=parts.store, person_id=person, on=on.date(), today=parts.today)
    _say_change(key, json)


@people.command(epilog="Example: chw people undo KEY --change DECISION --on 2026-01-03")
def undo(
    context: typer.Context,
    person: Person,
    change: Annotated[str, typer.Option(help="Key of the decision; `chw people show` lists it.")],
    on: Happened,
    json: Json = False,
) -> None:
    """Take a decision back."""
    from chw_tools.workflows.people import undo_change

    with context.obj.parts() as parts:
        key = undo_change(
            store=parts.store, person_id=person, change_id=change, on=on.date(), today=parts.today
        )
    _say_change(key, json)


def _say_change(key: str, json: bool) -> None:
    if json:
        say_json({"change_id": key})
    else:
        say(f"Kept as decision {key}; `chw people undo` takes it back.")
