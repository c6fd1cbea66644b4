"""A day in progress planned anew: what was done is fixed, the rest starts from here and now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from chw_tools.resource_allocation.routing.problem import RoutePlan, RouteProblem


@dataclass(frozen=True)
class Progress:
    """How far one shift has come.

    Parameters
    ----------
    at : int
        Place where the worker is.
    minute : float
        Minute of the day.
    """

    at: int
    minute: float


def remaining(
    problem: RouteProblem,
    *,
    done: Collection[int],
    progress: Mapping[int, Progress],
    absent: Collection[int] = (),
) -> tuple[RouteProblem, list[int]]:
    """What is left of a problem once some of it was done.

    Parameters
    ----------
    problem : RouteProblem
        As planned in the morning.
    done : collection of int
        Stops made, or found closed: they are not gone to again.
    progress : mapping of int to Progress
        Where shifts that have begun are, and when; shifts alike must be counted one by one.
    absent : collection of int
        Shifts that drop out, such as of a worker who fell ill.

    Returns
    -------
    problem : RouteProblem
        The rest, each shift from where it is.
    stops : list of int
        Which stop of the morning each stop of the rest is.

    Raises
    ------
    ValueError
        If a shift in progress stands for several workers.
    """
    stops = [stop for stop in range(problem.n_stops) if stop not in set(done)]
    shifts = []
    for at, shift in enumerate(problem.shifts):
        now = progress.get(at)
        if now is not None and shift.n > 1:
            raise ValueError("a shift in progress must stand for one worker")
        if at in absent:
            shifts.append(replace(shift, n=0))
        elif now is None:
            shifts.append(shift)
        else:
            used = now.minute - shift.opens
            shifts.append(
                replace(shift, start=now.at, opens=now.minute, longest=shift.longest - used)
            )
    kept = np.asarray(stops, dtype=np.int64)
    columns = {
        name: getattr(problem, name)[kept]
        for name in (
            "stop_at",
            "service",
            "value",
            "required",
            "opens",
            "closes",
            "load",
            "allowed",
        )
    }
    columns["allowed"] = columns["allowed"].copy()
    columns["allowed"][:, list(absent)] = False
    return replace(problem, shifts=tuple(shifts), **columns), stops


def joined(plan: RoutePlan, stops: list[int]) -> list[tuple[int, list[int]]]:
    """The routes of a replanned rest, in the stops of the morning."""
    return [(walk.shift, [stops[stop] for stop in walk.stops]) for walk in plan.routes]
