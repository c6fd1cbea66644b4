"""When a solver stops, and how a solver that crashes or hangs is kept from taking us along.

A solver of another library runs in an interpreter of its own, which is ended when its time is
over. Whoever calls it has a plainer answer ready for when it fails.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from chw_tools.errors import SolverFailed

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")

_CHILD = (
    "import sys; sys.path[:] = {path!r}; "
    "from chw_tools.resource_allocation.solving import _answer; _answer()"
)
#: Seconds for starting an interpreter and reading the problem; a slow machine needs some.
_START_SECONDS = 20.0


@dataclass(frozen=True)
class Stop:
    """When to stop looking for a better plan, whichever comes first.

    Parameters
    ----------
    seconds : float
        By the clock. A plan stopped by it depends on the machine.
    iterations : int
        Steps of the local search. The same seed and the same number of steps give the same
        plan wherever the clock does not end it earlier.
    """

    seconds: float = 60.0
    iterations: int = 1_000_000

    def __post_init__(self) -> None:
        if not self.seconds > 0 or self.iterations < 0:
            raise ValueError("a stop needs some seconds and no negative iterations")


def run_apart(task: Callable[..., Answer], /, *given: object, seconds: float) -> Answer:
    """The task's answer, computed in an interpreter of its own that is ended in time.

    Parameters
    ----------
    task : callable
        A function of a module, not a method or a local one.
    *given : object
        What it takes; must pickle.
    seconds : float
        Time for the task; starting the interpreter is not counted.

    Raises
    ------
    SolverFailed
        If it raised, crashed, or did not come to an end.
    """
    command = [sys.executable, "-c", _CHILD.format(path=sys.path)]
    asked = pickle.dumps((task, given))
    try:
        done = subprocess.run(  # noqa: S603 (our own code, in our own interpreter)
            command, input=asked, capture_output=True, timeout=seconds + _START_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise SolverFailed(
            f"A solver did not end within {seconds:g} seconds and was ended.", where=task.__name__
        ) from None
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rsplit("\n", 1)[-1][:200]
        raise SolverFailed(
            f"A solver failed (exit {done.returncode}). {last}".strip(), where=task.__name__
        )
    answer: Answer = pickle.loads(done.stdout)  # noqa: S301 (written by our own child)
    return answer


def run_here(task: Callable[..., Answer], /, *given: object, seconds: float) -> Answer:
    """The task's answer, computed here: for small problems, where nothing is to be feared.

    ``seconds`` is not regarded; the task keeps to its own limit.
    """
    return task(*given)


def _answer() -> None:  # pragma: no cover (runs in the child)
    """Read a task from standard input, do it, and write what it gives to standard output."""
    import os

    # A solver that speaks must not speak into the answer.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    task, given = pickle.load(sys.stdin.buffer)  # noqa: S301 (written by our own parent)
    pickle.dump(task(*given), out)
    out.close()
