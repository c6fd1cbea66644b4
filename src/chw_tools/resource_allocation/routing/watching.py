"""Routes for one problem or for many, each in a process of its own that is ended in time.

A problem whose solver is lost is solved by insertion, and its plan says so; the others are
not touched.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from chw_tools.errors import SolverFailed
from chw_tools.resource_allocation.apart import GRACE_SECONDS, Watched, run_each, size_of_crew
from chw_tools.resource_allocation.routing.job import solve_by_insertion, solve_seeded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chw_tools.resource_allocation.routing.problem import RoutePlan, RouteProblem
    from chw_tools.resource_allocation.solving import Stop

    Job = Callable[..., Any]

#: Least seconds of one problem; below a twentieth, insertion plans it.
_LEAST = 0.02
#: So many problems in a row without an answer, and a process is given no more of them. A
#: decision of this project: one bad problem is not to cost the others their solver.
_MOST_LOST = 3
#: Share of the time left that solvers get: handing problems over takes some as well.
_SOLVING = 0.9


@dataclass(frozen=True)
class Work:
    """How many problems are solved.

    Parameters
    ----------
    seed : int
        Problem ``i`` gets ``seed + i``, so the number of processes changes nothing.
    limit_seconds : float, optional
        Seconds for all together; each gets its share of what is left, and never more than
        its own stop. Workers of a scheduler get equal shares.
    n_processes : int, optional
        By default as many as there are processors.
    scheduler : str, optional
        Address of a Dask scheduler, whose workers then do the work.
    progress : callable, optional
        Told how many are done, and of how many.
    """

    seed: int = 0
    limit_seconds: float | None = None
    n_processes: int | None = None
    scheduler: str | None = None
    progress: Callable[[int, int], None] | None = None


def solve(problem: RouteProblem, stop: Stop, *, seed: int = 0) -> RoutePlan:
    """Routes for one problem; a plan is always given, in time.

    Parameters
    ----------
    problem : RouteProblem
    stop : Stop
        Where the iterations end it first, the same seed gives the same plan.
    seed : int

    Returns
    -------
    RoutePlan
        By PyVRP, or by insertion where the time is short or PyVRP hangs, crashes or fails.
    """
    return solve_all([problem], stop, Work(seed=seed, n_processes=1))[0]


def solve_all(
    problems: Sequence[RouteProblem],
    stop: Stop,
    work: Work | None = None,
    *,
    job: Job | None = None,
    grace_seconds: float = GRACE_SECONDS,
) -> list[RoutePlan]:
    """Routes for many problems, such as the weeks of all workers.

    Parameters
    ----------
    problems : sequence of RouteProblem
    stop : Stop
        For each.
    work : Work, optional
    job : callable, optional
        Another solver: a function of a module that takes problem, stop and seed.
    grace_seconds : float
        What a solver may take beyond its limit before it is ended.

    Raises
    ------
    MissingExtra
        If a scheduler is given and Dask is not installed.
    SettingsFault
        If no scheduler answers.
    """
    how, total = work or Work(), len(problems)
    if how.scheduler is not None:
        from chw_tools.resource_allocation.routing.on_dask import solve_on_dask

        return solve_on_dask(problems, stop, how)
    share = _Shares(stop, how, total)

    def asked(one: Watched, at: int) -> RoutePlan:
        each = share.next()
        return solve_watched(
            one, problems[at], each, seed=how.seed + at, job=job, grace_seconds=grace_seconds
        )

    return run_each(asked, total, n_processes=how.n_processes, progress=how.progress)


def solve_watched(
    one: Watched,
    problem: RouteProblem,
    stop: Stop,
    *,
    seed: int,
    job: Job | None = None,
    grace_seconds: float = GRACE_SECONDS,
) -> RoutePlan:
    """Routes by a process that stays, or by insertion where it is lost.

    A process that is lost time after time is not asked again: the plan must come in time.
    """
    if one.n_lost >= _MOST_LOST:
        said = f"The solver was lost {_MOST_LOST} times in a row and not asked again."
        return solve_by_insertion(problem, stop, said)
    try:
        plan: RoutePlan = one.run(
            job or solve_seeded, (problem, stop, seed), stop.seconds + grace_seconds
        )
    except SolverFailed as lost:
        return solve_by_insertion(problem, stop, f"{lost.what} Planned by insertion.")
    return plan


class _Shares:
    """Each problem's share of the time that is left for all."""

    def __init__(self, stop: Stop, work: Work, total: int) -> None:
        self._stop, self._total, self._limit = stop, total, work.limit_seconds
        self._until = time.monotonic() + (work.limit_seconds or 0.0)
        self._n = size_of_crew(total, work.n_processes)
        self._begun = count()

    def next(self) -> Stop:
        """The stop of the problem that is begun now."""
        waiting = max(self._total - next(self._begun), 1)
        if self._limit is None:
            return self._stop
        left = max(self._until - time.monotonic(), 0.0)
        return limited(self._stop, _SOLVING * left * self._n / waiting)


def limited(stop: Stop, seconds: float) -> Stop:
    """The stop with at most so many seconds."""
    return replace(stop, seconds=min(stop.seconds, max(seconds, _LEAST)))
