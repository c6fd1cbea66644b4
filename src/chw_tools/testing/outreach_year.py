"""A made-up year of reminders, with everything that must stop one happening at random times.

People die, move away, are merged, withdraw consent, say STOP from their telephone, and are
visited; some change their mind again. A witness that knows nothing of the outbox keeps its own
account of each person and number, and judges every call that reaches the provider. What it
proves is plumbing: nobody here is real, and no rate is anybody's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from chw_tools.outreach.messages import Message, dedupe_key
from chw_tools.outreach.wire import Handed, Outgoing
from chw_tools.records import TABLES, Source, conform, derived_ids, new_id
from chw_tools.store.connection import insert_rows
from chw_tools.store.instants import as_text
from chw_tools.store.outbox import Desk, Outbox
from chw_tools.store.tables import WORK
from chw_tools.testing.outbox import fill_plainly
from chw_tools.testing.outreach_witness import FRESH_DAYS, GOAL_DAYS, STEPS, Event, Witness
from chw_tools.workflows.sending import Sender, send_due

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from chw_tools.outreach.claims import Claim, Judged
    from chw_tools.programme.outreach import Outreach
    from chw_tools.store import Store

_SOURCE = Source("made-up-year", first_seen_ms=1_700_000_000_000)
#: Share of everybody to whom each befalls once in the year; invented, and far more than real.
_SHARES = {
    "died": 0.02,
    "moved": 0.05,
    "merged": 0.01,
    "withdrew": 0.05,
    "stopped": 0.05,
}
#: Share of those who withdrew or said STOP who change their mind within two months.
_BACK = {"withdrew": ("agreed", 0.3), "stopped": ("started", 0.3)}
_CONSENT = {"given": 0.9, "refused": 0.05, "missing": 0.05}
_ENROLMENT = (
    *("id", "dedupe_key", "person_id", "protocol", "protocol_version", "state"),
    *("made_at", "changed_at", "anchor_on", "goal_from"),
)
_SHARED_NUMBER, _VISITED = 0.1, 0.6


@dataclass(frozen=True)
class Told:
    """What a made-up year came to."""

    n_people: int
    n_messages: int
    n_calls: int
    events: dict[str, int]
    states: dict[str, int]
    reasons: dict[str, int]
    faults: dict[str, int]


@dataclass
class _Provider:
    """Hands every call to the witness."""

    year: Year
    name: str = "made-up"
    channel: Literal["sms", "whatsapp", "email"] = "sms"
    n_calls: int = 0

    def send(self, message: Outgoing) -> Handed:
        person, anchor, step = self.year.about[message.message_id]
        self.year.witness.judge(person, anchor, step, self.year.now)
        self.n_calls += 1
        return Handed("accepted", f"made-up-{message.client_ref}")

    def look_up(self, client_ref: str, provider_id: str) -> Handed | None:
        return None


@dataclass(frozen=True)
class _Interrupted:
    """The outbox, with the world going on between a claim and its hand-over."""

    outbox: Outbox
    between: Callable[[], None]

    def hand_over(self, claims: Collection[Claim], *, now: datetime) -> Judged:
        self.between()
        return self.outbox.hand_over(claims, now=now)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.outbox, name)


class Year:
    """A year of one made-up programme over a store.

    Parameters
    ----------
    store : Store
        Empty.
    policy : Outreach
        The programme's decisions; its quiet hours and caps are the witness's too.
    people, days : int
        How many, and how long.
    seed : int
        Same seed, same year.
    hours : sequence of int
        Hours of a day at whose half the worker looks; some of them quiet.
    """

    def __init__(
        self,
        store: Store,
        policy: Outreach,
        *,
        people: int,
        days: int = 365,
        seed: int = 1,
        hours: Sequence[int] = (0, *range(7, 20)),
    ) -> None:
        self._store, self._policy, self._days, self._at = store, policy, days, hours
        self._zone = ZoneInfo(policy.quiet_hours.time_zone)
        self._chance = np.random.default_rng(seed)
        self._begins = datetime(2026, 1, 5, tzinfo=self._zone)
        self.now = self._begins.astimezone(UTC)
        self.ids = derived_ids(_SOURCE, "people", [str(at) for at in range(people)])
        self._outbox = Outbox(store, Desk(policy, fill_plainly, "year"))
        self.about: dict[str, tuple[int, date, str]] = {}
        self._provider = _Provider(self)
        self._waiting: list[Event] = []
        self._happened: Counter[str] = Counter()
        numbers = self._numbers(people)
        consent = self._chance.choice(list(_CONSENT), people, p=list(_CONSENT.values()))
        self.witness = Witness(consent.tolist(), numbers, self._zone)
        self._anchors = self._draw_anchors(people)

    def run(self) -> Told:
        """The whole year, hour by hour."""
        self._save_people()
        self._plan_messages()
        self._waiting = sorted(self._draw_events(), reverse=True)
        sender = Sender(
            outbox=_Interrupted(self._outbox, self._go_on),
            store=self._store,
            gateways={"sms": self._provider},
            policy=self._policy,
            clock=lambda: self.now,
        )
        for at in self._hours():
            self._happen(until=at)
            self.now = at
            send_due(sender)
        return self._told()

    # -- the people --------------------------------------------------------------------

    def _numbers(self, people: int) -> list[str]:
        """A number each; some share the one before theirs (the Kenyan range of 0700)."""
        shares = self._chance.random(people) < _SHARED_NUMBER
        own = np.cumsum(~shares)
        return [f"+2547{at:08d}" for at in own]

    def _draw_anchors(self, people: int) -> list[tuple[int, date]]:
        """Whose contact is due on which day: about one each."""
        n_each = self._chance.poisson(1.0, people)
        who = np.repeat(np.arange(people), n_each)
        days = self._chance.integers(4, max(5, self._days - 8), len(who))
        first = self._begins.date()
        return [(int(p), first + timedelta(days=int(d))) for p, d in zip(who, days, strict=True)]

    def _draw_events(self) -> list[Event]:
        found = [
            Event(self._instant(self._chance.random() * self._days), what, int(person))
            for what, share in _SHARES.items()
            for person in np.flatnonzero(self._chance.random(len(self.ids)) < share)
            if what != "merged" or person > 0
        ]
        for event in tuple(found):
            back, share = _BACK.get(event.what, ("", 0.0))
            if self._chance.random() < share:
                later = timedelta(days=float(self._chance.random() * 60))
                found.append(Event(event.at + later, back, event.person))
        for person, anchor in self._anchors:
            if self._chance.random() < _VISITED:
                on = datetime.combine(anchor, time(0), self._zone).astimezone(UTC)
                later = timedelta(days=float(self._chance.uniform(-6, 6)))
                found.append(Event(on + later, "visited", person))
        return found

    def _instant(self, days: float) -> datetime:
        return self._begins.astimezone(UTC) + timedelta(days=float(days))

    def _save_people(self) -> None:
        known = pd.Timestamp(self._begins.date()) - pd.Timedelta(days=9)
        row = {"source": _SOURCE.name, "known_on": known}
        people = pd.DataFrame({"id": self.ids, "sex": "female", "language": "en", **row})
        asked = [at for at, how in enumerate(self.witness.consent) if how != "missing"]
        consents = pd.DataFrame(
            {
                "id": derived_ids(_SOURCE, "consents", [str(at) for at in asked]),
                "person_id": [self.ids[at] for at in asked],
                "purpose": "outreach",
                "decision": [self.witness.consent[at] for at in asked],
                "decided_on": known,
                **row,
            }
        )
        with self._store.transaction():
            self._store.save("people", conform(TABLES["people"], people))
            self._store.save("consents", conform(TABLES["consents"], consents))

    def _plan_messages(self) -> None:
        names = [str(at) for at in range(len(self._anchors))]
        keys = derived_ids(_SOURCE, "enrolments", names)
        at = as_text(self.now)
        rows = [
            (key, f"{key}:year", self.ids[who], "year", 1, "active", at, at, *self._from(anchor))
            for key, (who, anchor) in zip(keys, self._anchors, strict=True)
        ]
        with self._store.working() as connection:
            insert_rows(connection, WORK["enrolments"], _ENROLMENT, rows)
        messages = [
            (self._message(key, who, anchor, step), (who, anchor, step))
            for key, (who, anchor) in zip(keys, self._anchors, strict=True)
            for step in STEPS
        ]
        for start in range(0, len(messages), 5000):
            batch = messages[start : start + 5000]
            planned = self._outbox.plan([message for message, _ in batch], now=self.now)
            by_key = {message.dedupe_key: message.id for message in planned}
            self.about |= {by_key[message.dedupe_key]: about for message, about in batch}

    def _from(self, anchor: date) -> tuple[str, str]:
        return anchor.isoformat(), (anchor - timedelta(days=GOAL_DAYS)).isoformat()

    def _message(self, enrolment: str, who: int, anchor: date, step: str) -> Message:
        due = anchor + timedelta(days=STEPS[step])
        stale = due + timedelta(days=FRESH_DAYS + 1)
        return Message(
            dedupe_key=dedupe_key(
                enrolment, step=step, occurrence=1, template_version=1, channel="sms"
            ),
            person_id=self.ids[who],
            purpose="outreach",
            step=step,
            channel="sms",
            template="visit_before",
            number=self.witness.number[who],
            enrolment_id=enrolment,
            due_at=datetime.combine(due, time(9), self._zone).astimezone(UTC),
            not_after=datetime.combine(stale, time(0), self._zone).astimezone(UTC),
        )

    # -- what happens --------------------------------------------------------------------

    def _hours(self) -> Iterable[datetime]:
        """Instants at which the worker looks."""
        for day in range(self._days):
            for hour in self._at:
                on = self._begins.date() + timedelta(days=day)
                yield datetime.combine(on, time(hour, 30), self._zone).astimezone(UTC)

    def _go_on(self) -> None:
        """The world does not wait between a claim and its hand-over: the next thing happens."""
        if self._waiting and self._waiting[-1].at < self.now + timedelta(hours=1):
            self._write([replace(self._waiting.pop(), at=self.now)])

    def _happen(self, *, until: datetime) -> None:
        found = []
        while self._waiting and self._waiting[-1].at <= until:
            found.append(self._waiting.pop())
        self._write(found)

    def _write(self, events: Sequence[Event]) -> None:
        """Write events as the programme would; then the witness knows of them too."""
        for table, rows in self._rows(events).items():
            self._store.save(table, conform(TABLES[table], pd.DataFrame(rows)))
        for event in events:
            number = self.witness.number[event.person]
            if event.what == "stopped":
                self._outbox.stop_number(number, now=event.at)
            elif event.what == "started":
                self._outbox.start_number(number, now=event.at)
            self.witness.note(event)
            self._happened[event.what] += 1

    def _rows(self, events: Sequence[Event]) -> dict[str, list[dict[str, Any]]]:
        rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for event in events:
            day = pd.Timestamp(event.at.astimezone(self._zone).date())
            row = {"id": new_id(), "person_id": self.ids[event.person], "source": "chw"}
            row |= {"known_on": day}
            if event.what in ("died", "moved", "merged"):
                into = self.ids[event.person - 1] if event.what == "merged" else None
                rows["person_changes"].append(
                    row | {"change": event.what, "happened_on": day, "into_person_id": into}
                )
            elif event.what in ("withdrew", "agreed"):
                decision = "given" if event.what == "agreed" else "withdrawn"
                rows["consents"].append(
                    row | {"purpose": "outreach", "decision": decision, "decided_on": day}
                )
            elif event.what == "visited":
                seen = {"visited_on": day, "kind": "home", "outcome": "seen"}
                rows["visits"].append(row | seen)
        return rows

    def _told(self) -> Told:
        counts = self._store.count_work("messages", by="reason")
        states: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        for (reason, state), n in counts.items():
            states[state] += n
            if state in ("suppressed", "expired", "cancelled"):
                reasons[reason] += n
        return Told(
            n_people=len(self.ids),
            n_messages=sum(states.values()),
            n_calls=self._provider.n_calls,
            events=dict(self._happened),
            states=dict(states),
            reasons=dict(reasons),
            faults=dict(self.witness.faults),
        )
