"""The same work on the workers of a Dask scheduler; needs the extra ``dask``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chw_tools.errors import MissingExtra, SettingsFault
from chw_tools.resource_allocation.routing.watching import solve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chw_tools.resource_allocation.routing.problem import RoutePlan, RouteProblem
    from chw_tools.resource_allocation.solving import Stop


def solve_on_dask(
    problems: Sequence[RouteProblem],
    stop: Stop,
    *,
    seed: int,
    address: str,
    progress: Callable[[int, int], None] | None = None,
) -> list[RoutePlan]:
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
        client = connect(address, timeout="10s")
    except (OSError, TimeoutError, ValueError) as error:
        raise SettingsFault(
            "no Dask scheduler answers.", where="scheduler", cure="Start one: dask scheduler"
        ) from error
    finished: Any = distributed.as_completed
    with client:
        futures = [
            client.submit(solve, problem, stop, seed=seed + at, pure=False)
            for at, problem in enumerate(problems)
        ]
        if progress is not None:
            for done, _ in enumerate(finished(futures), start=1):
                progress(done, len(futures))
        return list(client.gather(futures))
