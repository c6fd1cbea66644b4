"""What a page or an answer shows: plain frozen dataclasses, ready to render or to serialise."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date  # noqa: TC003 - the API reads these annotations at run time


@dataclass(frozen=True)
class VisitEntry:
    """A visit as a worker enters it.

    Parameters
    ----------
    person_id : str
        Who was visited.
    visited_on : date
        Day of the visit.
    outcome : str
        ``seen``, ``away``, ``refused``, ``moved`` or ``died``.
    worker_id : str or None
        Who made it.
    measurements : dict of str to float or str
        By name in the catalogue, in its unit, for example ``{"systolic_mmhg": 150}``.
    danger_signs : dict of str to bool or None
        By name in the catalogue: each sign asked about, and whether it is there. ``None``
        for the whole means not asked; an empty dict means asked, and none of them.
    minutes : float or None
        How long it took.
    supersedes_id : str or None
        Earlier visit that this one corrects.
    visit_id : str or None
        Key given by the phone; sending the same visit twice then changes nothing.
    """

    person_id: str
    visited_on: date
    outcome: str = "seen"
    worker_id: str | None = None
    measurements: dict[str, float | str] = field(default_factory=dict)
    danger_signs: dict[str, bool] | None = None
    minutes: float | None = None
    supersedes_id: str | None = None
    visit_id: str | None = None


@dataclass(frozen=True)
class Reason:
    """One exact reason of a risk estimate."""

    label: str
    value: str
    raises: bool
    effect: float


@dataclass(frozen=True)
class RiskShown:
    """A risk as shown: banded, and as a natural frequency only where it is calibrated."""

    outcome: str
    label: str
    state: str
    band: str | None
    of_100: str | None
    risk: float | None
    reasons: tuple[Reason, ...]
    note: str
    model: str
    population: str


@dataclass(frozen=True)
class Advice:
    """One recommendation as shown."""

    rank: int
    urgency: str
    action: str
    reason: str
    source: str
    is_verified: bool
    due_on: date
    rule_id: str
    kind: str


@dataclass(frozen=True)
class WhatIf:
    """What one change would do to a risk by the trials: an estimate, not a promise."""

    effect_id: str
    outcome: str
    action: str
    of_100_now: str
    of_100_after: str
    of_100_low: str
    of_100_high: str
    change: float
    change_low: float
    change_high: float
    ask: str
    who_acts: str
    population: str
    source: str
    is_verified: bool


@dataclass(frozen=True)
class Measurement:
    """The latest value of one observable."""

    name: str
    label: str
    value: str
    observed_on: date


@dataclass(frozen=True)
class PastVisit:
    """One visit of the past."""

    visit_id: str
    visited_on: date
    kind: str
    outcome: str
    minutes: float | None
    is_corrected: bool


@dataclass(frozen=True)
class Change:
    """A decision about a register entry that can be undone."""

    change_id: str
    change: str
    happened_on: date
    into_person_id: str | None


@dataclass(frozen=True)
class PersonView:
    """All that a worker sees of one person."""

    person_id: str
    name: str
    sex: str
    age: str
    place: str
    household_id: str | None
    phone: str | None
    status: str
    as_of: date
    risks: tuple[RiskShown, ...]
    advice: tuple[Advice, ...]
    more_advice: tuple[Advice, ...]
    measurements: tuple[Measurement, ...]
    conditions: tuple[str, ...]
    visits: tuple[PastVisit, ...]
    changes: tuple[Change, ...]
    population: str
    notes: tuple[str, ...] = ()
    follow_up_on: date | None = None
    what_if: tuple[WhatIf, ...] = ()


@dataclass(frozen=True)
class HouseholdMember:
    """One person of a household, with the few things to do."""

    person_id: str
    name: str
    sex: str
    age: str
    advice: tuple[Advice, ...]


@dataclass(frozen=True)
class HouseholdView:
    """One visit, several people: who needs what, most urgent first, and one day to come again."""

    household_id: str
    place: str
    as_of: date
    members: tuple[HouseholdMember, ...]
    follow_up_on: date | None
    population: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stop:
    """One line of a visit list."""

    position: int
    person_id: str
    household_id: str | None
    name: str
    sex: str
    age: str
    place: str
    urgency: str
    reason: str
    actions: tuple[str, ...]
    due_on: date | None
    overdue_days: int
    minutes: float
    travel_minutes: float | None
    is_must: bool
    done: str | None


@dataclass(frozen=True)
class Waiting:
    """Someone who is due by the day but not on the list."""

    person_id: str
    name: str
    age: str
    urgency: str
    reason: str
    due_on: date | None


@dataclass(frozen=True)
class WorkerDay:
    """One worker's day in figures; who waits is due by that day, later is due after it."""

    worker_id: str
    name: str
    place: str
    n_visits: int
    n_urgent: int
    n_waiting: int
    minutes: float
    capacity_minutes: float
    n_later: int = 0


@dataclass(frozen=True)
class DayView:
    """A worker's list for a day, or all workers' days where no worker is chosen."""

    visit_on: date
    as_of: date
    population: str
    ordered_by: str
    workers: tuple[WorkerDay, ...]
    worker: WorkerDay | None
    stops: tuple[Stop, ...]
    waiting: tuple[Waiting, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class PersonFound:
    """One hit of a search."""

    person_id: str
    name: str
    sex: str
    age: str
    place: str
    status: str
