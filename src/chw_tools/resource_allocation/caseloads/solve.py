"""Caseloads planned: a flow gives the bound; homes are made whole again, then exchanged."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from chw_tools.errors import SolverFailed
from chw_tools.resource_allocation.apart import run_apart
from chw_tools.resource_allocation.caseloads.exchange import exchange_homes
from chw_tools.resource_allocation.caseloads.flow import flow_of
from chw_tools.resource_allocation.caseloads.problem import (
    CaseloadPlan,
    cost_of,
    find_faults,
    loads_of,
)
from chw_tools.resource_allocation.caseloads.whole import cheapest_bound, make_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from chw_tools.resource_allocation.caseloads.problem import CaseloadProblem, Counts
    from chw_tools.resource_allocation.solving import Stop

_FULL = "The workers who could come are full."
_ABSENT = "Nobody else near has room while the worker is away."
_ALONE = "No other worker is near enough or has the skills while the worker is away."


def solve_caseloads(
    problem: CaseloadProblem, stop: Stop, *, run: Callable[..., Any] = run_apart
) -> CaseloadPlan:
    """The worker of each home, at little cost, and how near the best it is.

    No chance is in it: the same problem and iterations give the same plan
    where the clock does not end the exchanges.

    Parameters
    ----------
    problem : CaseloadProblem
        The question.
    stop : Stop
        Seconds in all; iterations bound the exchanges of homes.
    run : callable
        What runs the solver; by default in an interpreter of its own.
    """
    began = time.monotonic()
    notes: tuple[str, ...] = ()
    try:
        minutes, bound = run(flow_of, problem, seconds=stop.seconds)
    except SolverFailed as failed:
        notes = (f"{failed.what} The plan comes from a plain search.",)
        minutes, bound = np.zeros(len(problem.home), dtype=np.int64), cheapest_bound(problem)
    worker = make_whole(problem, minutes)
    until = began + stop.seconds
    worker = exchange_homes(problem, worker, iterations=stop.iterations, until=until)
    return _judged(problem, worker, bound, notes, time.monotonic() - began)


def reassign(
    problem: CaseloadProblem,
    plan: CaseloadPlan,
    absent: Collection[int],
    stop: Stop,
    *,
    run: Callable[..., Any] = run_apart,
) -> CaseloadPlan:
    """The homes of absent workers shared out among the others; every other home stays.

    Parameters
    ----------
    problem : CaseloadProblem
        As it was before anybody was away.
    plan : CaseloadPlan
        The plan until now.
    absent : collection of int
        Numbers of the workers who are away.

    Returns
    -------
    CaseloadPlan
        For all homes. The bound is that of plans in which the others' homes stay.
    """
    began = time.monotonic()
    is_away = np.zeros(problem.n_workers, dtype=bool)
    is_away[list(absent)] = True
    moves = np.flatnonzero((plan.worker >= 0) & is_away[plan.worker])
    stays = plan.worker.copy()
    stays[moves] = -1
    part = _of_homes(problem, moves, loads_of(problem, stays), is_away)
    found = solve_caseloads(part, stop, run=run)
    worker = stays.copy()
    worker[moves] = found.worker
    # Counted in both: the homes that move as left out, and the bands of the others so far.
    left_out = (problem.load[moves] * problem.unserved[moves]).sum()
    bands = part.outside * part.low.sum()
    bound = cost_of(problem, stays) - float(left_out + bands) + found.bound
    answer = _judged(problem, worker, bound, found.notes, time.monotonic() - began)
    reasons = np.array(answer.why_none, dtype=object)
    has_other = np.bincount(part.home, minlength=len(moves)) > 0
    is_left = found.worker < 0
    reasons[moves[is_left & has_other]] = _ABSENT
    reasons[moves[is_left & ~has_other]] = _ALONE
    return replace(answer, why_none=tuple(reasons.tolist()))


def _of_homes(
    problem: CaseloadProblem, homes: Counts, load: Counts, is_away: Any
) -> CaseloadProblem:
    """The problem of some homes, with the room that the others leave."""
    place = np.full(problem.n_homes, -1)
    place[homes] = np.arange(len(homes))
    kept = (place[problem.home] >= 0) & ~is_away[problem.worker]
    room = np.where(is_away, 0, np.maximum(problem.capacity - load, 0))
    high = np.clip(problem.high - load, 0, room)
    return replace(
        problem,
        home=place[problem.home[kept]],
        worker=problem.worker[kept],
        cost=problem.cost[kept],
        load=problem.load[homes],
        unserved=problem.unserved[homes],
        capacity=room,
        low=np.clip(problem.low - load, 0, high),
        high=high,
        before=np.full(len(homes), -1),
        why_none=tuple(problem.why_none[i] for i in homes.tolist()),
    )


def _judged(
    problem: CaseloadProblem,
    worker: Counts,
    bound: float,
    notes: tuple[str, ...],
    seconds: float,
) -> CaseloadPlan:
    load = loads_of(problem, worker)
    n_outside = int(((load > problem.high) | (load < problem.low)).sum())
    if n_outside:
        said = f"{n_outside} of {problem.n_workers} workers have a load outside the band."
        notes = (*notes, said)
    cost = cost_of(problem, worker)
    reasons = tuple(
        "" if who >= 0 else why or _FULL
        for who, why in zip(worker.tolist(), problem.why_none, strict=True)
    )
    return CaseloadPlan(
        worker=worker,
        load=load,
        cost=cost,
        bound=min(bound, cost),
        faults=find_faults(problem, worker),
        why_none=reasons,
        seconds=seconds,
        notes=notes,
    )
