"""What a visit this week is worth: four steps of a ladder, each asking more of the data.

1. Risk times declared effect, by stratum (:func:`risk_times_effect`): the default.
2. The index of a two-state person whose state is seen weekly (:func:`index_benefit`).
3. The index at the belief since the last visit (:func:`belief_benefit`).
4. A forecaster of one's own (:class:`Forecaster`).

Whoever is not known counts as the average: not known is not low.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from chw_tools.resource_allocation.choice.belief import belief_after, belief_index
from chw_tools.resource_allocation.choice.index import myopic_gain, two_state_index

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from chw_tools.programme import VisitEffect
    from chw_tools.resource_allocation.choice.transitions import Transitions

    Numbers = NDArray[np.float64]

#: Weight of the next week beside this one: a good year counts about as much as its half
#: (a decision of this project; the order hardly depends on it between .9 and .99).
WEEKLY_DISCOUNT = 0.95


class Forecaster(Protocol):
    """Anything that says what a visit to each person this week is worth."""

    def __call__(self, people: pd.DataFrame, *, as_of: pd.Timestamp) -> pd.Series:
        """Value by the index of ``people``, not negative; missing is taken as the average."""


def risk_times_effect(
    risk: pd.Series,
    *,
    effect: VisitEffect,
    stratum: pd.Series | None = None,
    by_stratum: Mapping[str, VisitEffect] | None = None,
) -> pd.Series:
    """Risk times the share of it that a visit takes away.

    Parameters
    ----------
    risk : Series
        Calibrated probability by person, missing where not known.
    effect : VisitEffect
        Declared effect for everybody.
    stratum : Series, optional
        Stratum of each person.
    by_stratum : mapping, optional
        Declared effects that differ by stratum. Each is drawn towards ``effect`` as far as
        its own interval is wider than the difference (see Notes).

    Notes
    -----
    Shrinkage on the log relative risk with the variances that the intervals imply: a
    stratum's effect that is little surer than the whole's hardly moves. With ``v`` the
    variance of the stratum's estimate and ``d`` its difference from the whole, the weight
    of its own is ``d^2 / (d^2 + v)``.
    """
    reduction = pd.Series(effect.reduction, index=risk.index)
    if stratum is not None and by_stratum:
        shrunk = {name: 1.0 - _shrunken(own, effect) for name, own in by_stratum.items()}
        named = stratum.map(shrunk).astype("float64").clip(lower=0.0)
        reduction = named.fillna(reduction)
    return _filled(risk) * reduction


def _shrunken(own: VisitEffect, whole: VisitEffect) -> float:
    """A stratum's relative risk, drawn towards the whole's."""
    tiny = 1e-6
    ours, theirs = np.log(max(own.relative_risk, tiny)), np.log(max(whole.relative_risk, tiny))
    # A 95 % interval spans 3.92 standard errors.
    error = (np.log(max(own.high, tiny)) - np.log(max(own.low, tiny))) / 3.92
    difference = ours - theirs
    weight = difference**2 / (difference**2 + error**2) if difference else 0.0
    return float(np.exp(theirs + weight * difference))


def index_benefit(
    stratum: pd.Series,
    is_good: pd.Series,
    *,
    transitions: Transitions,
    weight: pd.Series,
    discount: float = WEEKLY_DISCOUNT,
) -> pd.Series:
    """Weight times index where the state is seen weekly, as far as the data carry it.

    Between the next step's gain and the index, by :attr:`Transitions.trust`: the gain alone
    while data are thin, the index where they are many.

    Parameters
    ----------
    stratum, is_good : Series
        By person; a state that is not known counts as the mean of both.
    transitions : Transitions
        Estimated chances, and how far they can be trusted.
    weight : Series
        What a week in the good state is worth, by person.
    """
    p = transitions.of(stratum)
    index, gain = (score(p, discount=discount) for score in (two_state_index, myopic_gain))
    both = _trusted(index, gain, transitions.trust)
    known = is_good.astype("boolean")
    at = known.fillna(False).to_numpy(dtype=np.int64)
    own = np.where(known.isna(), both.mean(axis=1), both[np.arange(len(p)), at])
    return pd.Series(own, index=stratum.index) * _filled(weight)


def belief_benefit(
    stratum: pd.Series,
    last_was_good: pd.Series,
    weeks_unseen: pd.Series,
    *,
    transitions: Transitions,
    weight: pd.Series,
    discount: float = WEEKLY_DISCOUNT,
) -> pd.Series:
    """Weight times index at the belief since the last visit, as far as the data carry it.

    See :func:`belief_index`, and :func:`index_benefit` for how far that is.

    Parameters
    ----------
    last_was_good : Series
        State seen at the last visit; missing for whoever was never seen.
    weeks_unseen : Series
        Weeks since then, from 1; missing for whoever was never seen.
    """
    p = transitions.of(stratum)
    known = last_was_good.astype("boolean")
    never = (known.isna() | weeks_unseen.isna()).to_numpy()
    state = np.where(never, -1, known.fillna(False).to_numpy(dtype=np.int64))
    weeks = weeks_unseen.fillna(1).clip(lower=1).to_numpy(dtype=np.int64)
    belief = belief_after(p, state, weeks)
    both = myopic_gain(p, discount=discount)
    gain = belief * both[:, 1] + (1.0 - belief) * both[:, 0]
    index = belief_index(p, belief, discount=discount) if transitions.is_enough else gain
    score = _trusted(index, gain, transitions.trust)
    return pd.Series(score, index=stratum.index) * _filled(weight)


def _trusted(index: Numbers, gain: Numbers, trust: float) -> Numbers:
    """Between gain and index on the scale of logarithms; nothing where one of them is nothing."""
    index, gain = np.maximum(index, 0.0), np.maximum(gain, 0.0)
    return np.asarray(gain ** (1.0 - trust) * index**trust)


def forecast_benefit(
    people: pd.DataFrame, forecaster: Forecaster, *, as_of: pd.Timestamp
) -> pd.Series:
    """What a forecaster says, checked: one value each, not negative.

    Raises
    ------
    ValueError
        If it leaves somebody out or gives a negative value.
    """
    value = forecaster(people, as_of=as_of)
    if not value.index.equals(people.index):
        raise ValueError("a forecaster must give one value for each person, in their order")
    if (value < 0).any():
        raise ValueError("a forecaster may not give a negative value")
    return _filled(value.astype("float64"))


def _filled(values: pd.Series) -> pd.Series:
    known = values.dropna()
    return values.fillna(float(known.mean()) if len(known) else 0.0)
