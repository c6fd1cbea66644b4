"""Open hours in every zone, on the days that the clock changes too."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chw_tools.outreach.messages import REPLY, Message
from chw_tools.outreach.retries import retry_at
from chw_tools.outreach.windows import day_began, is_open, next_open, zone_of
from chw_tools.programme.outreach import QuietHours, load_outreach

POLICY = load_outreach()
HOURS = POLICY.quiet_hours
ZONES = (
    "Africa/Nairobi",
    "Africa/Casablanca",  # summer time but for Ramadan
    "Africa/Cairo",
    "America/New_York",
    "America/Asuncion",  # changes at midnight
    "Asia/Kathmandu",  # 5:45
    "Asia/Beirut",
    "Australia/Lord_Howe",  # half an hour
    "Europe/London",
    "Pacific/Apia",  # skipped a day
    "Pacific/Kiritimati",
)
instants = st.datetimes(
    datetime(2010, 1, 1),  # noqa: DTZ001 (the strategy adds the zone)
    datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
hours_of_day = st.integers(0, 23 * 60).flatmap(
    lambda opens: st.tuples(st.just(opens), st.integers(opens + 1, 24 * 60 - 1))
)


@st.composite
def any_hours(draw: st.DrawFn) -> QuietHours:
    opens, closes = draw(hours_of_day)
    return replace(
        HOURS,
        opens=time(*divmod(opens, 60)),
        closes=time(*divmod(closes, 60)),
        closed_weekdays=frozenset(draw(st.sets(st.integers(0, 6), max_size=6))),
        jitter_minutes=draw(st.sampled_from([0.0, 60.0, 1440.0])),
    )


@given(now=instants, zone=st.sampled_from(ZONES), hours=any_hours(), key=st.text(max_size=3))
def test_the_next_open_hour_is_open_and_not_before(
    now: datetime, zone: str, hours: QuietHours, key: str
) -> None:
    there = ZoneInfo(zone)
    at = next_open(now, there, hours, key=key)
    assert at is not None
    assert at >= now
    assert is_open(at, there, hours)
    assert (at == now) == is_open(now, there, hours)
    assert next_open(now, there, hours, key=key) == at
    # No open day before it was passed over (but the rest of today, which had closed).
    day = now.astimezone(there).date() + timedelta(days=1)
    while day < at.astimezone(there).date():
        noon = datetime.combine(day, hours.opens, tzinfo=there).astimezone(UTC)
        assert not is_open(noon, there, hours)
        day += timedelta(days=1)


@given(now=instants, zone=st.sampled_from(ZONES), days=st.integers(0, 9))
def test_a_least_day_is_kept(now: datetime, zone: str, days: int) -> None:
    there = ZoneInfo(zone)
    least = now.astimezone(there).date() + timedelta(days=days)
    at = next_open(now, there, HOURS, key="m", least=least)
    assert at is not None
    assert at.astimezone(there).date() >= least
    assert is_open(at, there, HOURS)


@given(now=instants, zone=st.sampled_from(ZONES))
def test_today_began_today(now: datetime, zone: str) -> None:
    there = ZoneInfo(zone)
    began = day_began(now, there)
    assert began <= now
    assert began.astimezone(there).date() == now.astimezone(there).date()
    assert timedelta(0) <= now - began < timedelta(hours=25)


@pytest.mark.parametrize(
    ("zone", "at", "expected"),
    [
        ("Europe/London", "2026-03-30T08:00", True),  # 09:00, the clock gone forward
        ("Europe/London", "2026-03-27T08:59", False),  # 08:59, some days before
        ("Europe/London", "2026-10-26T08:59", False),  # 08:59 again
        ("Europe/London", "2026-10-26T09:00", True),
        ("Europe/London", "2026-03-29T10:00", False),  # a Sunday
        ("Africa/Nairobi", "2026-03-04T14:59", True),
        ("Africa/Nairobi", "2026-03-04T15:00", False),
    ],
)
def test_hours_are_those_of_the_wall_clock(zone: str, at: str, expected: bool) -> None:
    now = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert is_open(now, ZoneInfo(zone), HOURS) is expected


def test_hours_that_the_spring_skips_do_not_exist() -> None:
    hours = replace(HOURS, opens=time(2, 10), closes=time(2, 50), closed_weekdays=frozenset())
    new_york = ZoneInfo("America/New_York")
    at = next_open(datetime(2026, 3, 8, 5, tzinfo=UTC), new_york, hours, key="m")
    assert at is not None
    assert at.astimezone(new_york).date() == date(2026, 3, 9)


def test_holidays_are_closed() -> None:
    hours = replace(HOURS, holidays=frozenset({"2026-03-04", "03-05"}))
    nairobi = ZoneInfo("Africa/Nairobi")
    at = next_open(datetime(2026, 3, 4, 9, tzinfo=UTC), nairobi, hours, key="m")
    assert at is not None
    assert at.date() == date(2026, 3, 6)


def test_the_morning_is_spread() -> None:
    nairobi, night = ZoneInfo("Africa/Nairobi"), datetime(2026, 3, 4, 20, tzinfo=UTC)
    at = [next_open(night, nairobi, HOURS, key=f"m{n}") for n in range(500)]
    minutes = {one.astimezone(nairobi).minute for one in at if one is not None}
    assert len(minutes) > 50
    assert {one.astimezone(nairobi).hour for one in at if one is not None} == {9}


def test_a_number_says_where_its_owner_lives() -> None:
    zones = (("+1684", "Pacific/Pago_Pago"), ("+1", "America/New_York"))
    hours = replace(HOURS, zones=zones)
    assert zone_of("+16845550100", hours).key == "Pacific/Pago_Pago"
    assert zone_of("+12125550100", hours).key == "America/New_York"
    assert zone_of("+254700000001", hours).key == "Africa/Nairobi"


@given(now=instants, attempt=st.integers(1, 7), key=st.text(max_size=4))
def test_a_retry_waits_no_longer_than_its_step_and_keeps_the_hours(
    now: datetime, attempt: int, key: str
) -> None:
    message = Message(
        id=key,
        dedupe_key=key,
        person_id="p",
        purpose="outreach",
        step="due_day",
        channel="sms",
        template="t",
        number="+254700000001",
        due_at=now,
        not_after=now + timedelta(days=1),
    )
    at = retry_at(message, attempt=attempt, policy=POLICY, now=now)
    steps = POLICY.retries.wait_seconds
    if attempt > len(steps):
        assert at is None
        return
    assert at is not None
    assert is_open(at, ZoneInfo("Africa/Nairobi"), HOURS)
    answer = retry_at(replace(message, step=REPLY), attempt=attempt, policy=POLICY, now=now)
    assert answer is not None
    assert timedelta(seconds=1) <= answer - now <= timedelta(seconds=steps[attempt - 1])
    assert at >= answer
