"""What watches a worker: its health, and what it counts; for probes and Prometheus, nobody else's.

``/healthz`` answers 200 while rounds come to an end, ``/metrics`` gives :data:`WORKER_METRICS`.
Both hold counts only: channels, states and gates, never a person's values.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from chw_tools.api.metrics import Metric, gauge_of
from chw_tools.errors import ChwError, SettingsFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from chw_tools.store.outbox import OutboxStatus
    from chw_tools.workflows.sending import Sent

#: The outbox is counted at most once in so many seconds.
STATUS_SECONDS = 30.0
_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0)

WORKER_METRICS: tuple[Metric, ...] = (
    Metric(
        "chw_worker_rounds_total", "counter", "Rounds that came to an end, or broke.", ("outcome",)
    ),
    Metric("chw_worker_round_seconds", "histogram", "Seconds of a round."),
    Metric(
        "chw_outreach_messages_total",
        "counter",
        "Messages that this worker brought into a state.",
        ("channel", "state"),
    ),
    Metric(
        "chw_outreach_refused_total",
        "counter",
        "Messages that a gate did not let out, by what it did with them.",
        ("channel", "act", "gate"),
    ),
    Metric(
        "chw_outreach_freed_total",
        "counter",
        "Messages freed from a worker that died, by what became of them.",
        ("state",),
    ),
    Metric("chw_outreach_messages", "gauge", "Messages kept, by state.", ("channel", "state")),
    Metric(
        "chw_outreach_stopped",
        "gauge",
        "1 where a person stopped the channel (`*` is all), or its provider refuses the account.",
        ("channel", "why"),
    ),
    Metric("chw_outreach_oldest_due_seconds", "gauge", "How long the oldest due message waits."),
    Metric("chw_outreach_unmatched_receipts", "gauge", "Reports on messages that are not known."),
)


@dataclass
class Health:
    """Whether a worker's rounds come to an end.

    Parameters
    ----------
    patience : float
        Seconds after which a worker whose last round ended so long ago is ill.
    """

    patience: float
    ended_at: float = field(default_factory=time.monotonic)

    def round_ended(self) -> None:
        """A round came to its end."""
        self.ended_at = time.monotonic()

    @property
    def is_well(self) -> bool:
        """Whether the last round ended not too long ago."""
        return time.monotonic() - self.ended_at <= self.patience


class WorkerMetrics:
    """The counters of one worker.

    Parameters
    ----------
    status : callable
        Gives the outbox's status; may raise one of our errors.
    now : callable
        The present instant.
    """

    def __init__(self, status: Callable[[], OutboxStatus], now: Callable[[], Any]) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram

        self._registry = CollectorRegistry()
        declared = {metric.name: metric for metric in WORKER_METRICS}

        def made(kind: Any, name: str, **options: Any) -> Any:
            one = declared[name]
            return kind(name, one.meaning, one.labels, registry=self._registry, **options)

        self._rounds = made(Counter, "chw_worker_rounds_total")
        self._seconds = made(Histogram, "chw_worker_round_seconds", buckets=_BUCKETS)
        self._messages = made(Counter, "chw_outreach_messages_total")
        self._refused = made(Counter, "chw_outreach_refused_total")
        self._freed = made(Counter, "chw_outreach_freed_total")
        self._registry.register(_StatusCollector(status, now))

    def count(self, sent: Sent, *, seconds: float) -> None:
        """One round that came to its end."""
        self._rounds.labels(outcome="done").inc()
        self._seconds.observe(seconds)
        for (channel, state), n in sent.states.items():
            self._messages.labels(channel=channel or "-", state=state).inc(n)
        for (channel, act, gate), n in sent.refused.items():
            self._refused.labels(channel=channel, act=act, gate=gate).inc(n)
        self._freed.labels(state="due").inc(sent.n_freed)
        self._freed.labels(state="unknown").inc(sent.n_unknown)

    def count_failure(self) -> None:
        """One round that broke."""
        self._rounds.labels(outcome="broken").inc()

    def write(self) -> bytes:
        """Every series in Prometheus' text format."""
        from prometheus_client import generate_latest

        return bytes(generate_latest(self._registry))


class _StatusCollector:
    """The gauges of the outbox, counted at most once in :data:`STATUS_SECONDS`."""

    def __init__(self, status: Callable[[], OutboxStatus], now: Callable[[], Any]) -> None:
        self._status, self._now = status, now
        self._held: OutboxStatus | None = None
        self._until = 0.0
        self._lock = threading.Lock()

    def describe(self) -> list[Any]:
        """Nothing is counted when the collector is registered."""
        return []

    def collect(self) -> Iterator[Any]:
        """The gauges; none where the store does not answer."""
        try:
            with self._lock:
                if self._held is None or time.monotonic() >= self._until:
                    self._held = self._status()
                    self._until = time.monotonic() + STATUS_SECONDS
                status = self._held
        except ChwError:
            return
        yield _gauge("chw_outreach_messages", {(c, s): n for c, s, n in status.messages})
        stopped = {(one.channel, "by_hand"): int(one.is_stopped) for one in status.channels}
        stopped |= {(one.channel, "by_provider"): int(one.is_broken) for one in status.channels}
        yield _gauge("chw_outreach_stopped", stopped)
        if status.oldest_due_at is not None:
            waited = (self._now() - status.oldest_due_at).total_seconds()
            yield _gauge("chw_outreach_oldest_due_seconds", {(): max(waited, 0.0)})
        yield _gauge("chw_outreach_unmatched_receipts", {(): status.n_unmatched_receipts})


def _gauge(name: str, values: Mapping[Any, float]) -> Any:
    return gauge_of(WORKER_METRICS, name, values)


def watch(metrics: WorkerMetrics, health: Health, *, host: str, port: int) -> ThreadingHTTPServer:
    """Answer ``/healthz`` and ``/metrics`` in threads of their own, until it is shut down.

    Raises
    ------
    SettingsFault
        If the port is taken.
    """

    class Answers(BaseHTTPRequestHandler):
        server_version, sys_version = "chw", ""

        def do_GET(self) -> None:
            if self.path == "/healthz":
                said = {"status": "ok" if health.is_well else "no round ended for too long"}
                self._answer(200 if health.is_well else 503, json.dumps(said).encode())
            elif self.path == "/metrics":
                self._answer(200, metrics.write(), kind="text/plain; version=0.0.4")
            else:
                self._answer(404, b"{}")

        def _answer(self, status: int, body: bytes, kind: str = "application/json") -> None:
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Probes are not told."""

    try:
        server = ThreadingHTTPServer((host, port), Answers)
    except (OSError, OverflowError) as refused:
        why = getattr(refused, "strerror", None) or "ports go from 0 to 65535"
        raise SettingsFault(
            f"port {port} cannot be used ({why}).",
            where="--port",
            cure="Choose another port; 0 takes a free one.",
        ) from None
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="watch", daemon=True).start()
    return server
