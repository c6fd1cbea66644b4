"""Vaccination schedules as data: series of doses, their ages, intervals and vaccines.

Lengths of time are written as people write them, ``"6 weeks - 4 days"``: calendar years and
months first, then weeks and days. A folder of a programme replaces the WHO default wholly
by its own ``immunisation.toml``: two half schedules mixed would be nobody's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from chw_tools.programme import reading

if TYPE_CHECKING:
    from pathlib import Path

#: From an age until another; open where there is none.
Ages: TypeAlias = "tuple[Period | None, Period | None]"

FILE = "immunisation.toml"
_PART = re.compile(r"([+-]?)\s*(\d+)\s*(day|week|month|year)s?", re.IGNORECASE)


@dataclass(frozen=True)
class Period:
    """A length of time: calendar months, and days after them.

    >>> Period.of("6 weeks - 4 days")
    Period(months=0, days=38)
    """

    months: int = 0
    days: int = 0

    @classmethod
    def of(cls, text: str) -> Period:
        """Read a length of time such as ``"2 years"`` or ``"15 months + 4 weeks"``.

        Raises
        ------
        ValueError
            If it is not one.
        """
        if not text.strip() or _PART.sub("", text).strip():
            raise ValueError("not a length of time")
        per = {"day": (0, 1), "week": (0, 7), "month": (1, 0), "year": (12, 0)}
        months = days = 0
        for sign, number, unit in _PART.findall(text):
            count = int(number) * (-1 if sign == "-" else 1)
            months += count * per[unit.lower()][0]
            days += count * per[unit.lower()][1]
        return cls(months, days)

    def __str__(self) -> str:
        parts = [(self.months, "months"), (self.days, "days")]
        return " + ".join(f"{n} {unit}" for n, unit in parts if n) or "0 days"

    def after(self, day: date) -> date:
        """The day this long after another; where a month is too short, the first of the next.

        >>> from datetime import date
        >>> Period.of("1 month").after(date(2023, 1, 31)).isoformat()
        '2023-03-01'
        """
        if not self.months:
            return day + self._days
        month = day.year * 12 + day.month - 1 + self.months
        try:
            moved = date(month // 12, month % 12 + 1, day.day)
        except ValueError:
            month += 1
            moved = date(month // 12, month % 12 + 1, 1)
        return moved + self._days

    @cached_property
    def _days(self) -> timedelta:
        return timedelta(days=self.days)


@dataclass(frozen=True)
class DoseInterval:
    """Time from an earlier dose: the one before, or the one that was dose ``from_dose``.

    ``least`` counts as kept (the days of grace), ``minimum`` is planned, ``best`` is
    recommended and ``latest`` is when the dose becomes overdue. ``overrides_age``: the recommended
    day follows from the interval alone.
    """

    from_dose: int | None = None
    least: Period | None = None
    minimum: Period | None = None
    best: Period | None = None
    latest: Period | None = None
    overrides_age: bool = False


@dataclass(frozen=True)
class DoseVaccine:
    """A vaccine that may be the dose, by CVX code, at ages from ``begin`` until ``end``."""

    cvx: str
    begin: Period | None = None
    end: Period | None = None
    maker: str = ""


@dataclass(frozen=True)
class SkipWhen:
    """One condition under which a dose is not needed.

    ``age``: at ages from ``begin`` until ``end``. ``interval``: ``interval`` has passed since
    the last dose. ``count``: so many doses of ``cvx`` (of any, where none is named) were given
    at those ages or days.
    """

    kind: Literal["age", "interval", "count"]
    begin: Period | None = None
    end: Period | None = None
    interval: Period | None = None
    cvx: frozenset[str] = frozenset()
    count: int = 0
    logic: Literal["greater than", "equals", "less than"] = "greater than"
    only_valid: bool = False
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True)
class SeriesDose:
    """One dose of a series: when, after what, of which vaccines, and when not."""

    least_age: Period | None = None
    minimum_age: Period | None = None
    best_age: Period | None = None
    latest_age: Period | None = None
    end_age: Period | None = None
    intervals: tuple[DoseInterval, ...] = ()
    also_intervals: tuple[DoseInterval, ...] = ()
    vaccines: tuple[DoseVaccine, ...] = ()
    #: Any set of conditions, all of whose conditions hold, skips the dose.
    skips: tuple[tuple[SkipWhen, ...], ...] = ()
    sexes: frozenset[str] = frozenset()
    not_before: date | None = None
    recurring: bool = False

    @cached_property
    def of_code(self) -> dict[str, tuple[DoseVaccine, ...]]:
        """The vaccines that may be the dose, by CVX code."""
        codes = dict.fromkeys(one.cvx for one in self.vaccines)
        return {code: tuple(v for v in self.vaccines if v.cvx == code) for code in codes}


@dataclass(frozen=True)
class Series:
    """One way to be protected: its doses in order."""

    name: str
    antigen: str
    doses: tuple[SeriesDose, ...]
    label: str = ""
    source: str = ""
    verified: bool = False
    is_default: bool = True
    product_path: bool = False
    preference: int = 1
    start_from: Period | None = None
    start_until: Period | None = None

    @cached_property
    def sexes(self) -> tuple[frozenset[str], ...]:
        """Of each dose that is for some sexes only, which."""
        return tuple(dose.sexes for dose in self.doses if dose.sexes)

    def schedule_said(self) -> str:
        """Label, number of doses and the ages that are given, for reading."""
        ages = [dose.best_age or dose.minimum_age for dose in self.doses]
        said = ", ".join(
            f"dose {number} from {age}" for number, age in enumerate(ages, 1) if age is not None
        )
        return f"{self.label}: {len(self.doses)} doses; {said}"


@dataclass(frozen=True)
class LiveConflict:
    """A live vaccine given so soon after another does not count."""

    previous: str
    current: str
    begin: Period
    end_if_valid: Period
    end: Period


@dataclass(frozen=True)
class VaccineSchedule:
    """All series, what each vaccine holds, and which live vaccines disturb each other."""

    series: tuple[Series, ...]
    #: By CVX: (antigen, from age, until age).
    antigens: dict[str, tuple[tuple[str, Period | None, Period | None], ...]]
    conflicts: tuple[LiveConflict, ...] = ()
    _by_antigen: dict[str, tuple[Series, ...]] = field(
        default_factory=dict, compare=False, repr=False
    )
    _disturbing: dict[str, dict[str, list[LiveConflict]]] = field(
        default_factory=dict, compare=False, repr=False
    )
    _holding: dict[str, dict[str, tuple[Ages, ...]]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def of_antigen(self, antigen: str) -> tuple[Series, ...]:
        """The series against one disease."""
        if antigen not in self._by_antigen:
            self._by_antigen[antigen] = tuple(s for s in self.series if s.antigen == antigen)
        return self._by_antigen[antigen]

    def holding(self, antigen: str) -> dict[str, tuple[Ages, ...]]:
        """The vaccines against one disease, by code, with the ages at which they count."""
        if antigen not in self._holding:
            held = {
                cvx: tuple((begin, end) for name, begin, end in of if name == antigen)
                for cvx, of in self.antigens.items()
            }
            self._holding[antigen] = {cvx: ages for cvx, ages in held.items() if ages}
        return self._holding[antigen]

    @cached_property
    def disturbed(self) -> frozenset[str]:
        """The live vaccines that another before them may disturb, by code."""
        return frozenset(conflict.current for conflict in self.conflicts)

    def disturbing(self, cvx: str) -> dict[str, list[LiveConflict]]:
        """The live vaccines that disturb one that comes after them, by code."""
        if cvx not in self._disturbing:
            found: dict[str, list[LiveConflict]] = {}
            for conflict in self.conflicts:
                if conflict.current == cvx:
                    found.setdefault(conflict.previous, []).append(conflict)
            self._disturbing[cvx] = found
        return self._disturbing[cvx]

    def names(self) -> tuple[str, ...]:
        """The antigens, in order of the file."""
        return tuple(dict.fromkeys(series.antigen for series in self.series))


def load_schedule(folder: Path | None = None) -> VaccineSchedule:
    """The schedule of a folder, or the WHO default shipped with the package.

    Raises
    ------
    ProgrammeFault
        With every fault found.
    """
    problems = reading.Problems()
    schedule = read_schedule(folder, problems)
    problems.raise_if_any()
    return schedule


def read_schedule(folder: Path | None, problems: reading.Problems) -> VaccineSchedule:
    """The same, its faults noted among others."""
    own = folder / FILE if folder is not None else None
    if own is None or not own.is_file():
        text, raw = reading.shipped(FILE)
        problems.remember(FILE, FILE, text)
    else:
        raw = reading.laid_over({}, own, FILE, problems)
    return schedule_of(raw, problems)


_DOSE_KEYS = ("least_age", "minimum_age", "best_age", "latest_age", "end_age")


def schedule_of(raw: dict[str, Any], problems: reading.Problems) -> VaccineSchedule:
    """The schedule of a file's tables, its faults noted."""
    vaccines = raw.get("vaccines", {})
    antigens: dict[str, list[str]] = {}
    for antigen, codes in vaccines.items():
        for code in codes:
            antigens.setdefault(code, []).append(antigen)
    series = tuple(
        _series(name, table, vaccines, problems)
        for name, table in raw.get("series", {}).items()
        if table.get("used", True)
    )
    live = raw.get("live", {})
    gap = _period(live, "gap", "live", problems)
    least = _period(live, "least_gap", "live", problems) or gap
    conflicts = [
        LiveConflict(a, b, Period(days=1), least, gap)
        for a in live.get("cvx", ())
        for b in live.get("cvx", ())
        if gap is not None and least is not None
    ]
    return VaccineSchedule(
        series=series,
        antigens={
            code: tuple((antigen, None, None) for antigen in found)
            for code, found in antigens.items()
        },
        conflicts=tuple(conflicts),
    )


def _series(
    name: str, table: dict[str, Any], vaccines: dict[str, list[str]], problems: reading.Problems
) -> Series:
    key = f"series.{name}"
    known = ("antigen", "label", "source", "verified", "doses", "preference", "start_from")
    more = ("start_until", "is_default", "sexes", "used")
    reading.check_names(table, (*known, *more), FILE, key, problems)
    antigen = reading.read_text(table, "antigen", FILE, key, problems)
    source = reading.read_text(table, "source", FILE, key, problems)
    if not source.strip():
        problems.add(FILE, f"{key}.source", "a schedule without a source is not used")
    if antigen not in vaccines:
        problems.add(FILE, f"{key}.antigen", "no vaccine holds it")
    codes = tuple(DoseVaccine(code) for code in vaccines.get(antigen, ()))
    return Series(
        name=name,
        antigen=antigen,
        label=reading.read_text(table, "label", FILE, key, problems),
        source=source,
        verified=reading.read_flag(table, "verified", FILE, key, problems, default=False),
        is_default=reading.read_flag(table, "is_default", FILE, key, problems, default=True),
        preference=int(table.get("preference", 1)),
        start_from=_period(table, "start_from", key, problems),
        start_until=_period(table, "start_until", key, problems),
        doses=tuple(
            _dose(dose, codes, frozenset(table.get("sexes", ())), f"{key}.doses[{at}]", problems)
            for at, dose in enumerate(table.get("doses", ()), 1)
        ),
    )


def _dose(
    table: dict[str, Any],
    codes: tuple[DoseVaccine, ...],
    sexes: frozenset[str],
    key: str,
    problems: reading.Problems,
) -> SeriesDose:
    extra = ("least_gap", "gap", "latest_gap", "skip_from_age", "cvx")
    reading.check_names(table, (*_DOSE_KEYS, *extra), FILE, key, problems)
    ages = {name: _period(table, name, key, problems) for name in _DOSE_KEYS}
    gap = _period(table, "gap", key, problems)
    least = _period(table, "least_gap", key, problems) or gap
    latest = _period(table, "latest_gap", key, problems)
    skip = _period(table, "skip_from_age", key, problems)
    return SeriesDose(
        least_age=ages["least_age"] or ages["minimum_age"],
        minimum_age=ages["minimum_age"],
        best_age=ages["best_age"],
        latest_age=ages["latest_age"],
        end_age=ages["end_age"],
        sexes=sexes,
        intervals=(DoseInterval(least=least, minimum=gap, best=gap, latest=latest),) if gap else (),
        vaccines=tuple(DoseVaccine(code) for code in table["cvx"]) if "cvx" in table else codes,
        skips=((SkipWhen("age", begin=skip),),) if skip else (),
    )


def _period(
    table: dict[str, Any], name: str, key: str, problems: reading.Problems
) -> Period | None:
    if name not in table:
        return None
    try:
        return Period.of(str(table[name]))
    except ValueError:
        problems.add(FILE, f"{key}.{name}", 'must be a length of time, such as "6 weeks - 4 days"')
        return None
