"""Entering a visit: what was measured, which danger signs were asked, what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from chw_tools.errors import Conflict, InputError, NotFound
from chw_tools.records import TABLES, Catalogue, Observable, conform, new_id
from chw_tools.records.ids import ENTERED_HERE
from chw_tools.records.tables import VISIT_OUTCOMES
from chw_tools.workflows.days import check_day

if TYPE_CHECKING:
    from datetime import date

    from chw_tools.workflows.ports import RegisterStore
    from chw_tools.workflows.views import VisitEntry


def record_visit(
    *,
    store: RegisterStore,
    catalogue: Catalogue,
    entry: VisitEntry,
    today: date,
    known_on: date | None = None,
) -> str:
    """Keep a visit and all that was observed at it; give the visit's key.

    A visit is an event and is never changed: a correction is a new visit whose
    ``supersedes_id`` names the old one. It holds the whole visit as it should have been;
    what the old one observed and the new one does not is taken back by a row without value.

    Parameters
    ----------
    store : RegisterStore
        Where it is kept; one transaction.
    catalogue : Catalogue
        What can be observed, with its limits.
    entry : VisitEntry
        The visit.
    today : date
        Day of the entry; a visit cannot be later, but for one day.
    known_on : date, optional
        Day on which the programme came to know; by default the day of the visit.

    Raises
    ------
    InputError
        With every problem of the entry, by field.
    NotFound
        If the person, the worker or the corrected visit is not in the register.
    Conflict
        If a visit of that key exists with other content. The same visit sent twice is kept
        once and is no error.
    """
    check_entry(entry, catalogue=catalogue)
    _check_references(store, entry)
    check_day(store, entry.person_id, entry.visited_on, today=today, known_on=known_on)
    replaced = _observed_at(store, entry)
    visit_id = entry.visit_id or new_id()
    known = pd.Timestamp(known_on or entry.visited_on)
    visit = _visit_row(entry, visit_id, known)
    observed = _observation_rows(entry, visit_id, known, catalogue)
    observed = _superseding(observed, replaced, visit_id, known)
    with store.transaction():
        counts = store.save("visits", conform(TABLES["visits"], pd.DataFrame([visit])))
        # The same visit row may still come with another measurement: not the same visit.
        if counts.changed or (not counts.new and _differs(store, entry, visit_id, observed)):
            raise Conflict(
                "A visit of that key holds something else.",
                cure="Send a correction as a new visit that supersedes it.",
            )
        if observed and counts.new:
            store.save("observations", conform(TABLES["observations"], pd.DataFrame(observed)))
    return visit_id


def _differs(
    store: RegisterStore, entry: VisitEntry, visit_id: str, observed: list[dict[str, Any]]
) -> bool:
    kept = store.load_register(
        person_ids=[entry.person_id], tables=("people", "observations")
    ).observations
    told = kept[kept["visit_id"] == visit_id].to_dict("records")
    return _answers(told) != _answers(observed)


def _answers(rows: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    names = ("system", "code", "value_number", "value_code")
    return {tuple(None if pd.isna(row[name]) else row[name] for name in names) for row in rows}


def check_entry(entry: VisitEntry, *, catalogue: Catalogue) -> None:
    """Refuse an entry that cannot be true.

    Raises
    ------
    InputError
        With every problem, each naming its field and never the value.
    """
    problems = list(_problems(entry, catalogue))
    if problems:
        raise InputError("; ".join(problems) + ".", where="visit")


def _problems(entry: VisitEntry, catalogue: Catalogue) -> list[str]:
    problems = []
    if entry.outcome not in VISIT_OUTCOMES:
        problems.append(f"outcome must be one of {', '.join(VISIT_OUTCOMES)}")
    if entry.outcome != "seen" and (entry.measurements or entry.danger_signs is not None):
        problems.append("measurements and danger signs need the outcome seen")
    if entry.minutes is not None and not 0 <= entry.minutes <= 1440:
        problems.append("minutes must lie between 0 and 1440")
    for name, value in entry.measurements.items():
        if name not in catalogue.entries or catalogue[name].is_danger_sign:
            problems.append(f"{name} is nothing the catalogue knows")
        else:
            problems.extend(_value_problem(catalogue[name], value))
    signs = {sign.name for sign in catalogue.danger_signs()}
    problems.extend(
        f"{name} is no danger sign of the catalogue"
        for name in entry.danger_signs or {}
        if name not in signs
    )
    return problems


def _value_problem(observable: Observable, value: float | str) -> list[str]:
    if observable.kind == "choice":
        if value in observable.allowed:
            return []
        return [f"{observable.name} must be one of {', '.join(observable.allowed)}"]
    if isinstance(value, (str, bool)) or value != value:
        return [f"{observable.name} must be a number"]
    low = float("-inf") if observable.low is None else observable.low
    high = float("inf") if observable.high is None else observable.high
    if low <= value <= high:
        return []
    return [f"{observable.name} must lie between {low:g} and {high:g} {observable.unit}".rstrip()]


def _check_references(store: RegisterStore, entry: VisitEntry) -> None:
    for table, what, key in (
        ("people", "person", entry.person_id),
        ("workers", "worker", entry.worker_id),
        ("visits", "visit to correct", entry.supersedes_id),
    ):
        if key and key not in store.existing_ids(table, [key]):
            raise NotFound(f"No such {what} in the register.", cure="Search for it by name.")


def _visit_row(entry: VisitEntry, visit_id: str, known: pd.Timestamp) -> dict[str, Any]:
    return {
        "id": visit_id,
        "person_id": entry.person_id,
        "worker_id": entry.worker_id,
        "visited_on": pd.Timestamp(entry.visited_on),
        "kind": "home",
        "outcome": entry.outcome,
        "minutes": entry.minutes,
        "supersedes_id": entry.supersedes_id,
        "source": ENTERED_HERE,
        "source_id": visit_id,
        "known_on": known,
    }


def _observed_at(store: RegisterStore, entry: VisitEntry) -> pd.DataFrame:
    """What was observed at the visit to correct; nothing where this is no correction."""
    register = store.load_register(
        person_ids=[entry.person_id], tables=("people", "visits", "observations")
    )
    if not entry.supersedes_id:
        return register.observations.iloc[:0]
    visits = register.visits
    if entry.supersedes_id not in set(visits["id"]):
        raise NotFound("No such visit of this person.", cure="See the person's page.")
    corrected_by = visits.loc[visits["supersedes_id"] == entry.supersedes_id, "id"]
    if set(corrected_by) - {entry.visit_id}:
        raise Conflict("That visit was corrected before.", cure="Correct the newest one.")
    return register.observations[register.observations["visit_id"] == entry.supersedes_id]


def _superseding(
    observed: list[dict[str, Any]], replaced: pd.DataFrame, visit_id: str, known: pd.Timestamp
) -> list[dict[str, Any]]:
    """The new observations, each naming the one it corrects, and those taken back."""
    old = {(row["system"], row["code"]): row for row in replaced.to_dict("records")}
    for row in observed:
        earlier = old.pop((row["system"], row["code"]), None)
        row["supersedes_id"] = earlier["id"] if earlier else None
    taken_back = [
        {
            **row,
            "id": new_id(),
            "visit_id": visit_id,
            "value_number": None,
            "value_code": None,
            "supersedes_id": row["id"],
            "source": ENTERED_HERE,
            "source_id": f"{visit_id}/{row['code']}/taken-back",
            "known_on": known,
        }
        for row in old.values()
    ]
    return observed + taken_back


def _observation_rows(
    entry: VisitEntry, visit_id: str, known: pd.Timestamp, catalogue: Catalogue
) -> list[dict[str, Any]]:
    values: dict[str, float | str] = dict(entry.measurements)
    if entry.danger_signs is not None:
        # Asked and answered no is a fact; it is what ends an earlier danger sign. A sign that
        # was not asked about gets no answer, unless none at all is named: then all were asked.
        every = dict.fromkeys((sign.name for sign in catalogue.danger_signs()), False)
        for name, is_there in (entry.danger_signs or every).items():
            values[name] = "yes" if is_there else "no"
    return [
        {
            "id": new_id(),
            "person_id": entry.person_id,
            "visit_id": visit_id,
            "system": catalogue[name].code.system,
            "code": catalogue[name].code.code,
            "value_number": None if isinstance(value, str) else float(value),
            "value_code": value if isinstance(value, str) else None,
            "unit": catalogue[name].unit or None,
            "observed_on": pd.Timestamp(entry.visited_on),
            "source": ENTERED_HERE,
            "source_id": f"{visit_id}/{name}",
            "known_on": known,
        }
        for name, value in values.items()
    ]
