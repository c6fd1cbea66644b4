"""The schedule engine: from doses given to the next dose, its number and its days.

Doses are judged in order of their days: too young, too soon after another, a live vaccine
too soon after another live one, or a vaccine that is not of the series do not count. The
next dose follows from what counts. Dates and intervals are calendar arithmetic on one
person's history; the schedule is data (:mod:`chw_tools.programme.immunisation`).

The order of judging follows the published logic of the CDC for clinical decision support
(CDSi Logic Specification), which is general enough for national schedules.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from chw_tools.programme.immunisation import (
        Ages,
        DoseInterval,
        Period,
        Series,
        SeriesDose,
        SkipWhen,
        VaccineSchedule,
    )

Status = Literal["complete", "not_complete", "aged_out"]
Judgement = Literal[
    "valid", "too_young", "too_old", "too_soon", "live_conflict", "vaccine", "sex", "extra"
]


_DAY = attrgetter("day")


class Given(NamedTuple):
    """A dose that was given."""

    day: date
    cvx: str
    maker: str = ""


class Person(NamedTuple):
    """Whom the schedule is about."""

    born_on: date
    sex: str = ""


class Judged(NamedTuple):
    """A dose given, whether it counts, and as which dose of the series."""

    given: Given
    judgement: Judgement
    number: int | None


@dataclass(frozen=True)
class NextDose:
    """Where a person stands in one series.

    ``earliest_on`` is the first day allowed, ``due_on`` the day recommended and
    ``overdue_on`` the first day late; all missing unless the status is ``not_complete``.
    """

    series: Series
    status: Status
    number: int | None
    earliest_on: date | None
    due_on: date | None
    overdue_on: date | None
    judged: tuple[Judged, ...]

    @property
    def n_valid(self) -> int:
        """Doses that count."""
        return sum(one.judgement == "valid" for one in self.judged)


def next_dose(
    antigen: str,
    history: Iterable[Given],
    *,
    person: Person,
    schedule: VaccineSchedule,
    as_of: date,
) -> NextDose | None:
    """Where a person stands against one disease, by the series that suits the history best.

    Parameters
    ----------
    antigen : str
        The disease, by its name in the schedule.
    history : iterable of Given
        All doses given of whatever vaccine; later ones than ``as_of`` are not looked at.
    person : Person
        Day of birth and sex.
    schedule : VaccineSchedule
        The series.
    as_of : date
        The day.

    Returns
    -------
    NextDose or None
        None where no series is for this person.
    """
    doses = sorted([given for given in history if given.day <= as_of], key=_DAY)
    open_to = [s for s in schedule.of_antigen(antigen) if _is_for(s, person)]
    found = [in_series(s, doses, person=person, schedule=schedule, as_of=as_of) for s in open_to]
    return _best(found, person, as_of) if found else None


def in_series(
    series: Series,
    doses: Sequence[Given],
    *,
    person: Person,
    schedule: VaccineSchedule,
    as_of: date,
) -> NextDose:
    """Where a person stands in one series; ``doses`` in order of their days."""
    judged, at = _judge(series, doses, person, schedule)
    at = _skipped(series, at, as_of, person, judged)
    if at >= len(series.doses):
        return _ended(series, "complete", judged)
    dose = series.doses[at]
    earliest, due, overdue = _days(dose, judged, doses, person, schedule)
    end = _at_age(dose.end_age, person)
    if end is not None and (as_of >= end or earliest >= end):
        return _ended(series, "aged_out", judged)
    return NextDose(series, "not_complete", at + 1, earliest, due, overdue, tuple(judged))


def _ended(series: Series, status: Status, judged: Iterable[Judged]) -> NextDose:
    return NextDose(series, status, None, None, None, None, tuple(judged))


# ------------------------------------------------------------------------ judging doses


def _judge(
    series: Series, doses: Sequence[Given], person: Person, schedule: VaccineSchedule
) -> tuple[list[Judged], int]:
    judged: list[Judged] = []
    at = 0
    holding = schedule.holding(series.antigen)
    for place, given in enumerate(doses):
        ages = holding.get(given.cvx)
        if ages is None or not _is_at(given.day, ages, person):
            continue
        at = _skipped(series, at, given.day, person, judged)
        if at >= len(series.doses):
            judged.append(Judged(given, "extra", None))
            continue
        # The days of grace are not for a dose that repeats one that was early itself.
        grace = at == 0 or not judged or judged[-1].judgement not in ("too_young", "too_soon")
        dose, before = series.doses[at], doses[:place]
        verdict = _verdict(dose, given, judged, before, person, schedule, grace=grace)
        judged.append(Judged(given, verdict, at + 1))
        at += verdict == "valid"
        if at == len(series.doses) and series.doses[-1].recurring:
            at -= 1
    return judged, at


def _verdict(
    dose: SeriesDose,
    given: Given,
    judged: Sequence[Judged],
    before: Sequence[Given],
    person: Person,
    schedule: VaccineSchedule,
    *,
    grace: bool,
) -> Judgement:
    if dose.sexes and person.sex not in dose.sexes:
        return "sex"
    least, minimum = _at_age(dose.least_age, person), _at_age(dose.minimum_age, person)
    end = _at_age(dose.end_age, person)
    if _is_early(given.day, least, minimum, grace=grace):
        return "too_young"
    if end is not None and given.day >= end:
        return "too_old"
    if not _kept(dose, given, judged, grace=grace):
        return "too_soon"
    if any(given.day < day for day in _free_from(given, before, judged, schedule)):
        return "live_conflict"
    return "valid" if _is_of(dose, given, person) else "vaccine"


def _is_early(day: date, least: date | None, minimum: date | None, *, grace: bool) -> bool:
    limit = least if grace else minimum
    limit = limit or least or minimum
    return limit is not None and day < limit


def _kept(dose: SeriesDose, given: Given, judged: Sequence[Judged], *, grace: bool) -> bool:
    if all(_is_kept(one, given, judged, grace=grace) for one in dose.intervals):
        return True
    return bool(dose.also_intervals) and all(
        _is_kept(one, given, judged, grace=True) for one in dose.also_intervals
    )


def _is_kept(
    interval: DoseInterval, given: Given, judged: Sequence[Judged], *, grace: bool
) -> bool:
    since = _since(interval, judged)
    if since is None:
        return True
    least = interval.least.after(since) if interval.least else None
    minimum = interval.minimum.after(since) if interval.minimum else None
    return not _is_early(given.day, least, minimum, grace=grace)


def _since(interval: DoseInterval, judged: Sequence[Judged]) -> date | None:
    """The day an interval counts from: the dose before, also one that did not count."""
    if interval.from_dose is None:
        return judged[-1].given.day if judged else None
    for one in judged:
        if one.judgement == "valid" and one.number == interval.from_dose:
            return one.given.day
    return None


def _is_of(dose: SeriesDose, given: Given, person: Person) -> bool:
    return any(
        (not one.maker or not given.maker or one.maker == given.maker)
        and _within(given.day, one.begin, one.end, person)
        for one in dose.of_code.get(given.cvx, ())
    )


def _free_from(
    given: Given, before: Iterable[Given], judged: Sequence[Judged], schedule: VaccineSchedule
) -> Iterable[date]:
    """Days from which earlier live vaccines no longer disturb this one."""
    disturbing = schedule.disturbing(given.cvx)
    if not disturbing:
        return
    for earlier in before:
        for conflict in disturbing.get(earlier.cvx, ()):
            if given.day < conflict.begin.after(earlier.day):
                continue
            counts = any(
                one.judgement == "valid" and one.given[:2] == earlier[:2] for one in judged
            )
            yield (conflict.end_if_valid if counts else conflict.end).after(earlier.day)


def _is_at(day: date, ages: Iterable[Ages], person: Person) -> bool:
    return any(_within(day, begin, end, person) for begin, end in ages)


def _within(day: date, begin: Period | None, end: Period | None, person: Person) -> bool:
    born_on = person.born_on
    return (begin is None or day >= begin.after(born_on)) and (
        end is None or day < end.after(born_on)
    )


def _at_age(age: Period | None, person: Person) -> date | None:
    return None if age is None else age.after(person.born_on)


# ------------------------------------------------------------------------ doses not needed


def _skipped(series: Series, at: int, day: date, person: Person, judged: Sequence[Judged]) -> int:
    """The next dose that is needed on a day."""
    while at < len(series.doses) and any(
        all(_applies(when, day, person, judged) for when in conditions)
        for conditions in series.doses[at].skips
    ):
        at += 1
    return at


def _applies(when: SkipWhen, day: date, person: Person, judged: Sequence[Judged]) -> bool:
    if when.kind == "age":
        return _within(day, when.begin, when.end, person)
    if when.kind == "interval":
        return bool(
            judged
            and when.interval is not None
            and day >= when.interval.after(judged[-1].given.day)
        )
    count = sum(
        (not when.cvx or one.given.cvx in when.cvx)
        and (one.judgement == "valid" or not when.only_valid)
        and _within(one.given.day, when.begin, when.end, person)
        and (when.first_day is None or one.given.day >= when.first_day)
        and (when.last_day is None or one.given.day <= when.last_day)
        for one in judged
    )
    if when.logic == "greater than":
        return count > when.count
    return count == when.count if when.logic == "equals" else count < when.count


# ------------------------------------------------------------------------ the next dose


def _days(
    dose: SeriesDose,
    judged: Sequence[Judged],
    doses: Sequence[Given],
    person: Person,
    schedule: VaccineSchedule,
) -> tuple[date, date, date | None]:
    """First day allowed, day recommended, first day late."""
    since = [(one, _since(one, judged)) for one in dose.intervals]
    after = [(one, day) for one, day in since if day is not None]
    least = [one.minimum.after(day) for one, day in after if one.minimum]
    best = [one.best.after(day) for one, day in after if one.best]
    latest = [one.latest.after(day) for one, day in after if one.latest]
    # What was given of any live vaccine must be passed for whichever vaccine comes next.
    free = [
        conflict.end.after(given.day)
        for code in schedule.disturbed.intersection(dose.of_code)
        for disturbing in (schedule.disturbing(code),)
        for given in doses
        if given.cvx in disturbing
        for conflict in disturbing[given.cvx]
    ]
    ages = [day for day in (_at_age(dose.minimum_age, person), dose.not_before) if day]
    earliest = max([person.born_on, *ages, *least, *free])
    by_interval = any(one.overrides_age for one, _ in after)
    by_age = None if by_interval else _at_age(dose.best_age, person)
    wanted = by_age or max(best, default=earliest)
    late = _at_age(dose.latest_age, person) or max(latest, default=None)
    return earliest, max(earliest, wanted), max(earliest, late) if late else None


def _is_for(series: Series, person: Person) -> bool:
    return all(person.sex in wanted for wanted in series.sexes)


def _best(found: Sequence[NextDose], person: Person, as_of: date) -> NextDose:
    """The series that suits the history: finished, else nearest to it, else the usual one."""
    if len(found) == 1:
        return found[0]
    startable = [one for one in found if _may_start(one, person, as_of)] or list(found)
    complete = [one for one in startable if one.status == "complete" and one.n_valid]
    begun = [one for one in startable if one.status == "not_complete" and one.n_valid]
    for some in (complete, begun):
        if some:
            return max(some, key=_suits)
    usual = [one for one in startable if not one.series.product_path] or startable
    return min(usual, key=lambda one: (not one.series.is_default, one.series.preference))


def _may_start(one: NextDose, person: Person, as_of: date) -> bool:
    valid = [each.given.day for each in one.judged if each.judgement == "valid"]
    return _within(min(valid, default=as_of), one.series.start_from, one.series.start_until, person)


def _suits(one: NextDose) -> tuple[int, bool, int, int]:
    every = one.n_valid == len(one.judged)
    left = len(one.series.doses) - (one.number or len(one.series.doses) + 1) + 1
    return (one.n_valid, every and one.series.product_path, -left, -one.series.preference)
