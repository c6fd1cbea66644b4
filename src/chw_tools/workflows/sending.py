"""Send what is due: one tick of a worker, and asking after what nobody knows the end of."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd

from chw_tools.outreach.claims import Answer
from chw_tools.outreach.windows import zone_named
from chw_tools.outreach.wire import Handed, Outgoing
from chw_tools.records import TABLES, conform, new_id

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime

    from chw_tools.outreach.claims import Ambiguous, Claim, Finished, Judged
    from chw_tools.outreach.messages import Message
    from chw_tools.outreach.wire import Gateway
    from chw_tools.programme.outreach import Outreach

#: Rows woken, freed or matched at a time.
_AT_A_TIME = 1000


class SendingOutbox(Protocol):
    """The acts of the outbox that sending needs."""

    def recover(self, *, now: datetime, limit: int = ...) -> tuple[int, int]: ...
    def wake(self, *, now: datetime, limit: int = ...) -> tuple[int, int]: ...
    def match_receipts(self, *, now: datetime, limit: int = ...) -> int: ...
    def claim(self, channel: str, *, now: datetime, limit: int) -> Judged: ...
    def hand_over(self, claims: Collection[Claim], *, now: datetime) -> Judged: ...
    def release(self, claims: Collection[Claim], *, now: datetime) -> int: ...
    def finish(self, answers: Collection[Answer], *, now: datetime) -> Finished: ...
    def ambiguous(self, *, limit: int = ...) -> list[Ambiguous]: ...
    def resolve(self, message_id: str, handed: Handed, *, now: datetime) -> bool: ...
    def ask_humans(self, *, now: datetime, limit: int = ...) -> int: ...


class ConsentStore(Protocol):
    """Where a consent that was withdrawn at the provider is written."""

    def save(self, table: str, frame: pd.DataFrame) -> Any: ...
    def transaction(self) -> AbstractContextManager[Any]: ...


@dataclass
class Sent:
    """What one tick did, in counts; ``broken`` channels that broke, ``heard`` messages read."""

    n_woken: int = 0
    n_freed: int = 0
    n_unknown: int = 0
    n_matched: int = 0
    n_settled: int = 0
    n_to_humans: int = 0
    states: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    broken: list[tuple[str, str]] = field(default_factory=list)
    heard: Counter[str] = field(default_factory=Counter)

    @property
    def n_done(self) -> int:
        """Messages that were handed over or refused."""
        return sum(self.states.values()) + sum(self.refused.values())

    def note_refused(self, judged: Judged) -> None:
        """Count what gates refused, by channel, act and gate."""
        for message, verdict in judged.refused:
            self.refused[message.channel, verdict.act, verdict.gate] += 1


@dataclass
class Pace:
    """How many sends begin with one commit: so many as last about as long as a hand-over holds.

    A gateway that answers at once gets many, which is fast; a slow one few, so that a crash
    leaves few of which nobody knows the end.
    """

    most: int = 100
    seconds_a_call: dict[str, float] = field(default_factory=dict)

    def at_once(self, channel: str, holds: timedelta) -> int:
        """How many for a channel; a few where nothing is known of it yet."""
        taken = self.seconds_a_call.get(channel)
        if taken is None:
            return min(5, self.most)
        return max(1, min(self.most, int(holds.total_seconds() / max(taken, 1e-6))))

    def note(self, channel: str, calls: int, taken: timedelta) -> None:
        """Learn from some calls."""
        self.seconds_a_call[channel] = max(taken.total_seconds(), 0.0) / calls


@dataclass(frozen=True)
class Sender:
    """What sending needs of the world.

    Parameters
    ----------
    outbox : SendingOutbox
        The messages.
    store : ConsentStore
        The register.
    gateways : mapping of str to Gateway
        By channel; a channel without one is left alone.
    policy : Outreach
        The programme's decisions.
    clock : callable
        Gives the present instant, aware.
    is_stopping : callable
        Whether to come to an end after the present call.
    batch : int
        Messages claimed at a time.
    pace : Pace
        Messages whose sends begin with one commit: what may be unknown after a crash.
    """

    outbox: SendingOutbox
    store: ConsentStore
    gateways: Mapping[str, Gateway]
    policy: Outreach
    clock: Callable[[], datetime]
    is_stopping: Callable[[], bool] = lambda: False
    batch: int = 200
    pace: Pace = field(default_factory=Pace)


def send_due(sender: Sender) -> Sent:
    """One tick: free what crashed workers hold, wake what is due, and send it.

    Comes back when nothing is due, or when it is to stop; then nothing is left claimed.
    """
    sent = Sent()
    sent.n_freed, sent.n_unknown = sender.outbox.recover(now=sender.clock())
    sent.n_matched = sender.outbox.match_receipts(now=sender.clock())
    _wake(sender, sent)
    for channel in sender.gateways:
        while not sender.is_stopping() and _send_batch(sender, channel, sent):
            pass
    return sent


def _wake(sender: Sender, sent: Sent) -> None:
    while not sender.is_stopping():
        n_woken, n_expired = sender.outbox.wake(now=sender.clock(), limit=_AT_A_TIME)
        sent.n_woken += n_woken
        sent.states["", "expired"] += n_expired
        if n_woken + n_expired < _AT_A_TIME:
            break
    sent.states += Counter()  # without zeros


def _send_batch(sender: Sender, channel: str, sent: Sent) -> bool:
    """Claim and send one batch; whether there may be more."""
    judged = sender.outbox.claim(channel, now=sender.clock(), limit=sender.batch)
    sent.note_refused(judged)
    left = deque(judged.claims)
    try:
        while left and not sender.is_stopping():
            n_going = min(len(left), sender.pace.at_once(channel, _holds(sender)))
            if not _send_together(sender, channel, [left.popleft() for _ in range(n_going)], sent):
                break
    finally:
        if left:
            sender.outbox.release(left, now=sender.clock())
    if left:
        return False
    # What is held stays due: to ask again at once would find the same.
    return any(verdict.act != "hold" for _, verdict in judged.refused) or bool(judged.claims)


def _holds(sender: Sender) -> timedelta:
    return timedelta(seconds=sender.policy.leases.hand_over_seconds)


def _send_together(sender: Sender, channel: str, claims: list[Claim], sent: Sent) -> bool:
    """Hand over and call, one after the other; False where the channel turned out broken.

    A hand-over holds for a moment only. After a long call, or a machine that slept, the
    outbox is asked again before the next call.
    """
    gateway = sender.gateways[channel]
    waiting, answers = deque(claims), list[Answer]()
    asked_at: datetime | None = None
    while waiting:
        now = sender.clock()
        if asked_at is None or not timedelta(0) <= now - asked_at <= _holds(sender):
            _finish(sender, answers, sent, asked_at=asked_at)
            answers, asked_at = [], now
            judged = sender.outbox.hand_over(list(waiting), now=now)
            sent.note_refused(judged)
            waiting = deque(judged.claims)
            continue
        claim = waiting.popleft()
        answers.append(_call(sender, gateway, claim, waiting, answers, sent))
        if answers[-1].handed.ending == "account":
            sender.outbox.release(waiting, now=sender.clock())
            break
    _finish(sender, answers, sent, asked_at=asked_at)
    return not (answers and answers[-1].handed.ending == "account")


def _call(
    sender: Sender,
    gateway: Gateway,
    claim: Claim,
    waiting: Collection[Claim],
    answers: list[Answer],
    sent: Sent,
) -> Answer:
    try:
        return Answer(claim, gateway.send(outgoing(claim)), gateway.name)
    except BaseException:
        # Nobody knows how far it came; the others were not touched.
        unknown = Answer(claim, Handed("unknown", "", "gateway_failed"), gateway.name)
        _finish(sender, [*answers, unknown], sent)
        sender.outbox.release(waiting, now=sender.clock())
        raise


def outgoing(claim: Claim) -> Outgoing:
    """The claim as a gateway takes it."""
    message, text = claim.message, claim.text
    return Outgoing(
        message_id=message.id,
        client_ref=message.client_ref,
        number=message.number,
        text=text.text,
        language=text.language,
        template=message.template,
        variables=getattr(text, "values", {}),
        subject=getattr(text, "subject", ""),
    )


def _finish(
    sender: Sender, answers: list[Answer], sent: Sent, *, asked_at: datetime | None = None
) -> None:
    if not answers:
        return
    now = sender.clock()
    if asked_at is not None:
        sender.pace.note(answers[0].claim.message.channel, len(answers), now - asked_at)
    if any(answer.handed.ending == "opted_out" for answer in answers):
        with sender.store.transaction():
            finished = sender.outbox.finish(answers, now=now)
            sender.store.save("consents", _withdrawals(finished.opted_out, sender.policy, now))
    else:
        finished = sender.outbox.finish(answers, now=now)
    channel = answers[0].claim.message.channel
    sent.states.update((channel, state) for _, state in finished.states)
    sent.broken += finished.broken


def _withdrawals(messages: Iterable[Message], policy: Outreach, now: datetime) -> pd.DataFrame:
    """Consent withdrawn by whoever the provider holds as opted out."""
    today = pd.Timestamp(now.astimezone(zone_named(policy.quiet_hours.time_zone)).date())
    rows = [
        {
            "id": new_id(),
            "person_id": message.person_id,
            "purpose": message.purpose,
            "channel": message.channel,
            "decision": "withdrawn",
            "decided_on": today,
            "source": "chw",
            "source_id": f"opted_out:{message.id}",
            "known_on": today,
        }
        for message in messages
    ]
    return conform(TABLES["consents"], pd.DataFrame(rows))


def settle_unknown(sender: Sender, *, limit: int = 50) -> tuple[int, int]:
    """Ask providers after what nobody knows the end of; then humans, after a while.

    Returns
    -------
    tuple of int
        How many a provider settled, and how many were given to humans.
    """
    n_settled = 0
    for one in sender.outbox.ambiguous(limit=limit):
        gateway = sender.gateways.get(one.channel)
        found = gateway and gateway.look_up(one.client_ref, one.provider_id)
        if found:
            n_settled += sender.outbox.resolve(one.message_id, found, now=sender.clock())
    return n_settled, sender.outbox.ask_humans(now=sender.clock())
