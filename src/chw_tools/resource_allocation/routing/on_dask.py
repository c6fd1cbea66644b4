"""The same work on the workers of a Dask scheduler; needs the extra ``dask``."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from chw_tools.errors import MissingExtra, SettingsFault
from chw_tools.resource_allocation.apart import Watched
from chw_tools.resource_allocation.routing.watching import limited, solve_watched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chw_tools.resource_allocation.routing.problem import RoutePlan, RouteProblem
    from chw_tools.resource_allocation.routing.watching import Work
    from chw_tools.resource_allocation.solving import Stop

#: Share of the time for all that solvers get; the rest goes into sending problems.
_SOLVING = 0.8
_IDLE = "chw_watched_processes"


def solve_on_dask(problems: Sequence[RouteProblem], stop: Stop, work: Work) -> list[RoutePlan]:
    """Each problem as one task, watched on the worker as it would be here.

    Raises
    ------
    MissingExtra
        If Dask is not installed.
    SettingsFault
        If no scheduler answers at the address.
    """
    try:
        import distributed
    except ImportError as error:
        raise MissingExtra.of("Dask", extra="dask") from error
    try:
        connect: Any = distributed.Client
        client = connect(work.scheduler, timeout="10s")
    except (OSError, TimeoutError, ValueError) as error:
        raise SettingsFault(
            "no Dask scheduler answers.", where="scheduler", cure="Start one: dask scheduler"
        ) from error
    finished: Any = distributed.as_completed
    with client:
        each = _each(client, stop, work, len(problems))
        futures = [
            client.submit(_on_worker, problem, each, work.seed + at, pure=False)
            for at, problem in enumerate(problems)
        ]
        if work.progress is not None:
            for done, _ in enumerate(finished(futures), start=1):
                work.progress(done, len(futures))
        plans = list(client.gather(futures))
        client.run(_end_idle)
    return plans


def _each(client: Any, stop: Stop, work: Work, n: int) -> Stop:
    """Equal shares of the time for all, by the threads there are."""
    if work.limit_seconds is None:
        return stop
    threads = sum(client.nthreads().values())
    return limited(stop, _SOLVING * work.limit_seconds * threads / max(n, 1))


def _on_worker(problem: RouteProblem, stop: Stop, seed: int) -> RoutePlan:
    """One problem, on a process that the worker keeps for the next."""
    import distributed

    idle = _idle_of(distributed.get_worker())
    try:
        one = idle.get_nowait()
    except Empty:
        one = Watched()
    try:
        return solve_watched(one, problem, stop, seed=seed)
    finally:
        idle.put(one)


def _idle_of(worker: Any) -> SimpleQueue[Watched]:
    return worker.__dict__.setdefault(_IDLE, SimpleQueue())  # type: ignore[no-any-return]


def _end_idle(dask_worker: Any) -> None:
    """End the processes that a worker kept."""
    idle = _idle_of(dask_worker)
    while not idle.empty():
        idle.get_nowait().close()
