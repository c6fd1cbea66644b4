"""Workers that are killed at every point of their work, and what the outbox must hold then.

Real processes on one database: each works as ``chw worker`` does, and is killed with SIGKILL
at a drawn point of its life (before or after any statement, before a commit, after it, before
or after the call of the provider). The provider is a file, on the disk before it answers. At
the end every call and every state is counted.
"""

from __future__ import annotations

import os
import random
import signal
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from chw_tools.errors import StoreUnavailable
from chw_tools.outreach.machines import MESSAGE
from chw_tools.outreach.windows import share_of
from chw_tools.outreach.wire import Handed
from chw_tools.programme.outreach import Retries
from chw_tools.store import open_store
from chw_tools.store.outbox import Desk, Outbox
from chw_tools.store.tables import WORK
from chw_tools.testing.outbox import (
    RecordingGateway,
    fill_plainly,
    now_in_utc,
    open_all_hours,
    plan_for_many,
)
from chw_tools.workflows.sending import Pace, Sender, send_due

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from chw_tools.outreach.wire import Outgoing
    from chw_tools.programme.outreach import Outreach
    from chw_tools.store import Store
    from chw_tools.store.connection import Reader

#: Points that one life can be killed at: about two rounds of claim, hand-over, calls, finish.
_LONGEST_LIFE = 140
#: How a life ends whose store did not answer, and one that broke.
_BUSY, _BROKE = 3, 1
#: States in which a message is not done with.
_OPEN = ("planned", "due", "sending", "retry_wait")
#: Share of calls that the provider refuses for now, and that it takes without an answer.
_REFUSED, _SILENT = 0.03, 0.02


@dataclass
class Points:
    """Counts the points that a life passes, and ends it at the drawn one."""

    left: int | None
    deaths: Path
    stage: str = "between"

    def passed(self, *_: Any, **__: Any) -> None:
        """One point; perhaps the last."""
        if self.left is None:
            return
        self.left -= 1
        if self.left <= 0:
            _append(self.deaths, self.stage)
            os.kill(os.getpid(), signal.SIGKILL)


def _append(path: Path, line: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(handle, f"{line}\n".encode())
    os.close(handle)


@dataclass(frozen=True)
class _Staged:
    """The outbox, which tells at each act what it is doing."""

    outbox: Outbox
    points: Points

    def __getattr__(self, act: str) -> Callable[..., Any]:
        def acting(*given: Any, **named: Any) -> Any:
            self.points.stage = act
            self.points.passed()
            came = getattr(self.outbox, act)(*given, **named)
            self.points.passed()
            self.points.stage = "between"
            return came

        return acting


@dataclass(frozen=True)
class _Mortal:
    """The recording provider, at whose call a worker may die; some calls it refuses."""

    provider: RecordingGateway
    points: Points
    name: str = "recording"
    channel: Any = "sms"

    def send(self, message: Outgoing) -> Handed:
        self.points.stage = "send"
        self.points.passed()
        chance = share_of(f"{message.message_id}:{message.client_ref}")
        refusals = self.provider.path.with_name("refusals")
        if chance < _REFUSED and message.message_id not in _lines(refusals):
            _append(refusals, message.message_id)
            return Handed("retry", "", "busy")
        came = self.provider.send(message)
        self.points.passed()
        self.points.stage = "between"
        return Handed("unknown", "", "no_answer") if chance > 1 - _SILENT else came

    def look_up(self, client_ref: str, provider_id: str) -> Handed | None:
        return None


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="ascii").splitlines() if path.exists() else []


@dataclass
class Torture:
    """What came of it; ``faults`` is empty where everything held."""

    n_messages: int
    n_killed: int
    deaths: Counter[str]
    states: Counter[str]
    n_calls: int
    n_stopped: int
    seconds: float
    n_busy: int = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        said = [
            f"{self.n_messages:,} messages, {self.n_killed:,} workers killed, "
            f"{self.n_stopped:,} numbers stopped meanwhile, {self.seconds:.0f} s",
            "killed in    " + ", ".join(f"{k} {n:,}" for k, n in self.deaths.most_common()),
            "messages now " + ", ".join(f"{k} {n:,}" for k, n in self.states.most_common()),
            f"calls taken by the provider {self.n_calls:,}; lives ended by a busy store "
            f"{self.n_busy:,}",
            *(self.faults or ["no duplicate call, none lost, none begun after STOP"]),
        ]
        return "\n".join(said)


def torture(
    url: str, folder: Path, *, kills: int, messages: int, workers: int = 4, seed: int = 1
) -> Torture:
    """Kill workers of a new store until so many died, let the rest finish, and count.

    Parameters
    ----------
    url : str
        An empty database.
    folder : Path
        For the provider's file.
    kills, messages, workers, seed : int
        How often to kill, what to send, how many work at a time, and the chance of it all.
    """
    began = time.monotonic()
    policy = replace(
        open_all_hours(lease_seconds=1.0, hand_over_seconds=1.0), retries=Retries((0.2,) * 5)
    )
    with open_store(url) as store:
        store.set_population("simulated")
        planned = plan_for_many(store, policy, people=messages, now=now_in_utc())
    chance, n_killed = random.Random(seed), 0
    stopping = _fork(lambda: _stop_some(url, folder, policy, seed=seed, share=0.05))
    alive = {_start(url, folder, policy, _drawn(chance, kills)) for _ in range(workers)}
    n_started = workers
    ends: Counter[int] = Counter()
    while alive:
        pid, how = os.waitpid(-1, 0)
        if pid == stopping:
            stopping = 0
            continue
        alive.discard(pid)
        was_killed = os.WIFSIGNALED(how) and os.WTERMSIG(how) == signal.SIGKILL
        n_killed += was_killed
        ends[os.WEXITSTATUS(how) if os.WIFEXITED(how) else -1] += 1
        if was_killed or not os.WIFEXITED(how) or os.WEXITSTATUS(how):
            life = _drawn(chance, kills - n_started)
            n_started += 1
            alive.add(_start(url, folder, policy, life))
    if stopping:
        os.kill(stopping, signal.SIGTERM)
        os.waitpid(stopping, 0)
    with open_store(url) as store:
        came = _counted(store, folder, planned, n_killed, time.monotonic() - began)
    came.n_busy = ends[_BUSY]
    if ends[_BROKE]:
        came.faults.append(f"{ends[_BROKE]} workers broke")
    return came


def _drawn(chance: random.Random, left: int) -> int | None:
    """A life's length in points; endless once enough were killed."""
    return chance.randint(1, _LONGEST_LIFE) if left > 0 else None


def _fork(act: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = _BROKE
    try:
        act()
        status = 0
    except StoreUnavailable:
        status = _BUSY  # another life begins
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _start(url: str, folder: Path, policy: Outreach, life: int | None) -> int:
    return _fork(lambda: _live(url, folder, policy, life))


def _live(url: str, folder: Path, policy: Outreach, life: int | None) -> None:
    points = Points(life, folder / "deaths")
    with open_store(url) as store:
        for event in ("before_cursor_execute", "after_cursor_execute", "commit"):
            sa.event.listen(store._engine, event, points.passed)
        gateway = _Mortal(RecordingGateway(folder / "calls"), points)
        desk = Desk(policy, fill_plainly, f"worker-{os.getpid()}", {"sms": gateway.name})
        outbox = Outbox(store, desk)
        staged: Any = _Staged(outbox, points)
        pace = Pace(most=10)
        sender = Sender(staged, store, {"sms": gateway}, policy, now_in_utc, batch=30, pace=pace)
        while True:
            sent = send_due(sender)
            if not sent.n_done and not _n_open(store):
                return
            if not sent.n_done:
                time.sleep(0.05)


def _n_open(store: Store) -> int:
    table = WORK["messages"].c
    with store._reading() as reader:
        counted = reader.select("messages", [sa.func.count()])
        return int(reader.value(counted.where(table.state.in_(_OPEN))))


def _stop_some(url: str, folder: Path, policy: Outreach, *, seed: int, share: float) -> None:
    """Say STOP from some numbers at any time; note which messages had not begun by then."""
    chance = random.Random(seed + 1)
    with open_store(url) as store:
        outbox = Outbox(store, Desk(policy, fill_plainly, "stopper"))
        table = WORK["messages"].c
        with store._reading() as reader:
            statement = reader.select("messages", ["id", "number"]).order_by(table.dedupe_key)
            rows = reader.rows(statement)
        chosen = chance.sample(rows, int(len(rows) * share))
        for key, number in chosen:
            outbox.stop_number(number, now=now_in_utc())
            with store._reading() as reader:
                statement = reader.select("messages", ["handed_at"]).where(table.id == key)
                if reader.value(statement) is None:
                    _append(folder / "stopped", key)
            time.sleep(chance.random() * 0.05)


def _counted(
    store: Store, folder: Path, planned: list[Any], n_killed: int, seconds: float
) -> Torture:
    with store._reading() as reader:
        kept = reader.rows(reader.select("messages", ["id", "state"]))
        states: dict[str, str] = {key: state for key, state in kept}
        faults = _diary_faults(reader, states)
    calls = Counter(RecordingGateway(folder / "calls").calls())
    unbegun = set(_lines(folder / "stopped"))
    found = {
        "called twice or more": [key for key, n in calls.items() if n > 1],
        "called and of another state": [
            key for key in calls if states.get(key) not in ("accepted", "unknown")
        ],
        "accepted and never called": [
            key for key, state in states.items() if state == "accepted" and key not in calls
        ],
        "lost": [m.id for m in planned if states.get(m.id) in (None, *_OPEN)],
        "begun after STOP": [key for key in unbegun if key in calls],
    }
    faults += [f"{len(keys)} {what}" for what, keys in found.items() if keys]
    return Torture(
        n_messages=len(planned),
        n_killed=n_killed,
        deaths=Counter(_lines(folder / "deaths")),
        states=Counter(states.values()),
        n_calls=sum(calls.values()),
        n_stopped=len(unbegun),
        seconds=seconds,
        faults=faults,
    )


def _diary_faults(reader: Reader, states: dict[str, str]) -> list[str]:
    """Messages whose diary is no chain of allowed moves that ends in their state."""
    events = WORK["message_events"].c
    names = ("message_id", "from_state", "to_state")
    at: dict[str, str] = dict.fromkeys(states, "")
    n_wrong = 0
    for key, before, after in reader.rows(
        reader.select("message_events", names).order_by(events.id)
    ):
        is_first = before is None and not at[key]
        n_wrong += not (is_first or (before == at[key] and MESSAGE.may(before, after)))
        at[key] = after
    n_wrong += sum(at[key] != state for key, state in states.items())
    return [f"{n_wrong} changes that the diary does not hold in order"] if n_wrong else []
