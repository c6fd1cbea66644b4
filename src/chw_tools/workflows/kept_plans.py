"""Longer plans as they are looked at again: a kept week with its places, and its figures by group.

Nobody is planned anew here; a kept plan says what was planned then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from chw_tools.errors import Conflict, NotFound
from chw_tools.records import empty_table
from chw_tools.records.planning import WEEK_VISITS, WEEK_WAITING
from chw_tools.resource_allocation.assignment import places_of
from chw_tools.workflows.known_names import people_names, worker_names
from chw_tools.workflows.rows import frame_rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from chw_tools.records import Register
    from chw_tools.workflows.ports import LongerPlans, RegisterStore

#: Fewer people than this are not told apart in a table by group (a decision of this project).
FEW = 5
_ASKED_ONE_BY_ONE = 5_000


@dataclass(frozen=True)
class KeptWeek:
    """A kept week with where everybody lives now, and what they are called.

    Parameters
    ----------
    run_id, as_of, week_from
        As kept.
    visits : DataFrame
        As declared in ``WEEK_VISITS``, with ``latitude`` and ``longitude``.
    waiting : DataFrame
        As declared in ``WEEK_WAITING``.
    summary : mapping
        Its figures.
    workers : DataFrame
        As declared.
    people : DataFrame
        ``sex`` and ``wealth_fifth`` by person, of everybody in the week or waiting.
    worker_names, person_names : mapping of str to str
    population : str or None
    """

    run_id: str
    as_of: date
    week_from: date
    visits: pd.DataFrame
    waiting: pd.DataFrame
    summary: Mapping[str, Any]
    workers: pd.DataFrame
    people: pd.DataFrame
    worker_names: Mapping[str, str]
    person_names: Mapping[str, str]
    population: str | None

    @property
    def is_simulated(self) -> bool:
        """Whether these people are made up."""
        return self.population == "simulated"

    def names(self, *, with_people: bool) -> dict[str, str]:
        """What to call whom in files: workers always, people where asked for."""
        return {**self.worker_names, **(self.person_names if with_people else {})}

    def of_worker(self, worker_id: str) -> pd.DataFrame:
        """One worker's visits.

        Raises
        ------
        NotFound
            If the worker has none in this week.
        """
        own = self.visits[self.visits["worker_id"] == worker_id]
        if not len(own):
            raise NotFound("This worker has no visits in that week.")
        return own


def week_run(store: LongerPlans, run: Any) -> Any:
    """The run that holds the week of a plan: a week's own, or a district's.

    Raises
    ------
    NotFound
        If the plan has no week.
    """
    if run.kind == "week":
        return run
    key = run.summary.get("runs", {}).get("week")
    found = store.load_run(key) if key else None
    if found is None:
        raise NotFound("This plan has no routes.", cure="Ask for a week or a district.")
    return found


def load_week(store: Any, run: Any) -> KeptWeek:
    """A kept week, or that of a kept district.

    Raises
    ------
    NotFound
        If the plan has no week.
    """
    kept = week_run(store, run)
    visits, waiting = (
        kept.tables.get(table.name, empty_table(table)) for table in (WEEK_VISITS, WEEK_WAITING)
    )
    register = _register(store, {*visits["person_id"], *waiting["person_id"]})
    places = places_of(register.people, register.households, register.areas)
    where = places.set_index("person_id")[["latitude", "longitude"]]
    return KeptWeek(
        run_id=kept.id,
        as_of=kept.as_of,
        week_from=kept.from_on or kept.as_of,
        visits=visits.join(where, on="person_id"),
        waiting=waiting,
        summary=kept.summary,
        workers=register.workers,
        people=_about(register),
        worker_names=worker_names(register.workers),
        person_names=people_names(register.people),
        population=store.population,
    )


def _register(store: RegisterStore, people: set[str]) -> Register:
    outline = store.load_register(tables=("areas", "workers"))
    # Of so many that asking for each takes longer than reading all.
    wanted = sorted(people) if len(people) <= _ASKED_ONE_BY_ONE else None
    of_people = store.load_register(person_ids=wanted, tables=("people", "households"))
    return replace(of_people, areas=outline.areas, workers=outline.workers)


def _about(register: Register) -> pd.DataFrame:
    people = register.people.set_index("id")
    homes = register.households.drop_duplicates("id").set_index("id")
    fifth = people["household_id"].map(homes["wealth_fifth"].astype("object"))
    return pd.DataFrame({"sex": people["sex"].astype("object"), "wealth_fifth": fifth})


def groups_of(week: KeptWeek) -> list[dict[str, Any]]:
    """Of each group how many were due or asked for, how many are seen, and how many wait.

    Of groups smaller than :data:`FEW` nothing is told.
    """
    seen = pd.Series(True, index=week.visits["person_id"])
    due = week.waiting[week.waiting["is_due"]] if len(week.waiting) else week.waiting
    waits = pd.Series(False, index=due["person_id"])
    table = pd.concat([seen, waits]).rename("seen").to_frame()
    rows = []
    for group in ("sex", "wealth_fifth"):
        name = table.index.map(week.people[group]).astype("object")
        counts = table.groupby(pd.Series(name, index=table.index).fillna("not known"))["seen"]
        for value, part in counts:
            if len(part) >= FEW:
                n_seen = int(part.sum())
                rows.append(
                    {
                        "group": group,
                        "name": str(value),
                        "n": len(part),
                        "n_seen": n_seen,
                        "n_waiting": len(part) - n_seen,
                        "share": n_seen / len(part),
                    }
                )
    return rows


def reasons_of(waiting: pd.DataFrame) -> list[tuple[str, int, int]]:
    """Why people wait: the kind of reason, how many who are due, how many later."""
    if not len(waiting):
        return []
    kind = waiting["reason"].str.replace(
        r"(, on \d{4}-\d\d-\d\d|; number \d+ in line| by [\d a-z,]+ visits)", "", regex=True
    )
    counts = pd.crosstab(kind, waiting["is_due"]).reindex(columns=[True, False], fill_value=0)
    counts = counts.sort_values([True, False], ascending=False)
    return [(str(why), int(due), int(later)) for why, due, later in counts.itertuples()]


def put_in_force(store: LongerPlans, run: Any) -> str:
    """Let days and weeks go by kept caseloads from now on; gives the key of the new run.

    The run itself is not changed: its table is kept once more, as the newest in force.

    Raises
    ------
    Conflict
        If the plan holds no caseloads, or they are in force already.
    """
    kept = caseload_run(store, run)
    newest = store.find_runs(kind="caseloads", limit=1)
    if newest and newest[0].id == kept.id:
        raise Conflict("These caseloads are in force already.")
    table = kept.tables["caseloads"]
    if not table["worker_id"].notna().any():
        raise Conflict("No home has a worker in this plan.", cure="Plan caseloads anew.")
    with store.transaction():
        return store.save_run(
            "caseloads",
            tables={"caseloads": table},
            as_of=kept.as_of,
            from_on=kept.from_on,
            summary={**kept.summary, "made_from": kept.id},
        )


def caseload_run(store: LongerPlans, run: Any) -> Any:
    """The run that holds the caseloads of a plan: their own, or a district's.

    Raises
    ------
    Conflict
        If there are none.
    """
    runs = run.summary.get("runs", {})
    key = next((runs[kind] for kind in ("caseloads", "caseloads_draft") if kind in runs), None)
    kept = run if key is None else store.load_run(key)
    if kept is None or "caseloads" not in kept.tables:
        raise Conflict("This plan holds no caseloads.", cure="Plan caseloads or a district.")
    return kept


def caseload_rows(table: pd.DataFrame, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Homes, hours a week and homes that change hands, by worker."""
    has = table[table["worker_id"].notna()]
    is_new = has["worker_before"].notna() & (has["worker_before"] != has["worker_id"])
    rows = (
        has.assign(is_new=is_new)
        .groupby("worker_id")
        .agg(n_homes=("home", "size"), minutes=("load_minutes", "sum"), n_new=("is_new", "sum"))
        .reset_index()
    )
    rows["name"] = rows["worker_id"].map(dict(names)).fillna(rows["worker_id"])
    rows["hours"] = rows.pop("minutes") / 60.0
    return frame_rows(rows.sort_values("name"))


def worker_rows(week: KeptWeek) -> list[dict[str, Any]]:
    """Each worker's week in figures: people, homes, minutes, those who cannot wait."""
    rows = []
    for key, own in week.visits.groupby("worker_id"):
        minutes = own["minutes"].sum() + own["travel_minutes"].fillna(0.0).sum()
        rows.append(
            {
                "worker_id": str(key),
                "name": week.worker_names.get(str(key), str(key)),
                "n_visits": len(own),
                "n_must": int((own["because"] == "required").sum()),
                "hours": float(minutes) / 60.0,
                "n_days": int(own["visit_on"].nunique()),
            }
        )
    return sorted(rows, key=lambda row: row["name"])
