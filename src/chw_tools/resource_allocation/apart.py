"""Solvers of other libraries in interpreters of their own: one that hangs is ended, one that
crashes is replaced, and the caller has a plainer answer ready.

:func:`run_apart` does one task, :func:`run_each` many of a kind with processes that stay. The
child reads tasks on standard input and writes answers on standard output until the input
ends. Both ends are this program, so the pickles between them come from nobody else.
"""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from os import cpu_count
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any, TypeVar

from chw_tools.errors import SolverFailed

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")

#: What a task may take beyond its limit before it is ended; a busy machine needs some.
GRACE_SECONDS = 10.0
#: Seconds for starting an interpreter; not the solver's time.
_START_SECONDS = 60.0
_CHILD = (
    "import sys; sys.path[:] = {path!r}; "
    "from chw_tools.resource_allocation.apart import main; main()"
)
_LENGTH = struct.Struct("!Q")
_MOST_SAID = 200


class Watched:
    """One process that does tasks, started when first used and replaced when lost."""

    def __init__(self) -> None:
        #: How many tasks in a row had no answer.
        self.n_lost = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None

    def run(self, task: Callable[..., Answer], given: tuple[object, ...], seconds: float) -> Answer:
        """The answer of a task; :class:`SolverFailed` if there is none in time."""
        if self._process is None:
            # A file, not a pipe: a solver that says much must not wait for a reader.
            self._said = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the process)
            self._process = self._started(self._said)
            self._ask(self._process, None, _START_SECONDS, "starting")
        answer: Answer = self._ask(self._process, (task, given), seconds, task.__name__)
        self.n_lost = 0
        return answer

    def _started(self, said: IO[bytes]) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(  # noqa: S603  (our own module)
                [sys.executable, "-c", _CHILD.format(path=sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
            )
        except OSError as error:  # no memory, or no process, is left
            self.n_lost += 1
            _close(said)
            why = f"A solver could not be started ({type(error).__name__})."
            raise SolverFailed(why, where="starting") from error

    def _ask(
        self, process: subprocess.Popen[bytes], task: object, seconds: float, where: str
    ) -> Any:
        if process.stdin is None or process.stdout is None:
            raise SolverFailed("A solver has no pipes.", where=where)
        hung = threading.Event()

        def end() -> None:
            hung.set()
            process.kill()

        watchdog = threading.Timer(max(seconds, 0.0), end)
        watchdog.start()
        try:
            send(process.stdin, task)
            return receive(process.stdout)
        except (EOFError, OSError) as error:
            self.n_lost += 1
            code, last = self._end()
            why = (
                f"A solver did not end within {seconds:g} seconds and was ended."
                if hung.is_set()
                else f"A solver failed (exit {code}). {last}".strip()
            )
            raise SolverFailed(why, where=where) from error
        finally:
            watchdog.cancel()

    def _end(self) -> tuple[int, str]:
        """The exit code of a process that is lost, and the last line it said."""
        process, said = self._process, self._said
        if process is None or said is None:
            return 0, ""
        try:
            # It closes its pipes a moment before it is over.
            code = process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            code = 0
        said.seek(0)
        last = said.read().decode(errors="replace").strip().rsplit("\n", 1)[-1][:_MOST_SAID]
        self.close()
        return code, last

    def close(self) -> None:
        """End the process."""
        process, said = self._process, self._said
        self._process = self._said = None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout, said):
            if pipe is not None:
                _close(pipe)
        process.wait()


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except OSError:
        return  # what was still to be written has no reader any more


def run_apart(
    task: Callable[..., Answer],
    /,
    *given: object,
    seconds: float,
    grace_seconds: float = GRACE_SECONDS,
) -> Answer:
    """The task's answer, computed in an interpreter of its own that is ended in time.

    Parameters
    ----------
    task : callable
        A function of a module, not a method or a local one.
    *given : object
        What it takes; must pickle.
    seconds : float
        Time for the task; starting the interpreter is not counted.
    grace_seconds : float
        What it may take beyond that before it is ended.

    Raises
    ------
    SolverFailed
        If it raised, crashed, or did not come to an end.
    """
    one = Watched()
    try:
        return one.run(task, given, seconds + grace_seconds)
    finally:
        one.close()


def run_here(task: Callable[..., Answer], /, *given: object, seconds: float) -> Answer:
    """The task's answer, computed here: for small problems, where nothing is to be feared.

    ``seconds`` is not regarded; the task keeps to its own limit.
    """
    return task(*given)


def run_each(
    ask: Callable[[Watched, int], Answer],
    n: int,
    *,
    n_processes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Answer]:
    """Answers in order, each asked of one of a few processes that stay.

    Parameters
    ----------
    ask : callable
        Takes a process and the number of the task; it deals with :class:`SolverFailed`.
    n : int
        How many.
    n_processes : int, optional
        By default as many as there are processors.
    progress : callable, optional
        Told how many are done, and of how many.
    """
    if not n:
        return []
    size = size_of_crew(n, n_processes)
    crew = [Watched() for _ in range(size)]
    idle: SimpleQueue[Watched] = SimpleQueue()
    for one in crew:
        idle.put(one)

    def asked(at: int) -> Answer:
        one = idle.get()
        try:
            return ask(one, at)
        finally:
            idle.put(one)

    try:
        return _in_order(asked, n, size, progress)
    finally:
        for one in crew:
            one.close()


def size_of_crew(n: int, n_processes: int | None) -> int:
    """How many processes do ``n`` tasks."""
    return max(1, min(n_processes or cpu_count() or 1, n))


def _in_order(
    asked: Callable[[int], Answer],
    total: int,
    n: int,
    progress: Callable[[int, int], None] | None,
) -> list[Answer]:
    with ThreadPoolExecutor(max_workers=n) as threads:
        waiting = {threads.submit(asked, at): at for at in range(total)}
        answers: dict[int, Answer] = {}
        for future in as_completed(waiting):
            answers[waiting[future]] = future.result()
            if progress is not None:
                progress(len(answers), total)
    return [answers[at] for at in range(total)]


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
    """Do what comes until nothing more does."""
    while True:
        try:
            asked = receive(source)
        except EOFError:
            return
        if asked is None:
            send(sink, "ready")
            continue
        task, given = asked
        send(sink, task(*given))


def main() -> None:  # pragma: no cover  (runs in the child)
    """Serve on this process's own input and output; what a solver prints goes elsewhere."""
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, sink)
