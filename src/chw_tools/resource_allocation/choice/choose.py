"""Whom to visit this week: what must be, then what is owed, then what does the most good.

1. **Required** visits (danger signs, guideline steps due) are always in, even beyond the
   minutes there are, and the plan then says so.
2. **Owed** visits: whoever was not seen for so many weeks, longest first.
3. **Floors**: at least so many visits to a group or a village.
4. The rest by value for its minutes, exactly, for each worker.

Whoever is left out is listed with the reason, and who was put in their place. Nobody at or
above the absolute risk floor is left out without being named.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.resource_allocation.choice.floors import (
    added_value,
    bound_of,
    floor_weights,
    regret_of,
)
from chw_tools.resource_allocation.choice.knapsack import best_fit
from chw_tools.resource_allocation.choice.problem import (
    BENEFIT,
    EXPLORED,
    FLOOR,
    OWED,
    REQUIRED,
    Choice,
    ChoiceProblem,
    Floor,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chw_tools.resource_allocation.solving import Stop

    Numbers = NDArray[np.float64]


def choose(problem: ChoiceProblem, stop: Stop, *, seed: int = 0) -> Choice:
    """Choose this week's visits.

    Parameters
    ----------
    problem : ChoiceProblem
    stop : Stop
        Limits the search for the weights of the floors; a choice is always given.
    seed : int
        For visits drawn by chance, where the programme has them.
    """
    began = time.perf_counter()
    table, notes = _prepared(problem)
    because = pd.Series(None, index=table.index, dtype="object")
    left = problem.minutes.reindex(table["worker_id"].dropna().unique()).fillna(0.0)
    week = _Week(table, np.floor(left).astype("int64"), because)
    week.take_required()
    week.take_owed(problem.most_weeks_unseen)
    week.explore(problem.explore_share, seed)
    deadline = began + stop.seconds
    bound = week.take_best(problem.floors, deadline, stop.iterations)
    why_not = (*week.over_full(), *week.unkept(problem))
    reached = float(table.loc[week.because.notna(), "value"].sum())
    bound = max(bound, reached)
    displaced = _displaced(problem, table, week)
    left_out = _left_out(problem, table, week, displaced)
    chosen = table.loc[week.because.notna(), ["worker_id", "value", "minutes"]]
    return Choice(
        chosen=chosen.assign(because=week.because[chosen.index]),
        left_out=left_out,
        value=reached,
        bound=bound,
        gap=1.0 - reached / bound if bound > 0 else 0.0,
        is_feasible=not why_not,
        why_not=why_not,
        seconds=time.perf_counter() - began,
        notes=(*notes, *_above_floor_note(left_out, problem.risk_floor)),
    )


def price_of_floors(problem: ChoiceProblem, stop: Stop, *, seed: int = 0) -> pd.DataFrame:
    """What each floor costs: the value gained if it alone were given up.

    Returns
    -------
    DataFrame
        ``floor``, ``value_lost``, ``share_lost`` (of the value without it), ``visits_moved``.
    """
    columns = ["floor", "value_lost", "share_lost", "visits_moved"]
    without = _without_each(problem)
    if not without:
        return pd.DataFrame([], columns=columns)
    whole = choose(problem, stop, seed=seed)
    rows = []
    for label, other in without:
        free = choose(other, stop, seed=seed)
        lost = max(0.0, free.value - whole.value)
        rows.append(
            {
                "floor": label,
                "value_lost": lost,
                "share_lost": lost / free.value if free.value > 0 else 0.0,
                "visits_moved": len(whole.chosen.index.difference(free.chosen.index)),
            }
        )
    return pd.DataFrame(rows, columns=columns)


def _without_each(problem: ChoiceProblem) -> list[tuple[str, ChoiceProblem]]:
    found = [
        (floor.label, replace(problem, floors=tuple(f for f in problem.floors if f != floor)))
        for floor in problem.floors
    ]
    if problem.most_weeks_unseen is not None:
        label = f"seen within {problem.most_weeks_unseen:g} weeks"
        found.append((label, replace(problem, most_weeks_unseen=None)))
    return found


def _prepared(problem: ChoiceProblem) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The table without doubles, with whole minutes and a value for everybody."""
    table = problem.people
    notes = []
    twice = table.index.duplicated()
    if twice.any():
        notes.append(f"{int(twice.sum())} rows name somebody already listed; the first counts.")
        table = table[~twice]
    known = table["value"].dropna()
    if len(known) < len(table):
        notes.append(f"{len(table) - len(known)} without a value count as the average.")
    average = float(known.mean()) if len(known) else 0.0
    known_minutes = table["minutes"].dropna()
    usual = float(known_minutes.median()) if len(known_minutes) else 1.0
    table = table.assign(
        value=table["value"].fillna(average).clip(lower=0.0),
        minutes=np.ceil(table["minutes"].fillna(usual).clip(lower=1.0)).astype("int64"),
        is_required=_flags(table, "is_required"),
    )
    return table, tuple(notes)


def _flags(table: pd.DataFrame, name: str) -> pd.Series:
    if name not in table:
        return pd.Series(False, index=table.index)
    return table[name].fillna(False).astype(bool)


@dataclass
class _Week:
    """The choice as it grows: minutes left by worker, and why each is in."""

    table: pd.DataFrame
    left: pd.Series
    because: pd.Series

    def _take(self, keys: pd.Index, why: str) -> None:
        self.because[keys] = why
        used = self.table.loc[keys].groupby("worker_id")["minutes"].sum()
        self.left = self.left.sub(used, fill_value=0).astype("int64")

    def _open(self) -> pd.DataFrame:
        return self.table[self.because.isna() & self.table["worker_id"].notna()]

    def take_required(self) -> None:
        must = self._open()
        self._take(must.index[must["is_required"]], REQUIRED)

    def take_owed(self, weeks: float | None) -> None:
        """Whoever was unseen too long, longest first, as far as the minutes go."""
        if weeks is None or "weeks_unseen" not in self.table:
            return
        owed = self._open()
        # Never seen is longest unseen.
        unseen = owed["weeks_unseen"].fillna(np.inf)
        owed = owed.assign(weeks_unseen=unseen)[unseen >= weeks]
        self._take_in_order(owed.sort_values(["weeks_unseen", "value"], ascending=False), OWED)

    def _take_in_order(self, rows: pd.DataFrame, why: str) -> None:
        left = self.left.to_dict()
        taken = []
        for key, worker, cost in zip(rows.index, rows["worker_id"], rows["minutes"], strict=True):
            if cost <= left[worker]:
                taken.append(key)
                left[worker] -= cost
        self._take(pd.Index(taken), why)

    def explore(self, share: float, seed: int) -> None:
        """A few drawn by chance, each worker the same share of the minutes left."""
        if not share:
            return
        rows = self._open().sample(frac=1.0, random_state=seed)
        room = np.floor(self.left.clip(lower=0) * share)
        used = rows.groupby("worker_id")["minutes"].cumsum()
        fits = used <= rows["worker_id"].map(room).to_numpy()
        self._take(rows.index[fits], EXPLORED)

    def take_best(self, floors: tuple[Floor, ...], deadline: float, iterations: int) -> float:
        """The most value in the minutes left that keeps the floors; gives an upper bound."""
        base = float(self.table.loc[self.because.notna(), "value"].sum())
        rows, short = self._open(), self._short(floors)
        extra = floor_weights(rows, self.left, short, deadline, iterations)
        raised = rows["value"].to_numpy() + added_value(rows, extra)
        bound = base + bound_of(rows, raised, self.left, extra, short)
        self._fill_floors(regret_of(rows, raised, self.left), rows, floors)
        rows = self._open()
        keys = []
        for worker, at in rows.groupby("worker_id", sort=True).indices.items():
            part = rows.iloc[at]
            fits = best_fit(
                part["value"].to_numpy(), part["minutes"].to_numpy(), max(int(self.left[worker]), 0)
            )
            keys.extend(part.index[fits])
        self._take(pd.Index(keys), BENEFIT)
        return bound

    def _short(self, floors: tuple[Floor, ...]) -> dict[Floor, int]:
        """How many visits each floor still wants."""
        seen = self.table[self.because.notna()]
        return {f: max(0, f.visits - int((seen[f.group] == f.name).sum())) for f in floors}

    def _fill_floors(self, regret: Numbers, rows: pd.DataFrame, floors: tuple[Floor, ...]) -> None:
        """The visits that floors ask for, first where the least other good is given up."""
        order = np.argsort(-regret, kind="stable")
        rows = rows.iloc[order]
        for floor in sorted(floors, key=lambda f: (f.group, f.name)):
            wanted = self._short((floor,))[floor]
            if wanted:
                is_open = self.because[rows.index].isna().to_numpy()
                self._take_first(rows[is_open & (rows[floor.group] == floor.name)], wanted)

    def _take_first(self, rows: pd.DataFrame, wanted: int) -> None:
        left = self.left.to_dict()
        taken: list[object] = []
        for key, worker, cost in zip(rows.index, rows["worker_id"], rows["minutes"], strict=True):
            if len(taken) == wanted:
                break
            if cost <= left[worker]:
                taken.append(key)
                left[worker] -= cost
        self._take(pd.Index(taken), FLOOR)

    def over_full(self) -> tuple[str, ...]:
        full = self.left[self.left < 0]
        return tuple(
            f"worker {worker}: required visits take {-minutes} minutes more than there are"
            for worker, minutes in full.items()
        )

    def unkept(self, problem: ChoiceProblem) -> tuple[str, ...]:
        """Duties that could not be kept."""
        said = [
            f"floor of {floor.label} visits: {short} missing"
            for floor, short in self._short(problem.floors).items()
            if short
        ]
        open_ = self.table[self.because.isna()]
        nobody = int((open_["is_required"]).sum())
        if nobody:
            said.append(f"{nobody} required visits have no worker")
        if problem.most_weeks_unseen is not None and "weeks_unseen" in open_:
            unseen = open_["weeks_unseen"].fillna(np.inf) >= problem.most_weeks_unseen
            if unseen.any():
                said.append(
                    f"{int(unseen.sum())} not seen for {problem.most_weeks_unseen:g} weeks "
                    "do not fit into the minutes"
                )
        return tuple(said)


def _displaced(problem: ChoiceProblem, table: pd.DataFrame, week: _Week) -> pd.Index:
    """Who would be in if value alone decided."""
    duties = week.because.isin([REQUIRED, OWED, FLOOR, EXPLORED])
    if not duties.any():
        return table.index[:0]
    full = problem.minutes.reindex(week.left.index).fillna(0.0)
    free = _Week(
        table, np.floor(full).astype("int64"), pd.Series(None, index=table.index, dtype="object")
    )
    free.take_best((), np.inf, 0)
    return table.index[free.because.notna() & week.because.isna()]


def _left_out(
    problem: ChoiceProblem, table: pd.DataFrame, week: _Week, displaced: pd.Index
) -> pd.DataFrame:
    out = table[week.because.isna()].sort_values(["worker_id", "value"], ascending=[True, False])
    in_line = out.groupby("worker_id").cumcount() + 1
    is_displaced = out.index.isin(displaced)
    room = out["worker_id"].map(problem.minutes.clip(lower=0)).astype("float64").fillna(0.0)
    taker = _takers(table, week)
    by = out["worker_id"].map(taker).astype("object").fillna("other duties")
    reason = np.select(
        [out["worker_id"].isna(), room <= 0, out["minutes"] > room, is_displaced],
        [
            "No worker looks after them.",
            "The worker has no minutes this week.",
            "Takes more minutes than the worker has this week.",
            "Displaced by " + by + ".",
        ],
        default="Others do more good for the minutes; number "
        + in_line.astype(str).astype("object")
        + " in line.",
    )
    risk = out["risk"] if "risk" in out else pd.Series(np.nan, index=out.index)
    above = (risk >= problem.risk_floor) if problem.risk_floor is not None else risk > np.inf
    above = above.fillna(False).to_numpy(dtype=bool)
    reason = np.where(above, "ABOVE THE RISK FLOOR, decide by hand: " + reason, reason)
    return pd.DataFrame(
        {
            "worker_id": out["worker_id"],
            "value": out["value"],
            "reason": reason,
            "is_above_risk_floor": above,
            "is_displaced": is_displaced,
        }
    )


def _takers(table: pd.DataFrame, week: _Week) -> pd.Series:
    """In whose favour each worker's minutes went, beyond value."""
    words = {REQUIRED: "required", OWED: "owed", FLOOR: "floor", EXPLORED: "drawn by chance"}
    duty = week.because.map(words)
    rows = pd.DataFrame({"worker_id": table["worker_id"], "duty": duty}).dropna()
    if not len(rows):
        return pd.Series({}, dtype="object")
    counted = rows.groupby(["worker_id", "duty"]).size()
    said = counted.reset_index(name="n")
    text = said["n"].astype(str).astype("object") + " " + said["duty"].astype("object")
    return text.groupby(said["worker_id"]).agg(", ".join) + " visits"


def _above_floor_note(left_out: pd.DataFrame, risk_floor: float | None) -> tuple[str, ...]:
    n = int(left_out["is_above_risk_floor"].sum())
    if risk_floor is None or not n:
        return ()
    return (f"{n} at or above a risk of {risk_floor:g} are not in; they are listed first.",)
