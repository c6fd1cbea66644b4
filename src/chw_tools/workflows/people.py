"""Decisions about register entries: merged, moved, died; each can be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from chw_tools.errors import Conflict, NotFound
from chw_tools.records import TABLES, conform, new_id
from chw_tools.records.ids import ENTERED_HERE
from chw_tools.workflows.days import check_day

if TYPE_CHECKING:
    from datetime import date

    from chw_tools.workflows.ports import RegisterStore


def merge_person(
    *, store: RegisterStore, person_id: str, into_person_id: str, on: date, today: date
) -> str:
    """Say that two entries are one person; gives the key of the decision.

    Everything recorded under ``person_id`` counts for ``into_person_id`` from then on;
    nothing is rewritten, so :func:`undo_change` parts them again.

    Raises
    ------
    InputError
        If the day lies in the future or before the person's birth.
    Conflict
        If the two are the same entry.
    NotFound
        If either is not in the register.
    """
    if person_id == into_person_id:
        raise Conflict("An entry cannot be merged into itself.", cure="Name two entries.")
    check_people(store, person_id, into_person_id)
    return _save(store, person_id, "merged", on, today, into_person_id=into_person_id)


def move_person(
    *, store: RegisterStore, person_id: str, on: date, today: date, area_id: str | None = None
) -> str:
    """Say that a person left the programme's area; gives the key of the decision.

    Raises
    ------
    InputError
        If the day lies in the future or before the person's birth.
    NotFound
        If the person is not in the register.
    """
    check_people(store, person_id)
    return _save(store, person_id, "moved", on, today, area_id=area_id)


def report_death(*, store: RegisterStore, person_id: str, on: date, today: date) -> str:
    """Say that a person died; gives the key of the decision.

    Raises
    ------
    InputError
        If the day lies in the future or before the person's birth.
    NotFound
        If the person is not in the register.
    """
    check_people(store, person_id)
    return _save(store, person_id, "died", on, today)


def undo_change(
    *, store: RegisterStore, person_id: str, change_id: str, on: date, today: date
) -> str:
    """Take a decision back; gives the key of the taking back.

    Raises
    ------
    InputError
        If the day lies in the future or before the person's birth.
    NotFound
        If there is no such decision about that person.
    Conflict
        If it was already taken back.
    """
    changes = store.load_register(person_ids=[person_id]).person_changes
    if change_id not in set(changes.loc[changes["change"] != "undone", "id"]):
        raise NotFound("No such decision about this person.", cure="See the person's page.")
    if change_id in set(changes["supersedes_id"]):
        raise Conflict("That decision was already taken back.")
    return _save(store, person_id, "undone", on, today, supersedes_id=change_id)


def check_people(store: RegisterStore, *person_ids: str) -> None:
    """Refuse people who are not in the register.

    Raises
    ------
    NotFound
        If any of them is not.
    """
    if store.existing_ids("people", person_ids) != set(person_ids):
        raise NotFound("No such person in the register.", cure="Search for it by name.")


def _save(
    store: RegisterStore, person_id: str, change: str, on: date, today: date, **more: Any
) -> str:
    check_day(store, person_id, on, today=today)
    key = new_id()
    # Told today of what happened earlier: it was not known then, whatever day it happened.
    known_on = max(on, store.last_recorded_day() or on)
    row = {
        "id": key,
        "person_id": person_id,
        "change": change,
        "happened_on": pd.Timestamp(on),
        "source": ENTERED_HERE,
        "source_id": key,
        "known_on": pd.Timestamp(known_on),
        **more,
    }
    with store.transaction():
        store.save("person_changes", conform(TABLES["person_changes"], pd.DataFrame([row])))
    return key
