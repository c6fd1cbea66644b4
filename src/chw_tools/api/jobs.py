"""Long acts started over HTTP: one at a time, each with its progress until it is done.

A job lives as long as the process; what it made is kept in the store and outlives it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from chw_tools.api.error_responses import body_of
from chw_tools.errors import ChwError, Conflict, NotFound
from chw_tools.records import new_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from chw_tools.workflows.ports import Progress

#: Jobs that may wait; each may take minutes on both processors.
MOST_WAITING = 8
#: Jobs that are remembered once they are over.
_REMEMBERED = 200


@dataclass(frozen=True)
class Job:
    """One long act as it stands.

    Parameters
    ----------
    job_id, kind : str
    state : {"waiting", "running", "done", "failed"}
    what, done, total
        What is counted, how far it is, and of how many (None where nobody can know).
    run_id : str or None
        The kept plan, once it is done.
    error : dict or None
        What was wrong, where, and the cure, once it failed.
    """

    job_id: str
    kind: str
    state: Literal["waiting", "running", "done", "failed"] = "waiting"
    what: str = ""
    done: int = 0
    total: int | None = None
    run_id: str | None = None
    error: dict[str, str] | None = None


class Jobs:
    """Runs one act after the other in a thread of its own."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="planning")

    def start(self, kind: str, act: Callable[[Progress], str]) -> Job:
        """Put an act in line; it is told a progress and gives the key of what it kept.

        Raises
        ------
        Conflict
            If too many wait already.
        """
        with self._lock:
            open_ = sum(job.state in ("waiting", "running") for job in self._jobs.values())
            if open_ > MOST_WAITING:
                raise Conflict("Too many plans wait already.", cure="Ask again when one is done.")
            job = Job(new_id(), kind)
            self._jobs[job.job_id] = job
            while len(self._jobs) > _REMEMBERED:
                self._jobs.popitem(last=False)
        self._thread.submit(self._run, job.job_id, act)
        return job

    def find(self, job_id: str) -> Job:
        """A job as it stands now.

        Raises
        ------
        NotFound
            If there is none, or it began before the service did.
        """
        with self._lock:
            if job_id not in self._jobs:
                raise NotFound("No such job.", cure="Kept plans are at /planning.")
            return self._jobs[job_id]

    def close(self) -> None:
        """Take no more; what runs comes to its end."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _run(self, job_id: str, act: Callable[[Progress], str]) -> None:
        self._set(job_id, state="running")

        def progress(what: str, done: int, total: int | None) -> None:
            self._set(job_id, what=what, done=done, total=total)

        try:
            run_id = act(progress)
        except ChwError as error:
            said = body_of(type(error).__name__, error.what, error.where, error.cure)
            self._set(job_id, state="failed", error=said)
        except Exception:
            # An entrance: nothing of what went wrong may leave, and the next job must run.
            said = body_of("ServerError", "The plan came to an unexpected end.")
            self._set(job_id, state="failed", error=said)
            raise
        else:
            self._set(job_id, state="done", run_id=run_id)

    def _set(self, job_id: str, **changed: Any) -> None:
        with self._lock:
            if job_id in self._jobs:
                self._jobs[job_id] = replace(self._jobs[job_id], **changed)
