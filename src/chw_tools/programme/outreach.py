"""When people may be written to: quiet hours, caps, budgets, retries; data with sources."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from chw_tools.programme import reading
from chw_tools.programme.templates import languages_of
from chw_tools.records.contacting import MESSAGE_CHANNELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FILE = "outreach.toml"
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class QuietHours:
    """Hours in which people may be written to, in their own time.

    Parameters
    ----------
    opens, closes : time
        From the first until before the second, local time.
    closed_weekdays : frozenset of int
        0 is Monday.
    holidays : frozenset of str
        Days as ``2026-04-03``, or ``12-25`` for every year.
    time_zone : str
        Zone where nothing else is said.
    zones : tuple of (str, str)
        Beginnings of numbers with the zone of their owners, the longest first.
    jitter_minutes : float
        Over how many minutes those who wait for the morning are spread.
    """

    opens: time
    closes: time
    closed_weekdays: frozenset[int]
    holidays: frozenset[str]
    time_zone: str
    zones: tuple[tuple[str, str], ...]
    jitter_minutes: float


@dataclass(frozen=True)
class Caps:
    """How often one number may be written to, and how long a message may be."""

    per_day: int
    per_week: int
    replies_per_day: int
    max_segments: int


@dataclass(frozen=True)
class Retries:
    """Longest wait before each further try, in seconds."""

    wait_seconds: tuple[float, ...]


@dataclass(frozen=True)
class Leases:
    """How long a worker holds what it claimed, and how long an answer is waited for."""

    lease_seconds: float
    hand_over_seconds: float
    unknown_wait_minutes: float
    circuit_minutes: float


@dataclass(frozen=True)
class ChannelLimits:
    """Budget and rate of a channel over all workers; 0 is no limit."""

    segments_per_day: int
    per_minute: int


@dataclass(frozen=True)
class Outreach:
    """What a programme decided about writing to people."""

    quiet_hours: QuietHours
    caps: Caps
    retries: Retries
    leases: Leases
    fallback_languages: tuple[str, ...]
    channels: Mapping[str, ChannelLimits]
    sources: tuple[tuple[str, str, str, bool], ...] = ()

    def figures(self) -> Iterator[tuple[str, str, str, bool]]:
        """Each section with what it says, its source, and whether that was read."""
        return iter(self.sources)


def read_outreach(folder: Path | None, problems: reading.Problems) -> Outreach:
    """The shipped decisions with a folder's changes."""
    raw = reading.read_layers(FILE, folder, problems)
    known = ("quiet_hours", "time_zones", "caps", "retries", "leases", "languages", "channels")
    reading.check_names(raw, known, FILE, "", problems)
    tables = {name: _table(raw.get(name), name, problems) for name in known}
    channels = {
        name: _table(tables["channels"].get(name), f"channels.{name}", problems)
        for name in MESSAGE_CHANNELS
    }
    reading.check_names(tables["channels"], MESSAGE_CHANNELS, FILE, "channels", problems)
    return Outreach(
        quiet_hours=_quiet_hours(tables["quiet_hours"], tables["time_zones"], problems),
        caps=Caps(**_whole(tables["caps"], "caps", _CAPS, problems)),
        retries=Retries(_waits(tables["retries"], problems)),
        leases=Leases(**_numbers(tables["leases"], "leases", _LEASES, problems)),
        fallback_languages=_fallback(tables["languages"], folder, problems),
        channels={
            name: ChannelLimits(**_whole(table, f"channels.{name}", _LIMITS, problems))
            for name, table in channels.items()
        },
        sources=tuple(_sourced(tables, channels)),
    )


def load_outreach() -> Outreach:
    """The shipped decisions.

    >>> load_outreach().caps.per_day
    1
    """
    problems = reading.Problems()
    outreach = read_outreach(None, problems)
    problems.raise_if_any()
    return outreach


_CAPS = {"per_day": 1, "per_week": 1, "replies_per_day": 1, "max_segments": 1}
_LIMITS = {"segments_per_day": 0, "per_minute": 0}
_LEASES = {
    "lease_seconds": 0.1,
    "hand_over_seconds": 0.1,
    "unknown_wait_minutes": 0.0,
    "circuit_minutes": 0.0,
}
_QUIET = ("opens", "closes", "closed_weekdays", "holidays", "time_zone", "jitter_minutes")
_SOURCED = ("source", "verified")
_PREFIX = re.compile(r"\+[0-9]{1,15}")
_HOLIDAY = re.compile(r"([0-9]{4}-)?[0-9]{2}-[0-9]{2}")


def _table(value: object, name: str, problems: reading.Problems) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    problems.add(FILE, name, "must be a table")
    return {}


def _quiet_hours(
    table: dict[str, Any], zones: dict[str, Any], problems: reading.Problems
) -> QuietHours:
    reading.check_names(table, (*_QUIET, *_SOURCED), FILE, "quiet_hours", problems)
    opens, closes = (_time(table, name, problems) for name in ("opens", "closes"))
    if opens >= closes:
        problems.add(FILE, "quiet_hours.closes", "must be later than opens, on the same day")
    closed = _texts(table, "closed_weekdays", "quiet_hours", problems)
    for day in closed:
        if day not in _WEEKDAYS:
            problems.add(FILE, "quiet_hours.closed_weekdays", f"must be of {', '.join(_WEEKDAYS)}")
    zone = reading.read_text(table, "time_zone", FILE, "quiet_hours", problems)
    for name, key in (
        (zone, "quiet_hours.time_zone"),
        *((z, f"time_zones.{p}") for p, z in zones.items()),
    ):
        _check_zone(name, key, problems)
    for prefix in zones:
        if not _PREFIX.fullmatch(prefix):
            what = "must be the beginning of a number with its plus, such as +250"
            problems.add(FILE, f"time_zones.{prefix}", what)
    longest_first = sorted(zones.items(), key=lambda one: (-len(one[0]), one[0]))
    return QuietHours(
        opens=opens,
        closes=closes,
        closed_weekdays=frozenset(_WEEKDAYS.index(day) for day in closed if day in _WEEKDAYS),
        holidays=_holidays(table, problems),
        time_zone=zone,
        zones=tuple((str(prefix), str(name)) for prefix, name in longest_first),
        jitter_minutes=reading.read_number(
            table, "jitter_minutes", FILE, "quiet_hours", problems, high=1440
        ),
    )


def _holidays(table: dict[str, Any], problems: reading.Problems) -> frozenset[str]:
    days = _texts(table, "holidays", "quiet_hours", problems)
    for day in days:
        if not _is_holiday(day):
            what = f"{day} is no day, such as 2026-04-03, or 12-25 for every year"
            problems.add(FILE, "quiet_hours.holidays", what)
    return frozenset(days)


def _is_holiday(day: str) -> bool:
    if not _HOLIDAY.fullmatch(day):
        return False
    try:
        # Of every year: 29 February is a day too, so a leap year is asked.
        date.fromisoformat(day if len(day) == len("2026-04-03") else f"2024-{day}")
    except ValueError:
        return False
    return True


def _fallback(
    table: dict[str, Any], folder: Path | None, problems: reading.Problems
) -> tuple[str, ...]:
    reading.check_names(table, ("fallback", *_SOURCED), FILE, "languages", problems)
    languages, worded = _texts(table, "fallback", "languages", problems), languages_of(folder)
    for language in languages:
        if language not in worded:
            what = f"no template has a text in {language}; there are {', '.join(worded)}"
            problems.add(FILE, "languages.fallback", what)
    return languages


def _check_zone(name: object, key: str, problems: reading.Problems) -> None:
    try:
        ZoneInfo(str(name))
    except (KeyError, ValueError, OSError):  # a name that climbs out, or is a folder
        problems.add(FILE, key, "is no time zone, such as Africa/Nairobi")


def _time(table: dict[str, Any], name: str, problems: reading.Problems) -> time:
    text = reading.read_text(table, name, FILE, "quiet_hours", problems)
    try:
        return time.fromisoformat(text)
    except ValueError:
        problems.add(FILE, f"quiet_hours.{name}", "must be a time of day, such as 09:00")
        return time(0)


def _texts(
    table: dict[str, Any], name: str, key: str, problems: reading.Problems
) -> tuple[str, ...]:
    value = table.get(name, [])
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    problems.add(FILE, f"{key}.{name}", "must be a list of texts")
    return ()


def _waits(table: dict[str, Any], problems: reading.Problems) -> tuple[float, ...]:
    reading.check_names(table, ("wait_seconds", *_SOURCED), FILE, "retries", problems)
    waits = table.get("wait_seconds", [])
    if isinstance(waits, list) and all(isinstance(w, int | float) and w > 0 for w in waits):
        return tuple(float(wait) for wait in waits)
    problems.add(FILE, "retries.wait_seconds", "must be a list of seconds above 0")
    return ()


def _numbers(
    table: dict[str, Any], key: str, lowest: Mapping[str, float], problems: reading.Problems
) -> dict[str, float]:
    reading.check_names(table, (*lowest, *_SOURCED), FILE, key, problems)
    return {
        name: reading.read_number(table, name, FILE, key, problems, low=low)
        for name, low in lowest.items()
    }


def _whole(
    table: dict[str, Any], key: str, lowest: Mapping[str, float], problems: reading.Problems
) -> dict[str, int]:
    numbers = _numbers(table, key, lowest, problems)
    for name, number in numbers.items():
        if number != int(number):
            problems.add(FILE, f"{key}.{name}", "must be a whole number")
    return {name: int(number) for name, number in numbers.items()}


def _sourced(
    tables: Mapping[str, dict[str, Any]], channels: Mapping[str, dict[str, Any]]
) -> Iterator[tuple[str, str, str, bool]]:
    sections = {name: tables[name] for name in ("quiet_hours", "caps", "retries", "leases")}
    sections |= {f"channels.{name}": table for name, table in channels.items()}
    for name, table in sections.items():
        said = ", ".join(f"{k} {_said(v)}" for k, v in table.items() if k not in _SOURCED)
        yield name, said, str(table.get("source", "")), table.get("verified", False) is True


def _said(value: object) -> str:
    return "/".join(str(one) for one in value) or "none" if isinstance(value, list) else str(value)
