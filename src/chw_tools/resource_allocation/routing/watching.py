"""Solvers in processes of their own: one that hangs is ended, one that crashes is replaced.

A problem whose solver is lost is solved by insertion, and its plan says so; the others are
not touched.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from os import cpu_count
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from chw_tools.errors import SolverFailed
from chw_tools.resource_allocation.routing.job import (
    receive,
    send,
    solve_by_insertion,
    solve_seeded,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chw_tools.resource_allocation.routing.problem import RoutePlan, RouteProblem
    from chw_tools.resource_allocation.solving import Stop

    Job = Callable[..., Any]

#: What a solver may take beyond its limit before it is ended; a busy machine needs some.
GRACE_SECONDS = 10.0
_START_SECONDS = 60.0
_CHILD = (
    "import sys; sys.path[:] = {path!r}; "
    "from chw_tools.resource_allocation.routing.job import main; main()"
)


class Watched:
    """One process that solves, started when first used and replaced when lost."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, job: Job, arguments: tuple[object, ...], seconds: float) -> Any:
        """The answer of a job; :class:`SolverFailed` if there is none in time."""
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603  (our own module)
                [sys.executable, "-c", _CHILD.format(path=sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            # What it takes to start is not the solver's time.
            self._ask(self._process, None, _START_SECONDS)
        return self._ask(self._process, (job, arguments), seconds)

    def _ask(self, process: subprocess.Popen[bytes], task: object, seconds: float) -> Any:
        if process.stdin is None or process.stdout is None:
            raise SolverFailed("has no pipes")
        hung = threading.Event()

        def end() -> None:
            hung.set()
            process.kill()

        watchdog = threading.Timer(seconds, end)
        watchdog.start()
        try:
            send(process.stdin, task)
            return receive(process.stdout)
        except (EOFError, OSError) as error:
            self.close()
            raise SolverFailed("hung" if hung.is_set() else "crashed") from error
        finally:
            watchdog.cancel()

    def close(self) -> None:
        """End the process."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                _close(pipe)
        process.wait()


def _close(pipe: Any) -> None:
    try:
        pipe.close()
    except OSError:
        return  # what was still to be written has no reader any more


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
    return solve_all([problem], stop, seed=seed, n_processes=1)[0]


def solve_all(
    problems: Sequence[RouteProblem],
    stop: Stop,
    *,
    seed: int = 0,
    n_processes: int | None = None,
    scheduler: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    job: Job | None = None,
    grace_seconds: float = GRACE_SECONDS,
) -> list[RoutePlan]:
    """Routes for many problems, such as the weeks of all workers.

    Parameters
    ----------
    problems : sequence of RouteProblem
    stop : Stop
        For each.
    seed : int
        Problem ``i`` gets ``seed + i``, so the number of processes changes nothing.
    n_processes : int, optional
        By default as many as there are processors.
    scheduler : str, optional
        Address of a Dask scheduler, whose workers then do the work.
    progress : callable, optional
        Told how many are done, and of how many.
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
    if scheduler is not None:
        from chw_tools.resource_allocation.routing.on_dask import solve_on_dask

        return solve_on_dask(problems, stop, seed=seed, address=scheduler, progress=progress)
    if not problems:
        return []
    n = max(1, min(n_processes or cpu_count() or 1, len(problems)))
    limit = stop.seconds + grace_seconds
    idle: SimpleQueue[Watched] = SimpleQueue()
    crew = [Watched() for _ in range(n)]
    for one in crew:
        idle.put(one)

    def solved(at: int) -> RoutePlan:
        one = idle.get()
        try:
            plan: RoutePlan = one.run(job or solve_seeded, (problems[at], stop, seed + at), limit)
            return plan
        except SolverFailed as lost:
            return solve_by_insertion(
                problems[at], stop, f"The solver {lost.what}; planned by insertion."
            )
        finally:
            idle.put(one)

    try:
        return _in_order(solved, len(problems), n, progress)
    finally:
        for one in crew:
            one.close()


def _in_order(
    solved: Callable[[int], RoutePlan],
    total: int,
    n: int,
    progress: Callable[[int, int], None] | None,
) -> list[RoutePlan]:
    with ThreadPoolExecutor(max_workers=n) as threads:
        waiting = {threads.submit(solved, at): at for at in range(total)}
        plans: dict[int, RoutePlan] = {}
        for future in as_completed(waiting):
            plans[waiting[future]] = future.result()
            if progress is not None:
                progress(len(plans), total)
    return [plans[at] for at in range(total)]
