"""A kept plan as a supervisor reads it: sentences, tables, and what may be done with it.

Sentences are keys of the catalogue with their fills; cells are text. Names of workers and
areas stand in place of keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from chw_tools.records.derived import URGENCY_LEVEL
from chw_tools.workflows import kept_plans
from chw_tools.workflows.known_names import area_and_worker_names, with_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date

    from chw_tools.workflows.kept_plans import KeptWeek

#: Rows of a table that a page shows; the files hold all.
MOST_ROWS = 30
#: So many people by name who wait although somebody must decide on them.
MOST_PEOPLE = 30


@dataclass(frozen=True)
class Said:
    """One sentence of a plan: its key in the catalogue, what fills it, whether it is a warning."""

    key: str
    fills: Mapping[str, Any] = field(default_factory=dict)
    is_warning: bool = False


@dataclass(frozen=True)
class ShownTable:
    """One table of a plan: its key in the catalogue, the keys of its columns, cells of text.

    ``n`` is how many rows there are, of which the first are here.
    """

    key: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    n: int


@dataclass(frozen=True)
class PersonWaiting:
    """Somebody who waits, on whom somebody must decide."""

    person_id: str
    name: str
    worker: str
    urgency: str
    reason: str


@dataclass(frozen=True)
class PlanningView:
    """A kept plan, ready to be shown.

    Parameters
    ----------
    run_id, kind, as_of, from_on, made_at
        As kept.
    population : str or None
    said : tuple of Said
        What fits, what does not, and how near the best it is.
    tables : tuple of ShownTable
    workers : tuple of dict
        Each worker's week in figures.
    waiting : tuple of PersonWaiting
        The first who cannot wait and are not in, or are named for their risk.
    displaced : tuple of PersonWaiting
        The first of the others who gave way to a duty or a floor.
    n_waiting, n_displaced : int
        How many of these there are.
    has_map : bool
        Whether files of routes are there.
    can_be_put_in_force : bool
        Whether it holds caseloads that nothing goes by yet.
    is_in_force : bool
        Whether days and weeks go by its caseloads.
    parts : mapping of str to str
        Runs by kind of what a district's plan consists of.
    notes : tuple of str
    """

    run_id: str
    kind: str
    as_of: date
    from_on: date | None
    made_at: str
    population: str | None
    said: tuple[Said, ...] = ()
    tables: tuple[ShownTable, ...] = ()
    workers: tuple[dict[str, Any], ...] = ()
    waiting: tuple[PersonWaiting, ...] = ()
    displaced: tuple[PersonWaiting, ...] = ()
    n_waiting: int = 0
    n_displaced: int = 0
    has_map: bool = False
    can_be_put_in_force: bool = False
    is_in_force: bool = False
    parts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def show_planning(store: Any, run: Any) -> PlanningView:
    """A kept plan as a supervisor reads it.

    Parameters
    ----------
    store
        Where plans and the register are kept.
    run : StoredRun
        With its tables.
    """
    names = area_and_worker_names(store.load_register(tables=("areas", "workers")))
    shown = _BY_KIND[run.kind](store, run, names)
    notes = (with_names(str(note), names) for note in run.summary.get("notes", ()))
    return PlanningView(
        run_id=run.id,
        kind=run.kind,
        as_of=run.as_of,
        from_on=run.from_on,
        made_at=run.made_at,
        population=store.population,
        notes=tuple(dict.fromkeys(notes)),
        **shown,
    )


def _week(store: Any, run: Any, names: Mapping[str, str]) -> dict[str, Any]:
    week = kept_plans.load_week(store, run)
    frame = week.waiting
    is_urgent = frame["urgency"].isin(["emergency", "same_day"]) | frame["is_above_risk_floor"]
    waiting, displaced = frame[is_urgent], frame[frame["is_displaced"] & ~is_urgent]
    return {
        "said": tuple(_week_said(week.summary, names)),
        "tables": (
            _table("reasons", ("why", "due_now", "due_later"), kept_plans.reasons_of(week.waiting)),
            _groups(week),
            _prices(week.summary, names),
        ),
        "workers": tuple(kept_plans.worker_rows(week)),
        "waiting": _who_waits(week, waiting),
        "displaced": _who_waits(week, displaced),
        "n_waiting": len(waiting),
        "n_displaced": len(displaced),
        "has_map": bool(len(week.visits)),
    }


def _week_said(told: Mapping[str, Any], names: Mapping[str, str]) -> Iterable[Said]:
    yield Said(
        "planned",
        {
            "n": told["n_visits"],
            "n_homes": f"{told['n_homes']:,}",
            "n_workers": f"{told['n_workers']:,}",
        },
    )
    if told["n_must_waiting"]:
        yield Said("must_waiting", {"n": told["n_must_waiting"]}, is_warning=True)
    if told["n_late"]:
        yield Said("late", {"n": told["n_late"]}, is_warning=True)
    yield Said("due_waiting", {"n": told["n_due_waiting"]})
    if told["n_displaced"]:
        yield Said("displaced", {"n": told["n_displaced"]})
    if told["n_above_risk_floor_waiting"]:
        yield Said("above_risk_floor", {"n": told["n_above_risk_floor_waiting"]}, is_warning=True)
    yield Said(
        "minutes",
        {
            "used": f"{told['minutes_used'] / 60:,.0f}",
            "there": f"{told['minutes_capacity'] / 60:,.0f}",
            "walked": f"{told['minutes_walked'] / 60:,.0f}",
        },
    )
    yield from _holds(told["is_feasible"], told["why_not"], names)
    yield _gap(told["gap"])


def _holds(is_feasible: bool, faults: Iterable[str], names: Mapping[str, str]) -> Iterable[Said]:
    if is_feasible:
        yield Said("fits")
    for fault in faults:
        yield Said("does_not_fit", {"why": with_names(fault, names)}, is_warning=True)


def _gap(gap: float | None) -> Said:
    """At most so far from the best, rounded up: what is said must hold."""
    if gap is None or gap != gap:
        return Said("gap_unknown")
    if gap < 5e-5:
        return Said("is_best")
    tenths = -int(-(gap * 1000) // 1)
    return Said("gap", {"percent": f"{tenths / 10:.1f}"})


def _who_waits(week: KeptWeek, people: pd.DataFrame) -> tuple[PersonWaiting, ...]:
    """The first of them, the most urgent and then the most benefit first."""
    level = people["urgency"].astype(str).map(URGENCY_LEVEL).astype("float64")
    order = people.assign(level=level).sort_values(["level", "benefit"], ascending=[True, False])
    rows = order.head(MOST_PEOPLE)
    called = week.worker_names
    return tuple(
        PersonWaiting(
            row.person_id,
            week.person_names.get(row.person_id, ""),
            called.get(row.worker_id, "") if isinstance(row.worker_id, str) else "",
            row.urgency,
            with_names(row.reason, called),
        )
        for row in rows.itertuples()
    )


def _groups(week: KeptWeek) -> ShownTable:
    rows = [
        (
            f"{row['group'].replace('_', ' ')}: {row['name']}",
            f"{row['n_seen']:,}",
            f"{row['n']:,}",
            f"{row['share']:.0%}",
        )
        for row in kept_plans.groups_of(week)
    ]
    return _table("groups", ("group", "seen", "due", "share"), rows)


def _prices(told: Mapping[str, Any], names: Mapping[str, str]) -> ShownTable:
    rows = [
        (
            with_names(row["floor"], names).replace("area_id ", ""),
            f"{row['value_lost']:.3g}",
            f"{row['share_lost']:.1%}",
        )
        for row in told.get("price_of_floors", ())
    ]
    return _table("prices", ("floor", "given_up", "share"), rows)


def _caseloads(store: Any, run: Any, names: Mapping[str, str]) -> dict[str, Any]:
    table = kept_plans.caseload_run(store, run).tables["caseloads"]
    newest = store.find_runs(kind="caseloads", limit=1)
    is_in_force = bool(newest) and newest[0].id == run.id
    has = table["worker_id"].notna()
    without = table[~has].groupby("reason").size()
    rows = [
        (row["name"], f"{row['n_homes']:,}", f"{row['hours']:.1f}", f"{row['n_new']:,}")
        for row in kept_plans.caseload_rows(table, names)
    ]
    homes = {"n": int(has.sum()), "n_all": f"{len(table):,}"}
    return {
        "said": (
            Said("homes", homes),
            Said("kept", {"n": run.summary["n_kept"]}),
            *([Said("limits_hold")] if run.summary["is_feasible"] else []),
            _gap(run.summary["gap"]),
        ),
        "tables": (
            _table("loads", ("worker", "homes", "hours_a_week", "homes_new"), rows),
            _table("without_worker", ("why", "homes"), without.items()),
        ),
        "is_in_force": is_in_force,
        "can_be_put_in_force": not is_in_force and bool(has.any()),
    }


def _posts(store: Any, run: Any, names: Mapping[str, str]) -> dict[str, Any]:
    told, table = run.summary, run.tables.get("posted", pd.DataFrame())
    rows = [
        (
            names.get(row.area_id, row.area_id),
            row.posts_before,
            row.posts,
            f"{row.served:.0%}",
            row.reason if isinstance(row.reason, str) else "",
        )
        for row in (table.sort_values(["served", "posts"]) if len(table) else table).itertuples()
    ]
    curve = [
        (row["posts"], f"{row['mean_minutes']:.1f}", f"{row['served']:.0%}")
        for row in told.get("curve", ())
    ]
    sites = [
        (names.get(row["area_id"], row["area_id"]), f"{row['use_added']:+.1%}")
        for row in told.get("sites", ())
    ]
    aside = [
        (names.get(row.get("area_id"), row.get("area_id")), row["reason"])
        for row in told.get("set_aside", ())
    ]
    worst = told.get("worst")
    return {
        "said": (
            Said("posts", {"n": told["posts"]}),
            *([] if worst is None else [Said("worst", {"percent": f"{worst:.0%}"})]),
            *_holds(told["is_feasible"], told["faults"], names),
            _gap(told["gap"]),
        ),
        "tables": (
            _table("served", ("community", "posts_now", "posts", "share_served", "why"), rows),
            _table("curve", ("posts", "mean_minutes", "share_served"), curve),
            _table("sites", ("community", "use_added"), sites),
            _table("aside", ("community", "why"), aside),
        ),
    }


def _needs(store: Any, run: Any, names: Mapping[str, str]) -> dict[str, Any]:
    told = run.summary
    services = [
        (r["label"], f"{r['n_people']:,}", f"{r['visits']:,.0f}", f"{r['visit_hours']:,.0f}")
        for r in told["services"]
    ]
    cures = [(row["cure"], row["change"]) for row in told["cures"]]
    hours = {"needed": f"{told['hours_needed']:,.0f}", "there": f"{told['hours_there']:,.0f}"}
    return {
        "said": (
            Said("as_told", {"text": told["said"]}, is_warning=not told["fits"]),
            Said("hours", hours),
        ),
        "tables": (
            _table("cures", ("cure", "change"), cures),
            _table("services", ("service", "people", "visits", "hours"), services),
        ),
    }


def _supplies(store: Any, run: Any, names: Mapping[str, str]) -> dict[str, Any]:
    orders = run.tables.get("supply_orders", pd.DataFrame())
    rows: list[tuple[str, ...]] = []
    if len(orders):
        by_item = orders.groupby("item")[["expected", "usable", "packs", "packs_sent"]].sum()
        rows = [
            (str(item), *(f"{value:,.0f}" for value in values))
            for item, *values in by_item.itertuples()
        ]
    fill = run.summary["fill"]
    return {
        "said": (Said("fill", {"percent": f"{fill:.0%}"}, is_warning=fill < 1),),
        "tables": (_table("orders", ("item", "expected", "usable", "packs", "packs_sent"), rows),),
    }


def _district(store: Any, run: Any, names: Mapping[str, str]) -> dict[str, Any]:
    held = run.summary["runs"]
    order = ("posts", "caseloads", "caseloads_draft", "week", "supplies")
    parts = {kind: held[kind] for kind in order if kind in held}
    seconds = sum(run.summary.get("seconds", {}).values())
    return {
        "said": (
            Said("as_told", {"text": run.summary["said"]}),
            Said("made_in", {"seconds": f"{seconds:,.0f}"}),
        ),
        "parts": parts,
        "has_map": "week" in parts,
    }


def _what_if(store: Any, run: Any, names: Mapping[str, str]) -> dict[str, Any]:
    changes = ", ".join(run.summary["changes"]).replace("_", " ")
    rows = [
        (row["measure"], _figure(row["now"]), _figure(row["then"]), f"{row['change']:+,.4g}")
        for row in run.summary["measures"]
    ]
    return {
        "said": (Said("what_if", {"changes": changes}),),
        "tables": (_table("measures", ("measure", "now", "then", "change"), rows),),
    }


def _replay(store: Any, run: Any, names: Mapping[str, str]) -> dict[str, Any]:
    rows = [
        (
            row["policy"],
            f"{row['visits']:,}",
            f"{row['reached']:,.1f}",
            f"{row['share_reached']:.1%} ({row['low']:.1%} to {row['high']:.1%})",
        )
        for row in run.summary["policies"]
    ]
    return {
        "said": (Said("replay"),),
        "tables": (_table("policies", ("rule", "visits", "reached", "share_of_cases"), rows),),
    }


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.3g}"


def _table(key: str, columns: tuple[str, ...], rows: Iterable[Iterable[Any]]) -> ShownTable:
    cells = tuple(
        tuple(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row) for row in rows
    )
    return ShownTable(key, columns, cells[:MOST_ROWS], len(cells))


_BY_KIND: dict[str, Callable[[Any, Any, Mapping[str, str]], dict[str, Any]]] = {
    "needs": _needs,
    "posts": _posts,
    "caseloads": _caseloads,
    "caseloads_draft": _caseloads,
    "supplies": _supplies,
    "week": _week,
    "district": _district,
    "what_if": _what_if,
    "replay": _replay,
}
