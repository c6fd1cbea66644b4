"""Gateways that reach nobody, and the network of nobody."""

import itertools
import json
import stat
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chw_tools.messaging.keeping import ToConsole, ToFile
from chw_tools.messaging.simulated import Habits, SimulatedNetwork
from chw_tools.outreach.wire import Outgoing

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def message(at: int) -> Outgoing:
    return Outgoing(f"m{at}", f"ref-{at}", f"+99955{at:08d}", "Hello")


def network(seed: int = 7, **habits: float) -> SimulatedNetwork:
    return SimulatedNetwork(seed, clock=lambda: NOON, habits=Habits(**habits))


def test_a_line_in_a_file_of_one_s_own(tmp_path: Path) -> None:
    gateway = ToFile(tmp_path / "messages" / "sms.jsonl")
    assert gateway.look_up("ref-1", "").reason == "never_arrived"  # type: ignore[union-attr]
    for at in (1, 2):
        assert gateway.send(message(at)).ending == "accepted"
    lines = [json.loads(line) for line in gateway.path.read_text(encoding="utf-8").splitlines()]
    assert [line["client_ref"] for line in lines] == ["ref-1", "ref-2"]
    assert stat.S_IMODE(gateway.path.stat().st_mode) == 0o600
    assert gateway.look_up("ref-2", "").ending == "accepted"  # type: ignore[union-attr]
    assert gateway.look_up("ref-3", "").ending == "retry"  # type: ignore[union-attr]


def test_a_file_that_cannot_be_written_stops_the_channel(tmp_path: Path) -> None:
    (tmp_path / "messages").write_text("not a folder", encoding="utf-8")
    done = ToFile(tmp_path / "messages" / "sms.jsonl").send(message(1))
    assert (done.ending, done.reason) == ("account", "file_not_writable")


def test_the_console_shows_the_end_of_a_number() -> None:
    said: list[str] = []
    gateway = ToConsole(said.append)
    assert gateway.send(message(1)).ending == "accepted"
    assert said == ["[sms] …001 (en) Hello"]
    assert gateway.look_up("ref-1", "") is None


def test_the_same_seed_is_the_same_network_in_any_order() -> None:
    def run(order: list[int]) -> tuple[dict[int, str], Counter[str]]:
        one = network()
        endings = {at: one.send(message(at)).ending for at in order}
        news = one.collect(NOON + timedelta(days=2))
        return endings, Counter(map(repr, (*news.receipts, *news.inbound)))

    assert run(list(range(300))) == run(list(range(299, -1, -1)))
    assert run(list(range(300)))[0] != {
        at: network(8).send(message(at)).ending for at in range(300)
    }


def test_every_habit_happens() -> None:
    one = network(busy=0.1, lost_answer=0.1, wrong_number=0.1, opted_out=0.1, stops=0.2)
    endings = Counter(one.send(message(at)).ending for at in range(1500))
    assert set(endings) == {"accepted", "retry", "unknown", "permanent", "opted_out"}
    news = one.collect(NOON + timedelta(days=2))
    states = Counter(receipt.state for receipt in news.receipts)
    assert set(states) == {"sent", "delivered", "failed"}
    assert {said.text for said in news.inbound} == {"1", "2", "STOP"}
    ids = [(receipt.provider_id, receipt.state) for receipt in news.receipts]
    assert len(ids) > len(set(ids))
    # Reports overtake one another.
    first = {receipt.provider_id: receipt.state for receipt in reversed(news.receipts)}
    assert "delivered" in first.values()
    assert one.collect(NOON + timedelta(days=2)) == type(news)()


def test_what_was_taken_is_taken_once_and_can_be_asked_for() -> None:
    one = network(busy=0, lost_answer=1, wrong_number=0, opted_out=0, silent=0, answers=0)
    assert [one.send(message(1)).ending for _ in range(3)] == ["unknown"] * 3
    assert len(one.taken) == 1
    found = one.look_up("ref-1", "")
    assert found is not None
    assert found.ending == "accepted"
    assert one.look_up("ref-2", "").reason == "never_arrived"  # type: ignore[union-attr]
    assert one.collect(NOON - timedelta(seconds=1)).receipts == ()
    later = [one.collect(NOON + timedelta(minutes=at)).receipts for at in range(0, 40, 5)]
    assert len(list(itertools.chain(*later))) in (2, 3, 4)
