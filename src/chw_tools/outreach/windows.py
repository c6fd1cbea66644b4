"""Hours in which people may be written to, in their own time zone; changes of the clock included.

Everything comes in and goes out in UTC. Whether an hour is open is asked of the wall clock
where the person lives, so an hour that the spring skips or the autumn repeats needs no rule
of its own.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from chw_tools.programme.outreach import QuietHours

#: Holidays in a row that are looked past before giving up.
_MOST_DAYS = 60


@lru_cache(maxsize=64)
def zone_named(name: str) -> ZoneInfo:
    """The time zone of that name (IANA)."""
    return ZoneInfo(name)


def zone_of(number: str, hours: QuietHours) -> ZoneInfo:
    """The time zone of whoever has the number: that of its longest listed beginning."""
    for prefix, name in hours.zones:
        if number.startswith(prefix):
            return zone_named(name)
    return zone_named(hours.time_zone)


def is_open(now: datetime, zone: ZoneInfo, hours: QuietHours) -> bool:
    """Whether people of a zone may be written to at an instant."""
    local = now.astimezone(zone)
    return _is_day(local.date(), hours) and hours.opens <= local.time() < hours.closes


def _is_day(day: date, hours: QuietHours) -> bool:
    if day.weekday() in hours.closed_weekdays:
        return False
    return not hours.holidays or not {day.isoformat(), f"{day:%m-%d}"} & hours.holidays


def next_open(
    now: datetime, zone: ZoneInfo, hours: QuietHours, *, key: str, least: date | None = None
) -> datetime | None:
    """The instant of the next open hours for one message; None where there are none.

    Parameters
    ----------
    now : datetime
        Aware. If it is in open hours itself it comes back as it is.
    zone : ZoneInfo
        Where the person lives.
    hours : QuietHours
        The programme's hours.
    key : str
        Of the message: who waits for the morning is spread over its first minutes, each
        message always at its same minute.
    least : date, optional
        Not before this day there.
    """
    first = now.astimezone(zone).date()
    if is_open(now, zone, hours) and (least is None or first >= least):
        return now
    day = first if least is None else max(first, least)
    for _ in range(_MOST_DAYS):
        at = _opening(day, zone, hours, key)
        if at is not None and at >= now:
            return at
        day += timedelta(days=1)
    return None


def _opening(day: date, zone: ZoneInfo, hours: QuietHours, key: str) -> datetime | None:
    """The message's own minute of a day; None where the day has no open hours."""
    opens = _instant(day, hours.opens, zone)
    # Where the clock skips the whole of the open hours, that day has none.
    if not is_open(opens, zone, hours):
        return None
    length = (_instant(day, hours.closes, zone) - opens).total_seconds()
    at = opens + timedelta(seconds=int(min(length, hours.jitter_minutes * 60.0) * share_of(key)))
    return at if is_open(at, zone, hours) else opens


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def day_began(now: datetime, zone: ZoneInfo, *, days_ago: int = 0) -> datetime:
    """The instant at which today began in a zone, or a day so many days ago."""
    day = now.astimezone(zone).date() - timedelta(days=days_ago)
    return _instant(day, time(0), zone)


def share_of(key: str) -> float:
    """A number from 0 up to 1, always the same for a key.

    >>> 0 <= share_of("message") < 1
    True
    """
    digest = blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
