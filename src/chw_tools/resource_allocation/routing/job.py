"""The unit of work: one problem solved, in a process of its own that can be ended.

As a process of its own it reads problems on standard input and writes plans on standard output
until the input ends; only :mod:`.watching` starts it so. Both ends are this program, so the
pickles between them come from nobody else.
"""

from __future__ import annotations

import os
import pickle
import struct
import sys
import time
from typing import IO, TYPE_CHECKING, Any

from chw_tools.resource_allocation.routing.insertion import insert_all
from chw_tools.resource_allocation.routing.pyvrp_solver import solve_by_pyvrp
from chw_tools.resource_allocation.routing.schedule import as_plan

if TYPE_CHECKING:
    from chw_tools.resource_allocation.routing.problem import RoutePlan, RouteProblem
    from chw_tools.resource_allocation.solving import Stop

#: Below so many seconds a solver finds nothing better than insertion does.
SHORTEST_SECONDS = 0.05
_LENGTH = struct.Struct("!Q")


def solve_here(problem: RouteProblem, stop: Stop, *, seed: int = 0) -> RoutePlan:
    """Solve in this process: PyVRP, or insertion where the time is short or PyVRP fails."""
    began = time.perf_counter()
    if stop.seconds < SHORTEST_SECONDS or stop.iterations == 0:
        return solve_by_insertion(problem, stop)
    try:
        routes = solve_by_pyvrp(problem, stop, seed=seed)
    except (ImportError, RuntimeError, ValueError) as error:
        return solve_by_insertion(problem, stop, f"PyVRP was of no use ({type(error).__name__}).")
    return as_plan(problem, routes, seconds=time.perf_counter() - began, method="pyvrp")


def solve_seeded(problem: RouteProblem, stop: Stop, seed: int) -> RoutePlan:
    """:func:`solve_here` with its arguments in a row, as they come over a pipe."""
    return solve_here(problem, stop, seed=seed)


def solve_by_insertion(problem: RouteProblem, stop: Stop, *notes: str) -> RoutePlan:
    """Solve without a solver."""
    began = time.perf_counter()
    # Somebody must go somewhere: a moment is always given.
    deadline = began + max(stop.seconds, 1.0)
    routes = insert_all(problem, deadline=deadline)
    seconds = time.perf_counter() - began
    return as_plan(problem, routes, seconds=seconds, method="insertion", notes=notes)


def send(pipe: IO[bytes], what: object) -> None:
    """Write one thing to a pipe."""
    body = pickle.dumps(what, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(body)))
    pipe.write(body)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """Read one thing from a pipe; EOFError at its end."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    body = pipe.read(_LENGTH.unpack(head)[0])
    return pickle.loads(body)  # noqa: S301  (written by this program, see above)


def serve(source: IO[bytes], sink: IO[bytes]) -> None:
    """Solve what comes until nothing more does."""
    while True:
        try:
            task = receive(source)
        except EOFError:
            return
        if task is None:
            send(sink, "ready")
            continue
        function, arguments = task
        send(sink, function(*arguments))


def main() -> None:  # pragma: no cover  (runs in the child)
    """Serve on this process's own input and output; what a solver prints goes elsewhere."""
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, sink)
