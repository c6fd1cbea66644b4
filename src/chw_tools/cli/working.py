"""`chw worker`: rounds of sending until told to stop, one process or several."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from chw_tools.cli.world import World, say, say_notes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date

    from chw_tools.api.working import Health, WorkerMetrics
    from chw_tools.outreach.wire import Gateway
    from chw_tools.store.outbox import Outbox
    from chw_tools.wiring import Parts
    from chw_tools.workflows.sending import Sender, Sent

    #: Reads what people wrote; how many messages ended in which state.
    Hear = Callable[[], Mapping[str, int]]

_log = logging.getLogger("chw_tools.worker")
#: Seconds between two times that providers are asked after what is unknown.
_SETTLE_SECONDS = 60.0
#: Rounds that a healthy worker may miss before it counts as ill, and the least in seconds;
#: more where a round may look after a million people before it sends.
_PATIENCE_ROUNDS = 6
_PATIENCE_SECONDS, _PATIENCE_WITH_MONITOR = 60.0, 900.0
#: Seconds before a process that died is started again.
_RESTART_SECONDS = 1.0


def add_to(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command(
        epilog="Examples: chw worker · chw worker --once · chw worker --processes 4 --port 9100 "
        "· chw worker --monitor-at 5"
    )(worker)


def worker(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="One round, then end.")] = False,
    interval: Annotated[float, typer.Option(min=0.1, help="Seconds between two rounds.")] = 5.0,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")] = 1,
    port: Annotated[
        int | None,
        typer.Option(help="Answer /healthz and /metrics here; each process the next port."),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address of /healthz and /metrics, which hold counts only.")
    ] = "127.0.0.1",
    monitor_at: Annotated[
        int | None,
        typer.Option(
            min=0, max=23, help="Also `chw monitor`, once a day from this hour of the programme on."
        ),
    ] = None,
) -> None:
    """Send messages that are due, until stopped; several workers share the work.

    Ctrl-C or SIGTERM lets the call in hand come to its end and gives back what is not begun.
    `chw outreach stop` is the switch that stops every worker.
    """
    world: World = context.obj
    if processes > 1:
        words = ["worker", "--interval", str(interval), "--host", host]
        words += ["--once"] if once else []
        first = [] if monitor_at is None else ["--monitor-at", str(monitor_at)]
        _run_processes(world.environ, words, first, processes=processes, port=port)
        return
    stopping = threading.Event()
    with world.parts() as parts, _stopped_by_signals(stopping):
        say_notes(parts.store.notes)
        daily = None if monitor_at is None else Daily(parts, monitor_at)
        _work(world, parts, stopping, daily, once=once, interval=interval, port=port, host=host)


@contextmanager
def _stopped_by_signals(stopping: threading.Event) -> Iterator[None]:
    def stop(*_: object) -> None:
        stopping.set()

    if threading.current_thread() is not threading.main_thread():
        yield  # as in tests; signals are the main thread's
        return
    before = {one: signal.signal(one, stop) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _work(
    world: World,
    parts: Parts,
    stopping: threading.Event,
    daily: Daily | None,
    *,
    once: bool,
    interval: float,
    port: int | None,
    host: str,
) -> None:
    from chw_tools.api.logs import set_up_logs
    from chw_tools.api.working import Health, WorkerMetrics, watch

    sender, outbox = make_sender(world, parts, stopping)
    hear = make_hearing(parts, sender, outbox)
    if once:
        if daily is not None:
            daily.run_if_due(sender.clock())
        say(said(_round(sender, hear, settle=True)))
        return
    set_up_logs(level=logging.WARNING if sys.stderr.isatty() else logging.INFO)
    patience = _PATIENCE_SECONDS if daily is None else _PATIENCE_WITH_MONITOR
    health = Health(max(patience, _PATIENCE_ROUNDS * interval))
    metrics = WorkerMetrics(lambda: outbox.status(now=sender.clock()), sender.clock)
    server = None if port is None else watch(metrics, health, host=host, port=port)
    if server is not None:
        say(f"Health and metrics at http://{host}:{server.server_address[1]}/")
    say("Sending what is due. Ctrl-C stops.")
    _log.info("worker_started")
    try:
        _Rounds(sender, hear, health, metrics, stopping, interval, daily).run()
    finally:
        if server is not None:
            server.shutdown()
        _log.info("worker_stopped")


def make_sender(world: World, parts: Parts, stopping: threading.Event) -> tuple[Sender, Outbox]:
    """The sender of this process (outbox, gateways, policy and clock), and its outbox."""
    from chw_tools.wiring import build_outbox
    from chw_tools.workflows.sending import Sender

    gateways = gateways_of(world, parts)
    outbox = build_outbox(
        parts,
        by=f"worker-{os.getpid()}",
        providers={channel: one.name for channel, one in gateways.items()},
    )
    policy = parts.programme.outreach
    sender = Sender(outbox, parts.store, gateways, policy, parts.clock(), stopping.is_set)
    return sender, outbox


def make_hearing(parts: Parts, sender: Sender, outbox: Outbox) -> Hear:
    """Reads what people wrote: before anything is sent, so that no send overtakes a STOP."""
    from chw_tools.wiring import build_inbox
    from chw_tools.workflows.replies import collect_news, read_replies

    inbox = build_inbox(parts, by=f"worker-{os.getpid()}")

    def hear() -> Mapping[str, int]:
        now = sender.clock()
        collect_news(gateways=sender.gateways.values(), outbox=outbox, inbox=inbox, now=now)
        return read_replies(inbox=inbox, now=now)

    return hear


def gateways_of(world: World, parts: Parts) -> Mapping[str, Gateway]:
    """The ways out by channel, as the operator's file says.

    Raises
    ------
    SettingsFault
        If the file is faulty, or would write to real numbers on behalf of simulated people.
    """
    from chw_tools.errors import SettingsFault
    from chw_tools.messaging.configured import REACHING_NOBODY
    from chw_tools.wiring import build_gateways

    gateways = build_gateways(parts.settings, environ=world.environ, say=say).by_channel
    reaching = [c for c, one in gateways.items() if one.name not in REACHING_NOBODY]
    if reaching and parts.store.population != "real":
        raise SettingsFault(
            f"would send to real numbers ({', '.join(reaching)}), and this store holds "
            f"{parts.store.population or 'no'} people.",
            where="CHW_GATEWAYS",
            cure="Open the store of your programme (CHW_DATABASE_URL), or use provider = 'file'.",
        )
    return gateways


@dataclass
class Daily:
    """`chw monitor` once a day from an hour on; after a restart once more, which changes nothing.

    Parameters
    ----------
    parts : Parts
        The parts.
    hour : int
        Hour of the programme's time zone.
    """

    parts: Parts
    hour: int
    done_on: date | None = None

    def run_if_due(self, now: datetime) -> bool:
        """Run where today's run is due; whether it was."""
        from chw_tools.cli.monitoring import run_monitor
        from chw_tools.outreach.windows import zone_named

        local = now.astimezone(zone_named(self.parts.programme.outreach.quiet_hours.time_zone))
        if local.hour < self.hour or local.date() == self.done_on:
            return False
        # Before it, not after: a run that breaks is told once a day, and sending goes on.
        self.done_on = local.date()
        found = run_monitor(self.parts, now=now)
        _log.info("monitored", extra={"count": found.n_open})
        return True


@dataclass
class _Rounds:
    """Round after round until told to stop; a broken one is told, counted, and tried again."""

    sender: Sender
    hear: Hear
    health: Health
    metrics: WorkerMetrics
    stopping: threading.Event
    interval: float
    daily: Daily | None = None
    settled_at: float = 0.0

    def run(self) -> None:
        while not self.stopping.is_set():
            began = time.monotonic()
            try:
                if self.daily is not None:
                    self.daily.run_if_due(self.sender.clock())
                settle = began - self.settled_at >= _SETTLE_SECONDS
                sent = _round(self.sender, self.hear, settle=settle)
                self.settled_at = began if settle else self.settled_at
            except Exception as broken:
                from chw_tools.api.logs import trace_end

                told = {"kind": type(broken).__name__, "place": trace_end(broken)}
                _log.error("round_broke", extra=told)
                self.metrics.count_failure()
            else:
                self.health.round_ended()
                self.metrics.count(sent, seconds=time.monotonic() - began)
                _tell(sent)
            self.stopping.wait(max(0.0, self.interval - (time.monotonic() - began)))


def _round(sender: Sender, hear: Hear, *, settle: bool) -> Sent:
    from chw_tools.workflows.sending import send_due, settle_unknown

    heard = hear()
    sent = send_due(sender)
    sent.heard.update(heard)
    if settle:
        sent.n_settled, sent.n_to_humans = settle_unknown(sender)
    return sent


def _tell(sent: Sent) -> None:
    for (channel, state), n in sorted(sent.states.items()):
        _log.info("messages", extra={"channel": channel or "none", "what": state, "count": n})
    for state, n in sorted(sent.heard.items()):
        _log.info("messages_received", extra={"what": state, "count": n})
    for channel, reason in sent.broken:
        _log.error("channel_broke", extra={"channel": channel, "what": reason})
    if sent.n_to_humans:
        _log.warning("asked_humans", extra={"count": sent.n_to_humans})


_ACTS = {"move": "moved", "suppress": "suppressed", "expire": "expired", "hold": "held"}


def said(sent: Sent) -> str:
    """A round in a sentence or two."""
    parts = [f"{n} {state}" for (_, state), n in sorted(sent.states.items())]
    held = [f"{n} {_ACTS[act]} by {gate}" for (_, act, gate), n in sorted(sent.refused.items())]
    lines = ["; ".join(parts + held) or "Nothing is due."]
    if sent.heard:
        heard = (f"{n} {state.replace('_', ' ')}" for state, n in sorted(sent.heard.items()))
        lines.append(f"Received and read: {', '.join(heard)}.")
    lines += [f"{channel} is refused by its provider: {reason}." for channel, reason in sent.broken]
    if sent.n_unknown:
        lines.append(f"{sent.n_unknown} unknown after a crash; they are not sent again.")
    return "\n".join(lines)


def _run_processes(
    environ: Mapping[str, str],
    words: list[str],
    first: list[str],
    *,
    processes: int,
    port: int | None,
) -> None:
    """Several workers below this one, which passes on its end and starts again who died.

    Only the first gets the words of ``first``.
    """
    stopping = threading.Event()

    def start(at: int) -> subprocess.Popen[bytes]:
        own = [*words, *(["--port", str(port + at if port else 0)] if port is not None else [])]
        own += first if at == 0 else []
        run = "import sys; from chw_tools.cli.main import run; run()"
        return subprocess.Popen([sys.executable, "-c", run, *own], env=dict(environ))  # noqa: S603 (our own words)

    with _stopped_by_signals(stopping):
        alive = {at: start(at) for at in range(processes)}
        while alive and not stopping.wait(_RESTART_SECONDS):
            for at, process in list(alive.items()):
                if process.poll() is None:
                    continue
                if process.returncode == 0:
                    del alive[at]
                else:
                    _log.error("worker_died", extra={"count": at})
                    alive[at] = start(at)
        for process in alive.values():
            process.send_signal(signal.SIGTERM)
        for process in alive.values():
            process.wait()
