"""The index: what a visit now is worth over the time to come, for one person among many.

A person is in a good or a bad state; a visit changes the chance of the good state at the
next step. Of all rules that score people one by one, the index (Whittle 1988) comes
nearest to the best use of few visits among many people. Where the state is seen only at
visits, see :mod:`chw_tools.resource_allocation.choice.belief`.

>>> import numpy as np
>>> p = np.array([[[0.2, 0.6], [0.7, 0.8]]])  # chance of good next: [state][not visited, visited]
>>> two_state_index(p, discount=0.95).round(3).tolist()
[[0.724, 0.145]]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

#: Halvings of the bracket in :func:`finite_index`; the bracket shrinks below 1e-12.
_HALVINGS = 60
#: Rows worked on at a time: what is at hand then stays in the processor's cache.
_ROWS = 16_384


def check_transitions(p: Numbers) -> None:
    """Refuse what is no chance of the good state by state and action.

    Raises
    ------
    ValueError
        If the shape is not ``(n, 2, 2)`` or a chance is missing or outside 0 to 1.
    """
    if p.ndim != 3 or p.shape[1:] != (2, 2):
        raise ValueError("transitions must have the shape (n, 2, 2): person, state, action")
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("a chance lies outside 0 to 1, or is missing")


def check_discount(discount: float) -> None:
    """Refuse a discount at which the future would weigh nothing or without end.

    Raises
    ------
    ValueError
        If it does not lie between 0 and 1.
    """
    if not 0.0 < discount < 1.0:
        raise ValueError("the discount must lie between 0 and 1")


def two_state_index(p: Numbers, *, discount: float) -> Numbers:
    """The index of each person in either state, in closed form.

    Parameters
    ----------
    p : ndarray, shape (n, 2, 2)
        Chance of the good state at the next step: person, state (0 bad, 1 good), action
        (0 not visited, 1 visited).
    discount : float
        Weight of the next step beside this one, between 0 and 1.

    Returns
    -------
    ndarray, shape (n, 2)
        Index in the bad and in the good state, in steps spent in the good state; times the
        person's weight it is what a visit now is worth.

    Raises
    ------
    ValueError
        If ``p`` or ``discount`` is not what is asked for.

    Notes
    -----
    At the index of the state in which a visit does more, not visiting is as good in both
    states, so one more good state now is worth ``1 / (1 - b (p[1,0] - p[0,0]))``; at the
    index of the other, visiting is as good in both.

    Source: Whittle, J Appl Probab 1988;25A:287 (the index); the closed form is derived
    here and held against bisection on the subsidy in the tests.
    """
    check_transitions(p)
    check_discount(discount)
    index = np.empty((len(p), 2))
    for start in range(0, len(p), _ROWS):
        part = slice(start, start + _ROWS)
        index[part] = _two_state(p[part], discount)
    return index


def _two_state(p: Numbers, b: float) -> Numbers:
    gain = p[:, :, 1] - p[:, :, 0]
    kept = b / (1.0 - b * (p[:, 1] - p[:, 0]))  # columns: never visited, always visited
    is_larger = gain[:, 1] > gain[:, 0]
    worth = np.empty_like(gain)
    worth[:, 0] = np.where(is_larger, kept[:, 1], kept[:, 0])
    worth[:, 1] = np.where(is_larger, kept[:, 0], kept[:, 1])
    return np.asarray(gain * worth)


def myopic_gain(p: Numbers, *, discount: float) -> Numbers:
    """What a visit does to the next step alone, in either state; shape ``(n, 2)``."""
    check_transitions(p)
    check_discount(discount)
    return np.asarray(discount * (p[:, :, 1] - p[:, :, 0]))


def finite_index(transitions: Numbers, reward: Numbers, *, discount: float) -> Numbers:
    """The index of each person in each of a few states, by halving the subsidy.

    Parameters
    ----------
    transitions : ndarray, shape (n, states, 2, states)
        Chance of each next state by person, state and action (0 not visited, 1 visited).
    reward : ndarray, shape (n, states)
        What each state is worth at a step.
    discount : float
        Weight of the next step, between 0 and 1.

    Returns
    -------
    ndarray, shape (n, states)
        The subsidy for not visiting at which both are as good. Where no such subsidy is
        unique (the person is not indexable) one of them.
    """
    check_discount(discount)
    n, states = reward.shape
    most = 2.0 * np.abs(reward).max(initial=1.0) / (1.0 - discount)
    index = np.empty((n, states))
    for state in range(states):
        low, high = np.full(n, -most), np.full(n, most)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2.0
            gain = _visit_gain(transitions, reward, middle, discount)[:, state]
            low, high = np.where(gain > 0, middle, low), np.where(gain > 0, high, middle)
        index[:, state] = (low + high) / 2.0
    return index


def _visit_gain(transitions: Numbers, reward: Numbers, subsidy: Numbers, b: float) -> Numbers:
    """By how much visiting beats not visiting in each state under a subsidy (policy iteration)."""
    n, states = reward.shape
    visited = np.zeros((n, states), dtype=bool)
    for _ in range(2**states + 1):
        chosen = np.where(visited[:, :, None], transitions[:, :, 1], transitions[:, :, 0])
        earned = reward + np.where(visited, 0.0, subsidy[:, None])
        value = np.linalg.solve(np.eye(states) - b * chosen, earned[:, :, None])
        ahead = b * np.einsum("isat,itk->isa", transitions, value)
        gain = ahead[:, :, 1] - ahead[:, :, 0] - subsidy[:, None]
        better = gain > 1e-13
        if (better == visited).all():
            break
        visited = better
    return np.asarray(gain)
