"""A witness of made-up outreach: its own account of everybody, by which it judges every call."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

#: Days from the anchor on which a reminder goes out, and the days that it stays fresh.
STEPS = {"before": -3, "on_the_day": 0, "after": 3}
FRESH_DAYS = 2
#: A visit so many days before the anchor, or later, is what the reminder asks for.
GOAL_DAYS = 5


@dataclass(frozen=True, order=True)
class Event:
    """Something that happens to one person at an instant."""

    at: datetime
    what: str
    person: int


@dataclass
class Witness:
    """Its own account of everybody, kept by what happened and not by what the store says.

    Parameters
    ----------
    consent : list of str
        By person: how consent stood when the year began, and stands.
    number : sequence of str
        By person: the telephone.
    zone : ZoneInfo
        Where everybody lives.
    """

    consent: list[str]
    number: Sequence[str]
    zone: ZoneInfo
    gone: dict[int, str] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)
    visited: dict[int, date] = field(default_factory=dict)
    calls: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    faults: Counter[str] = field(default_factory=Counter)
    #: Entries merged into a person's, and the place in time of each entry's last decision.
    merged: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    decided: dict[int, int] = field(default_factory=dict)
    n_noted: int = 0

    def note(self, event: Event) -> None:
        """Keep what happened."""
        self.n_noted += 1
        if event.what in ("died", "moved", "merged"):
            self.gone[event.person] = event.what
        if event.what == "merged":
            self.merged[event.person - 1].add(event.person)
        elif event.what in ("withdrew", "agreed"):
            self.consent[event.person] = "given" if event.what == "agreed" else "withdrawn"
            self.decided[event.person] = self.n_noted
        elif event.what == "stopped":
            self.stopped.add(self.number[event.person])
        elif event.what == "started":
            self.stopped.discard(self.number[event.person])
        elif event.what == "visited":
            self.visited[event.person] = event.at.astimezone(self.zone).date()

    def consents(self, person: int) -> bool:
        """Whether the last decision of the person, under whatever entry, was to agree.

        Two entries that decided before the year have no order: then nobody may be wronged.
        """
        every = self._entries(person)
        newest = max(self.decided.get(one, 0) for one in every)
        said = {self.consent[one] for one in every if self.decided.get(one, 0) == newest}
        return said == {"given"} or said == {"given", "missing"}

    def _entries(self, person: int) -> set[int]:
        return {person}.union(*(self._entries(one) for one in self.merged.get(person, ())))

    def judge(self, person: int, anchor: date, step: str, at: datetime) -> None:
        """Count everything that is wrong with a call at this instant."""
        local, number = at.astimezone(self.zone), self.number[person]
        before = [one.astimezone(self.zone).date() for one in self.calls[number]]
        due = anchor + timedelta(days=STEPS[step])
        wrong = {
            f"sent though {self.gone.get(person)}": person in self.gone,
            "sent without consent": not self.consents(person),
            "sent after STOP": number in self.stopped,
            "sent though visited": self._is_visited(person, anchor),
            "sent in quiet hours": not time(9) <= local.time() < time(18),
            "sent on a Sunday": local.weekday() == 6,
            "sent too early": local.date() < due,
            "sent stale": local.date() > due + timedelta(days=FRESH_DAYS),
            "two in a day": local.date() in before,
            "four in seven days": sum(day > local.date() - timedelta(7) for day in before) >= 3,
        }
        self.faults.update(what for what, holds in wrong.items() if holds)
        self.calls[number].append(at)

    def _is_visited(self, person: int, anchor: date) -> bool:
        last = self.visited.get(person)
        return last is not None and last >= anchor - timedelta(days=GOAL_DAYS)
