"""Minutes of a day as times on a clock, and back."""

from __future__ import annotations


def clock(minute: float) -> str:
    """A minute of the day as a time.

    >>> clock(481.9)
    '08:02'
    """
    whole = round(minute)
    return f"{whole // 60 % 24:02d}:{whole % 60:02d}"


def as_minute(time: str) -> float:
    """A time of the day as minutes.

    Raises
    ------
    ValueError
        If it is none.

    >>> as_minute("14:05")
    845.0
    """
    hours, colon, minutes = time.strip().partition(":")
    are_digits = hours.isdecimal() and minutes.isdecimal() and len(hours) < 3 and len(minutes) == 2
    if not colon or not are_digits or int(hours) > 23 or int(minutes) > 59:
        raise ValueError("a time of the day is written as HH:MM")
    return int(hours) * 60.0 + int(minutes)
