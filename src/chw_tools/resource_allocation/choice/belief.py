"""The index where the state is seen only at visits: belief by weeks since the last one.

Between visits nobody knows the state; the belief in the good one drifts by the chances of
the unvisited. A visit shows the state and changes what follows. Most people are worth
visiting when the belief has fallen ("forward"); for some a visit does more while the
belief is high ("reverse"), and both are handled.

Source: Mate et al., Collapsing bandits and their application to public health
interventions, NeurIPS 2020 (the model, and forward and reverse thresholds); the discounted
closed form is derived here and held against value iteration in the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from chw_tools.resource_allocation.choice.index import check_discount, check_transitions

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

_ROWS = 8_192
_TINY = 1e-12
#: A person is taken as forward unless the value function says otherwise by more than this.
_SLACK = 1e-9


def belief_after(p: Numbers, state: NDArray[np.int64], weeks: NDArray[np.int64]) -> Numbers:
    """Chance of the good state so many weeks after the visit at which a state was seen.

    Parameters
    ----------
    p : ndarray, shape (n, 2, 2)
        Chance of the good state next: person, state, action.
    state : ndarray of int, shape (n,)
        State seen at the last visit; -1 where the person was never seen, who is then as
        the never visited are in the long run.
    weeks : ndarray of int, shape (n,)
        Weeks since, from 1: the first step follows the visit, the others no visit.
    """
    check_transitions(p)
    if (weeks < 1).any():
        raise ValueError("weeks since the last visit count from 1")
    rho, rest = _drift(p)
    first = p[np.arange(len(p)), np.maximum(state, 0), 1]
    drifted = rest + (first - rest) * rho ** (weeks - 1)
    return np.asarray(np.where(state < 0, rest, drifted))


def belief_index(p: Numbers, belief: Numbers, *, discount: float) -> Numbers:
    """The index of each person at a belief in the good state.

    Parameters
    ----------
    p : ndarray, shape (n, 2, 2)
        Chance of the good state next: person, state (0 bad, 1 good), action.
    belief : ndarray, shape (n,)
        Chance of being in the good state now, see :func:`belief_after`.
    discount : float
        Weight of the next week beside this one, between 0 and 1.

    Returns
    -------
    ndarray, shape (n,)
        In weeks spent in the good state, as :func:`two_state_index` is.
    """
    check_transitions(p)
    check_discount(discount)
    if not ((belief >= 0) & (belief <= 1)).all():
        raise ValueError("a belief lies outside 0 to 1, or is missing")
    index = np.empty(len(p))
    for start in range(0, len(p), _ROWS):
        part = slice(start, start + _ROWS)
        index[part] = _index(np.asarray(p[part], dtype=np.float64), belief[part], discount)
    return index


def _index(p: Numbers, x: Numbers, b: float) -> Numbers:
    forward = _Threshold.of(p, x, b, _weeks_down)
    index = forward.index(x)
    wrong = forward.contradiction(index, low_is_visited=True)
    doubtful = np.flatnonzero(wrong > _SLACK)
    if len(doubtful):
        reverse = _Threshold.of(p[doubtful], x[doubtful], b, _weeks_up)
        other = reverse.index(x[doubtful])
        less = reverse.contradiction(other, low_is_visited=False) < wrong[doubtful]
        index[doubtful] = np.where(less, other, index[doubtful])
    return index


def _drift(p: Numbers) -> tuple[Numbers, Numbers]:
    """How much of a difference in belief is left a week later, and where belief comes to rest."""
    rho = np.minimum(p[:, 1, 0] - p[:, 0, 0], 1.0 - _TINY)
    return rho, np.clip(p[:, 0, 0] / (1.0 - rho), 0.0, 1.0)


def _weeks_down(start: Numbers, x: Numbers, rho: Numbers, rest: Numbers) -> Numbers:
    """Weeks without a visit until the belief is at most ``x``; infinite where it never is."""
    return _weeks(start - rest, x - rest, rho)


def _weeks_up(start: Numbers, x: Numbers, rho: Numbers, rest: Numbers) -> Numbers:
    """Weeks without a visit until the belief is at least ``x``; infinite where it never is."""
    return _weeks(rest - start, rest - x, rho)


def _weeks(above: Numbers, limit: Numbers, rho: Numbers) -> Numbers:
    """Steps until ``above`` times a power of ``rho`` is at most ``limit``."""
    share = np.divide(limit, above, out=np.ones_like(above), where=(above > limit) & (limit > 0))
    size = np.log(np.maximum(rho, 1e-300))
    weeks = np.where(limit > 0, np.maximum(np.ceil(np.log(share) / size), 1.0), np.inf)
    # With a negative drift the belief swings; the first swing goes farthest.
    swings = np.where(above * rho <= limit, 1.0, np.inf)
    weeks = np.where(rho > 0, weeks, swings)
    return np.where(above <= limit, 0.0, weeks)


@dataclass(frozen=True)
class _Path:
    """From a belief without visits until the threshold, then a visit.

    Its value is ``earned + subsidy * weeks_paid + left * (good V1 + (1 - good) V0)``.
    """

    earned: Numbers
    paid: Numbers
    left: Numbers
    good: Numbers


@dataclass(frozen=True)
class _Threshold:
    """A threshold rule at each person's own belief: values are linear in the subsidy.

    ``bad`` and ``fine`` are the two parts (earned, paid) of the value after a visit at
    which the bad or the good state was seen.
    """

    p: Numbers
    x: Numbers
    b: float
    weeks: Callable[[Numbers, Numbers, Numbers, Numbers], Numbers]
    rho: Numbers
    rest: Numbers
    bad: tuple[Numbers, Numbers]
    fine: tuple[Numbers, Numbers]

    @classmethod
    def of(
        cls,
        p: Numbers,
        x: Numbers,
        b: float,
        weeks: Callable[[Numbers, Numbers, Numbers, Numbers], Numbers],
    ) -> _Threshold:
        rho, rest = _drift(p)
        empty = (x, x)
        rule = cls(p, x, b, weeks, rho, rest, empty, empty)
        bad, fine = rule.path(p[:, 0, 1]), rule.path(p[:, 1, 1])
        stays_bad, turns_good = bad.left * (1.0 - bad.good), bad.left * bad.good
        turns_bad, stays_good = fine.left * (1.0 - fine.good), fine.left * fine.good
        det = (1.0 - stays_bad) * (1.0 - stays_good) - turns_good * turns_bad
        value_bad = [
            ((1.0 - stays_good) * a0 + turns_good * a1) / det
            for a0, a1 in ((bad.earned, fine.earned), (bad.paid, fine.paid))
        ]
        value_fine = [
            (turns_bad * a0 + (1.0 - stays_bad) * a1) / det
            for a0, a1 in ((bad.earned, fine.earned), (bad.paid, fine.paid))
        ]
        return cls(
            p, x, b, weeks, rho, rest, (value_bad[0], value_bad[1]), (value_fine[0], value_fine[1])
        )

    def path(self, start: Numbers) -> _Path:
        """The path from a belief under the rule."""
        weeks = self.weeks(start, self.x, self.rho, self.rest)
        left = np.power(self.b, weeks)
        shrunk = np.where(np.isinf(weeks), 0.0, _power(self.rho, weeks))
        away = start - self.rest
        good = self.rest + away * shrunk
        paid = (1.0 - left) / (1.0 - self.b)
        earned = self.rest * paid + away * (1.0 - left * shrunk) / (1.0 - self.b * self.rho)
        return _Path(earned + left * good, paid, self.b * left, good)

    def ahead(self, belief: Numbers) -> tuple[Numbers, Numbers]:
        """Value after a visit at a belief, the two parts."""
        return (
            belief * self.fine[0] + (1.0 - belief) * self.bad[0],
            belief * self.fine[1] + (1.0 - belief) * self.bad[1],
        )

    def gain(self, belief: Numbers) -> tuple[Numbers, Numbers]:
        """By how much a visit beats none at a belief: a part without and one per subsidy."""
        path = self.path(self.rest + (belief - self.rest) * self.rho)
        now, later = self.ahead(belief), self.ahead(path.good)
        without = self.b * (now[0] - path.earned - path.left * later[0])
        per_subsidy = self.b * (now[1] - path.paid - path.left * later[1]) - 1.0
        return without, per_subsidy

    def index(self, belief: Numbers) -> Numbers:
        """The subsidy at which a visit and none are as good."""
        without, per_subsidy = self.gain(belief)
        safe = np.where(np.abs(per_subsidy) < _TINY, -_TINY, per_subsidy)
        return np.asarray(-without / safe)

    def contradiction(self, subsidy: Numbers, *, low_is_visited: bool) -> Numbers:
        """How far the value function contradicts the rule at the ends of what is believed."""
        heads = [self.p[:, 0, 1], self.p[:, 1, 1], self.rest, self.x]
        low, high = np.minimum.reduce(heads), np.maximum.reduce(heads)
        at_low, at_high = (
            without + subsidy * per for without, per in (self.gain(low), self.gain(high))
        )
        if not low_is_visited:
            at_low, at_high = at_high, at_low
        return np.maximum(-at_low, 0.0) + np.maximum(at_high, 0.0)


def _power(base: Numbers, exponent: Numbers) -> Numbers:
    finite = np.where(np.isinf(exponent), 0.0, exponent)
    return np.asarray(np.power(base, finite))
