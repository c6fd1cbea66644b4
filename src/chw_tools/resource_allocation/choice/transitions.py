"""What a visit does, from visit history: chances of the good state by stratum, shrunken.

A *step* is one person from one week to the next: the state before, whether visited, the
state after. Strata with few visits borrow from all; below :data:`ENOUGH_VISITED` visits in
a stratum its index would follow noise, and the choice stays with the next step's benefit.
From there on the index counts the more, the more visits there were.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

#: Steps after a visit that a stratum needs before the index may replace the next step's
#: benefit (planning design of this project; below it the index was not better by simulation).
ENOUGH_VISITED = 30
#: Visits of the thinnest stratum at which the index counts half, in logarithms, beside the
#: next step's gain.
#: A decision of this project, from simulation (benchmarks/planning_choice.py): the index
#: multiplies a visit's gain, and the error in it, by how long a good state lasts. With about so
#: many visits the whole index lost up to four points against the gain alone where an error fell
#: on a stratum that lasts; halfway it lost at most one, and kept most of what it brings.
HALF_TRUSTED = 100
#: A stratum's own steps weigh against so many borrowed ones, at least and at most.
_BORROWED = (4.0, 400.0)
_INTERVAL = (0.05, 0.95)
#: Log odds ratios of a visit lie within this; halvings until they are known to 1e-12.
_WIDEST, _HALVINGS = 20.0, 50
_REST = "(rest)"
_STEP = ("stratum", "state", "is_visited", "next_state")


@dataclass(frozen=True)
class Transitions:
    """Chances of the good state next, by stratum, with what they rest on.

    Parameters
    ----------
    p, low, high : ndarray, shape (strata, 2, 2)
        Estimate and 90 % interval by stratum, state, action.
    n : ndarray of int, shape (strata, 2, 2)
        Steps of the stratum's own.
    strata : tuple of str
        Names; the thin ones together, and whoever is of none, stand as ``(rest)``, the last.
    """

    p: Numbers
    low: Numbers
    high: Numbers
    n: NDArray[np.int64]
    strata: tuple[str, ...]

    @property
    def is_enough(self) -> bool:
        """Whether every stratum that was seen has visits enough for the index."""
        seen = self.n.sum(axis=(1, 2)) > 0
        visited = self.n[:, :, 1].sum(axis=1)
        return bool(seen.any() and (visited[seen] >= ENOUGH_VISITED).all())

    @property
    def trust(self) -> float:
        """How far the index counts beside the next step's gain, from 0 to 1.

        One for all, by the stratum with the fewest visits: strata compete on one scale.
        """
        if not self.is_enough:
            return 0.0
        visited = self.n[self.n.sum(axis=(1, 2)) > 0, :, 1].sum(axis=1)
        return float(visited.min() / (visited.min() + HALF_TRUSTED))

    def of(self, stratum: pd.Series) -> Numbers:
        """The chances of each person, shape ``(n, 2, 2)``; an unknown stratum gets the rest's."""
        at = pd.Index(self.strata).get_indexer(pd.Index(stratum.astype("object")))
        return self.p[np.where(at < 0, len(self.strata) - 1, at)]

    def table(self) -> pd.DataFrame:
        """One row per stratum that was seen, state and action, for people to read."""
        rows = [
            {
                "stratum": name,
                "state": ("bad", "good")[state],
                "is_visited": bool(action),
                "n_steps": int(self.n[at, state, action]),
                "p_good_next": float(self.p[at, state, action]),
                "low": float(self.low[at, state, action]),
                "high": float(self.high[at, state, action]),
            }
            for at, name in enumerate(self.strata)
            if name != _REST or self.n[at].sum() or len(self.strata) == 1
            for state in (0, 1)
            for action in (0, 1)
        ]
        return pd.DataFrame(rows)


def steps_from_weeks(weeks: pd.DataFrame) -> pd.DataFrame:
    """Steps from a table of person-weeks, of those seen in two weeks running.

    Parameters
    ----------
    weeks : DataFrame
        ``person_id``, ``week`` (whole number), ``stratum``, ``is_good`` (missing where the
        state was not seen), ``is_visited``.

    Returns
    -------
    DataFrame
        ``stratum``, ``state``, ``is_visited``, ``next_state``. A step between weeks that
        were not both seen is left out: what lies between is not known.
    """
    seen = weeks[weeks["is_good"].notna()].sort_values(["person_id", "week"])
    after = seen.groupby("person_id")[["week", "is_good"]].shift(-1)
    follows = (after["week"] - seen["week"]) == 1
    frame = pd.DataFrame(
        {
            "stratum": seen["stratum"].astype("object"),
            "state": seen["is_good"].astype("float64"),
            "is_visited": seen["is_visited"].astype("float64"),
            "next_state": after["is_good"].astype("float64"),
        }
    )[follows]
    whole = {"state": "int64", "is_visited": "int64", "next_state": "int64"}
    return frame.astype(whole).reset_index(drop=True)


def estimate_transitions(steps: pd.DataFrame) -> Transitions:
    """Chances by stratum, shrunken to those of all strata together.

    Parameters
    ----------
    steps : DataFrame
        ``stratum``, ``state``, ``is_visited``, ``next_state`` (0 or 1), one row per step.

    Returns
    -------
    Transitions
        Strata with fewer than :data:`ENOUGH_VISITED` visits are taken together.

    Raises
    ------
    ValueError
        If a column is missing.

    Notes
    -----
    Empirical Bayes with a beta prior, whose strength follows from how far the strata differ
    from it beyond chance (Kleinman, JASA 1973;68:46). Without a visit the prior lies around
    the chance of all. After a visit it lies where the stratum would be if visits did the same
    to the odds everywhere: what strata share is what a visit does, not where they end. Where
    no visit was made in a state, none is taken to do anything there.
    A difference between visited and unvisited is causal only where visits were not steered by
    what decides the outcome: compare like with like, or randomise a part.
    """
    missing = set(_STEP) - set(steps.columns)
    if missing:
        raise ValueError(f"the steps lack {sorted(missing)}")
    names, good, n = _counts(_thin_together(steps))
    alone = _posterior(good[..., 0], n[..., 0], _of_all(good[..., 0], n[..., 0]))
    alike = _at_one_odds_ratio(good[..., 1], n[..., 1], alone[0] / (alone[0] + alone[1]))
    visited = _posterior(good[..., 1], n[..., 1], alike)
    alpha, beta = (np.stack(both, axis=-1) for both in zip(alone, visited, strict=True))
    from scipy.stats import beta as beta_distribution

    low, high = (beta_distribution.ppf(share, alpha, beta) for share in _INTERVAL)
    return Transitions(alpha / (alpha + beta), low, high, n.astype(np.int64), names)


def _thin_together(steps: pd.DataFrame) -> pd.DataFrame:
    visited = steps["is_visited"].groupby(steps["stratum"]).sum()
    thick = set(visited.index[visited >= ENOUGH_VISITED])
    stratum = steps["stratum"].astype("object")
    return steps.assign(stratum=stratum.where(stratum.isin(thick), _REST))


def _counts(steps: pd.DataFrame) -> tuple[tuple[str, ...], Numbers, Numbers]:
    found = sorted(set(steps["stratum"]) - {_REST})
    # The rest stands last even when empty: whoever is of no known stratum gets it.
    names = (*(str(name) for name in found), _REST)
    at = pd.Index(names).get_indexer(pd.Index(steps["stratum"].astype("str").astype("object")))
    cell = (at * 2 + steps["state"].to_numpy()) * 2 + steps["is_visited"].to_numpy()
    size = len(names) * 4
    n = np.bincount(cell, minlength=size).reshape(-1, 2, 2).astype(np.float64)
    good = np.bincount(cell, weights=steps["next_state"].to_numpy(), minlength=size)
    return names, np.asarray(good.reshape(-1, 2, 2)), np.asarray(n)


def _of_all(good: Numbers, n: Numbers) -> Numbers:
    """The chance of all strata together by state, with Jeffreys' prior; for every stratum."""
    pooled = (good.sum(axis=0) + 0.5) / (n.sum(axis=0) + 1.0)
    return np.asarray(np.broadcast_to(pooled, n.shape))


def _at_one_odds_ratio(good: Numbers, n: Numbers, alone: Numbers) -> Numbers:
    """Chances after a visit if it did the same to the odds in every stratum, by state.

    One step more, at no effect, weighs against each state's own: where nobody was visited
    nothing is said of what a visit does.
    """
    from scipy.special import expit, logit

    odds = logit(alone)
    middle = expit(odds.mean(axis=0))
    weight = np.vstack([n, np.ones(2)])
    odds_all = np.vstack([odds, logit(middle)])
    wanted = good.sum(axis=0) + middle
    low, high = np.full(2, -_WIDEST), np.full(2, _WIDEST)
    for _ in range(_HALVINGS):
        shift = (low + high) / 2.0
        too_high = (weight * expit(odds_all + shift)).sum(axis=0) > wanted
        low, high = np.where(too_high, low, shift), np.where(too_high, shift, high)
    return np.asarray(expit(odds + (low + high) / 2.0))


def _posterior(good: Numbers, n: Numbers, prior: Numbers) -> tuple[Numbers, Numbers]:
    """Alpha and beta of each stratum and state, drawn to its prior chance."""
    strength = _strength(good, n, prior)
    return strength * prior + good, strength * (1.0 - prior) + n - good


def _strength(good: Numbers, n: Numbers, prior: Numbers) -> Numbers:
    """How many borrowed steps stand beside a stratum's own, by state."""
    total = np.maximum(n.sum(axis=0), 1.0)
    share = np.divide(good, n, out=prior.copy(), where=n > 0)
    strata = np.maximum((n > 0).sum(axis=0), 1)
    chance = prior * (1.0 - prior)
    spread = np.where(n.sum(axis=0) > 0, (n * chance).sum(axis=0) / total, chance.mean(axis=0))
    between = (n * (share - prior) ** 2).sum(axis=0) - (strata - 1) * spread
    scale = np.maximum(total - (n**2).sum(axis=0) / total, 1.0)
    variance = np.maximum(between / scale, 1e-9)
    # No more can be borrowed than was seen.
    most = np.clip(n.sum(axis=0), *_BORROWED)
    return np.asarray(np.clip(spread / variance - 1.0, _BORROWED[0], most))
