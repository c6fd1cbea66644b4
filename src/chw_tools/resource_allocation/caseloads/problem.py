"""Which worker looks after which home: the question, the answer, and the check of it.

A home is never split. Loads are whole minutes a week, costs whole tenths of a minute for each
minute of load, so that a flow of whole numbers answers exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]


@dataclass(frozen=True)
class CaseloadProblem:
    """Homes, workers, and the pairs of them that may be.

    Parameters
    ----------
    home, worker, cost : ndarray of int, shape (n_pairs,)
        Number of home and worker, and what each minute of the home's load costs there; a
        pair that skills or distance forbid is not among them.
    load : ndarray of int, shape (n_homes,)
        Minutes a week.
    unserved : ndarray of int, shape (n_homes,)
        What each minute of load costs without a worker: more for who needs it more.
    capacity : ndarray of int, shape (n_workers,)
        Minutes a week that a worker has; never exceeded.
    low, high : ndarray of int, shape (n_workers,)
        The band in which a load should lie.
    outside : int
        Cost of each minute by which a load leaves its band.
    before : ndarray of int, shape (n_homes,)
        Worker until now, -1 where none.
    why_none : tuple of str
        For a home without any pair, the reason; empty text for the others.
    """

    home: Counts
    worker: Counts
    cost: Counts
    load: Counts
    unserved: Counts
    capacity: Counts
    low: Counts
    high: Counts
    outside: int
    before: Counts
    why_none: tuple[str, ...]

    def __post_init__(self) -> None:
        if (self.load < 1).any() or (self.capacity < 0).any():
            raise ValueError("a load is at least a minute, a capacity at least none")
        if (
            (self.low < 0).any()
            or (self.low > self.high).any()
            or (self.high > self.capacity).any()
        ):
            raise ValueError("the band of a load lies below its capacity")

    @property
    def n_homes(self) -> int:
        """Homes."""
        return len(self.load)

    @property
    def n_workers(self) -> int:
        """Workers."""
        return len(self.capacity)


@dataclass(frozen=True)
class CaseloadPlan:
    """The worker of each home.

    Parameters
    ----------
    worker : ndarray of int, shape (n_homes,)
        Number of the worker; -1 where none.
    load : ndarray of int, shape (n_workers,)
        Minutes a week of each.
    cost, bound : float
        Tenths of minutes walked for minutes of load, with what leaves the band and who has no
        worker; and what no plan over these pairs can go below, even if it splits homes.
    faults : tuple of str
        Rules that are broken; empty where the plan is feasible.
    why_none : tuple of str
        For each home without a worker, the reason.
    seconds : float
        Time it took.
    notes : tuple of str
        What a reader must know.
    """

    worker: Counts
    load: Counts
    cost: float
    bound: float
    faults: tuple[str, ...]
    why_none: tuple[str, ...]
    seconds: float = 0.0
    notes: tuple[str, ...] = field(default=())

    @property
    def is_feasible(self) -> bool:
        """Whether every rule is kept."""
        return not self.faults

    @property
    def gap(self) -> float:
        """How far above the bound the cost is, as a share of the cost."""
        return max(self.cost - self.bound, 0.0) / self.cost if self.cost > 0 else 0.0


def pair_costs(problem: CaseloadProblem, worker: Counts) -> Counts:
    """Cost of each home's pair with its worker, for each minute; -1 where there is no such pair."""
    n = problem.n_workers + 1
    key = problem.home * n + problem.worker
    order = np.argsort(key, kind="stable")
    wanted = np.arange(problem.n_homes) * n + worker
    if not len(key):
        return np.full(problem.n_homes, -1)
    at = np.minimum(np.searchsorted(key[order], wanted), len(key) - 1)
    is_pair = (key[order[at]] == wanted) & (worker >= 0)
    return np.where(is_pair, problem.cost[order[at]], -1)


def loads_of(problem: CaseloadProblem, worker: Counts) -> Counts:
    """Minutes a week of each worker."""
    has = worker >= 0
    load = np.bincount(worker[has], problem.load[has], problem.n_workers)
    return load.astype(np.int64)


def band_cost(problem: CaseloadProblem, load: Counts) -> Counts:
    """What each worker's load costs for leaving its band."""
    beyond = np.maximum(load - problem.high, 0) + np.maximum(problem.low - load, 0)
    return np.asarray(problem.outside * beyond, dtype=np.int64)


def cost_of(problem: CaseloadProblem, worker: Counts) -> float:
    """The cost of an assignment, from the numbers alone."""
    has = worker >= 0
    served = problem.load * np.where(has, pair_costs(problem, worker), problem.unserved)
    return float(served.sum() + band_cost(problem, loads_of(problem, worker)).sum())


def find_faults(problem: CaseloadProblem, worker: Counts) -> tuple[str, ...]:
    """Rules that an assignment breaks."""
    has = worker >= 0
    strange = int((has & (pair_costs(problem, worker) < 0)).sum())
    over = int((loads_of(problem, worker) > problem.capacity).sum())
    checks = [
        (strange, f"{strange} homes have a worker whom skills or distance forbid."),
        (over, f"{over} workers have more than they can do."),
    ]
    return tuple(said for n, said in checks if n)
