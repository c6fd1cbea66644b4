"""What would change a risk: published effects applied to a person's own baseline.

Only what a person can change, only from trials, and never by moving the inputs of a fitted
model: what goes together with a risk is not what lowers it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from chw_tools.recommendations.conditions import Columns, holds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Features
    from chw_tools.programme.effects import Effect, Effects, SystolicEffect

    Numbers = NDArray[np.float64]

#: At most so many are told to a person at a time (design rule of this project).
MOST = 3
#: What stands for all of the shown ones together.
TOGETHER = "together"
COLUMNS = (
    "person_id",
    "outcome",
    "effect_id",
    "rank",
    "risk",
    "risk_after",
    "risk_after_low",
    "risk_after_high",
    "change",
    "change_low",
    "change_high",
)


class _Relative(NamedTuple):
    """Relative risks: of the estimate, of the greatest and of the least effect."""

    value: float
    most: float
    least: float


def what_would_change(features: Features, risks: pd.DataFrame, *, effects: Effects) -> pd.DataFrame:
    """The few changes that lower each person's risk the most, each alone and all together.

    Parameters
    ----------
    features : Features
        One row per person.
    risks : DataFrame
        As declared in ``RISKS``; only rows that are estimated and hold a probability count.
        Give published scores, and of a model only what may be shown.
    effects : Effects
        Effects with their populations.

    Returns
    -------
    DataFrame
        ``person_id``, ``outcome``, ``effect_id``, ``rank`` from 1, the risk now and after with
        the interval, and the absolute ``change`` (0 or less is never shown) with its interval
        as ``change_low`` and ``change_high``. Where more than one is shown, a row ``together``
        follows: systolic effects are added and capped before they become a risk, so that
        overlapping habits are not counted twice; others are multiplied.
    """
    outcomes = {effect.outcome for effect in effects.effects}
    known = risks[(risks["state"] == "estimated") & risks["risk"].notna()]
    known = known[known["outcome"].isin(outcomes)]
    columns = Columns(features.frame)
    parts = []
    for outcome, rows in known.groupby("outcome", sort=True):
        at = features.frame.index.get_indexer(rows["person_id"])
        here = at >= 0
        risk = rows["risk"].to_numpy(dtype=float)[here]
        parts.append(_of_outcome(str(outcome), columns, at[here], risk, effects))
    if not parts:
        return pd.DataFrame(columns=list(COLUMNS))
    table = pd.concat(parts, ignore_index=True)
    table["person_id"] = features.frame.index.to_numpy()[table.pop("person").to_numpy(dtype=int)]
    return table.sort_values(["person_id", "outcome", "rank"], ignore_index=True)[list(COLUMNS)]


def _of_outcome(
    outcome: str, columns: Columns, at: NDArray[np.intp], risk: Numbers, effects: Effects
) -> pd.DataFrame:
    mine = [effect for effect in effects.effects if effect.outcome == outcome]
    relative = [_relative(effect, effects.systolic) for effect in mine]
    applies = np.array([_is_for(effect, columns)[at] for effect in mine]).reshape(len(mine), -1)
    change = np.array([1 - one.value for one in relative])[:, None] * risk * applies
    # Of equal changes the one that stands first in the file.
    order = np.argsort(-change, axis=0, kind="stable")[:MOST]
    rows: list[pd.DataFrame] = []
    for rank, chosen in enumerate(order, start=1):
        people = np.flatnonzero(np.take_along_axis(change, chosen[None], axis=0)[0] > 0)
        each = [relative[place] for place in chosen[people]]
        names = [mine[place].id for place in chosen[people]]
        rows.append(_rows(outcome, at, risk, people, each, names, rank))
    rows.append(_together(outcome, at, risk, change, order, mine, effects.systolic))
    return pd.concat(rows, ignore_index=True)


def _is_for(effect: Effect, columns: Columns) -> NDArray[np.bool_]:
    mask = np.ones(len(columns), dtype=bool)
    for condition in effect.who:
        mask &= holds(columns, condition)
    for condition in effect.not_for:
        mask &= ~holds(columns, condition)
    return mask


def _relative(effect: Effect, systolic: SystolicEffect) -> _Relative:
    if effect.relative_risk is not None:
        found = effect.relative_risk
        return _Relative(found.value, found.low, found.high)
    lowers = effect.lowers_mmhg
    assert lowers is not None  # noqa: S101 (one of the two is given, by the reader of the file)
    return _of_pressure(systolic, lowers.value, lowers.high, lowers.low)


def _of_pressure(systolic: SystolicEffect, mmhg: float, most: float, least: float) -> _Relative:
    """The relative risk of a lower pressure, by powers: twice the step, twice the effect."""
    per, step = systolic.relative_risk, systolic.per_mmhg
    return _Relative(
        per.value ** (mmhg / step), per.low ** (most / step), per.high ** (least / step)
    )


def _together(
    outcome: str,
    at: NDArray[np.intp],
    risk: Numbers,
    change: Numbers,
    order: NDArray[np.intp],
    effects: list[Effect],
    systolic: SystolicEffect,
) -> pd.DataFrame:
    shown = [
        tuple(int(place) for place in order[:, person] if change[place, person] > 0)
        for person in range(len(risk))
    ]
    people = np.array([p for p, places in enumerate(shown) if len(places) > 1], dtype=np.intp)
    combined = {
        places: _combined([effects[place] for place in places], systolic) for places in set(shown)
    }
    each = [combined[shown[person]] for person in people]
    return _rows(outcome, at, risk, people, each, [TOGETHER] * len(people), MOST + 1)


def _combined(effects: list[Effect], systolic: SystolicEffect) -> _Relative:
    """All effects at once: pressures added and capped, the rest multiplied."""
    most_of = {"habit": systolic.habits_most_mmhg}
    lowered = np.zeros(3)
    for kind in dict.fromkeys(effect.kind for effect in effects):
        some = [e.lowers_mmhg for e in effects if e.kind == kind and e.lowers_mmhg is not None]
        total = (
            np.array([[one.value, one.high, one.low] for one in some]).reshape(-1, 3).sum(axis=0)
        )
        lowered += np.minimum(total, most_of.get(kind, np.inf))
    value, most, least = _of_pressure(systolic, *np.minimum(lowered, systolic.all_most_mmhg))
    for effect in effects:
        if effect.relative_risk is not None:
            found = effect.relative_risk
            value, most, least = value * found.value, most * found.low, least * found.high
    return _Relative(value, most, least)


def _rows(
    outcome: str,
    at: NDArray[np.intp],
    risk: Numbers,
    people: NDArray[np.intp],
    relative: list[_Relative],
    names: list[str],
    rank: int,
) -> pd.DataFrame:
    factors = np.array(relative, dtype=float).reshape(-1, 3)
    now = risk[people]
    after, low, high = (now * factors[:, place] for place in range(3))
    return pd.DataFrame(
        {
            "person": at[people],
            "outcome": outcome,
            "effect_id": names,
            "rank": rank,
            "risk": now,
            "risk_after": after,
            "risk_after_low": low,
            "risk_after_high": high,
            "change": now - after,
            "change_low": now - high,
            "change_high": now - low,
        }
    )
