"""The relaxation, in which homes may be split: a min-cost flow of minutes, on OR-Tools.

Source: Ahuja, Magnanti and Orlin, Network Flows, 1993, chapter 9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from chw_tools.errors import SolverFailed

if TYPE_CHECKING:
    from chw_tools.resource_allocation.caseloads.problem import CaseloadProblem, Counts


class Flow(NamedTuple):
    """Minutes over each pair, and the cost, which no assignment of whole homes can go below."""

    minutes: Counts
    cost: float


def flow_of(problem: CaseloadProblem) -> Flow:
    """The flow that costs least.

    Raises
    ------
    SolverFailed
        If OR-Tools does not call it optimal.
    """
    from ortools.graph.python import min_cost_flow

    n, m = problem.n_homes, problem.n_workers
    sink = n + m
    tail, head, capacity, cost = (
        np.concatenate(parts)
        for parts in zip(
            (problem.home, n + problem.worker, problem.load[problem.home], problem.cost),
            (np.arange(n), np.full(n, sink), problem.load, problem.unserved),
            *_to_sink(problem, n, sink),
            strict=True,
        )
    )
    solver = min_cost_flow.SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(tail, head, capacity, cost)
    supply = np.concatenate([problem.load, np.zeros(m, dtype=np.int64), [-problem.load.sum()]])
    solver.set_nodes_supplies(np.arange(sink + 1), supply)
    status = solver.solve()
    if status != solver.OPTIMAL:
        raise SolverFailed(f"The flow solver answered {status!s}.", where="caseloads")
    minutes = np.asarray(solver.flows(arcs[: len(problem.home)]), dtype=np.int64)
    # A load below its band saves `outside` for each minute up to it; without any it costs all.
    empty = float(problem.outside * problem.low.sum())
    return Flow(minutes, float(solver.optimal_cost()) + empty)


def _to_sink(
    problem: CaseloadProblem, first: int, sink: int
) -> tuple[tuple[Counts, Counts, Counts, Counts], ...]:
    """From each worker: cheap up to the band, free within it, dear beyond it."""
    worker = first + np.arange(problem.n_workers)
    to = np.full(problem.n_workers, sink)
    steps = (
        (problem.low, -problem.outside),
        (problem.high - problem.low, 0),
        (problem.capacity - problem.high, problem.outside),
    )
    return tuple((worker, to, room, np.full(len(to), cost)) for room, cost in steps)
