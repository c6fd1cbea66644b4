"""What watches a worker: health, counts, and nothing of anybody."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from chw_tools.api.working import WORKER_METRICS, Health, WorkerMetrics, watch
from chw_tools.errors import SettingsFault, StoreUnavailable
from chw_tools.store.outbox import ChannelStatus, OutboxStatus
from chw_tools.workflows.sending import Sent

NOON = datetime(2026, 3, 4, 9, tzinfo=UTC)
STATUS = OutboxStatus(
    messages=(("sms", "accepted", 7),),
    channels=(ChannelStatus("sms", True, False, "by_hand", 0, NOON),),
    n_opted_out=1,
    n_bad_numbers=0,
    oldest_due_at=NOON - timedelta(minutes=2),
    n_unmatched_receipts=3,
)
SENT = Sent(
    n_freed=1,
    n_unknown=2,
    states=Counter({("sms", "accepted"): 5, ("", "expired"): 1}),
    refused=Counter({("sms", "suppress", "G2"): 4}),
)


def metrics() -> WorkerMetrics:
    return WorkerMetrics(lambda: STATUS, lambda: NOON)


def test_every_declared_series_is_written_and_documented() -> None:
    counted = metrics()
    counted.count(SENT, seconds=0.2)
    counted.count_failure()
    written = counted.write().decode()
    page = (Path(__file__).resolve().parents[3] / "docs/monitoring.md").read_text(encoding="utf-8")
    for metric in WORKER_METRICS:
        assert f"# TYPE {metric.name.removesuffix('_total')}" in written
        labels = ", ".join(metric.labels) or "–"
        assert f"| `{metric.name}` | {metric.kind} | {labels} | {metric.meaning} |" in page
    assert 'chw_outreach_messages_total{channel="sms",state="accepted"} 5.0' in written
    assert 'chw_outreach_refused_total{act="suppress",channel="sms",gate="G2"} 4.0' in written
    assert 'chw_outreach_stopped{channel="sms",why="by_hand"} 1.0' in written
    assert "chw_outreach_oldest_due_seconds 120.0" in written
    assert 'chw_worker_rounds_total{outcome="broken"} 1.0' in written


def test_a_store_that_does_not_answer_leaves_the_counters() -> None:
    def refuse() -> OutboxStatus:
        raise StoreUnavailable("gone")

    written = WorkerMetrics(refuse, lambda: NOON).write().decode()
    assert "chw_worker_round_seconds" in written
    assert "chw_outreach_messages{" not in written


def test_it_answers_probes_and_says_when_rounds_stopped_ending() -> None:
    health = Health(patience=60.0)
    server = watch(metrics(), health, host="127.0.0.1", port=0)
    address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        assert httpx.get(f"{address}/healthz").json() == {"status": "ok"}
        assert b"chw_outreach_messages" in httpx.get(f"{address}/metrics").content
        assert httpx.get(f"{address}/people").status_code == 404
        health.ended_at -= 61.0
        assert httpx.get(f"{address}/healthz").status_code == 503
        health.round_ended()
        assert health.is_well
        with pytest.raises(SettingsFault, match="cannot be used"):
            watch(metrics(), health, host="127.0.0.1", port=server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
