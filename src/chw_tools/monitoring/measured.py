"""Findings in what was measured: trends, levels, and what asked for a referral."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chw_tools.monitoring.evidence import AT_FACILITY, IN_PERSON, whole_days
from chw_tools.monitoring.found import Found, on_days, plain
from chw_tools.monitoring.readings import Readings, newest_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from chw_tools.monitoring.evidence import Days, Evidence, Places
    from chw_tools.programme.monitoring import MonitoringRule
    from chw_tools.records.catalogue import Catalogue

_COMPARE = {
    ">=": np.greater_equal,
    "<=": np.less_equal,
    ">": np.greater,
    "<": np.less,
}
#: Differences of decimals as written: 0.67 must be 0.67.
_DECIMALS = 6
_MANY_DAYS = 1_000_000
_ERA = 500_000


def trends(evidence: Evidence, rule: MonitoringRule, measures: Mapping[str, Readings]) -> Found:
    """Who has a measure that rose (or fell) at each of the newest readings.

    Of several measures of one rule the first that tells it is told.
    """
    parts = [_trend(evidence, rule, measures[name]) for name in rule.measures]
    first: dict[int, tuple[np.datetime64, str]] = {}
    for place, day, values in (row for part in parts for row in part):
        first.setdefault(place, (day, values))
    places = np.array(sorted(first), dtype="int64")
    days = np.array([first[place][0] for place in places], dtype="datetime64[D]")
    return on_days(places, days, [{"values": first[p][1], "n": rule.readings} for p in places])


def _trend(
    evidence: Evidence, rule: MonitoringRule, readings: Readings
) -> list[tuple[int, np.datetime64, str]]:
    newest = newest_of(readings.place, rule.readings)
    value = readings.value[newest.rows]
    sign = 1.0 if rule.direction == "rising" else -1.0
    steps = np.round(np.diff(value, axis=1) * sign, _DECIMALS)
    total = np.round((value[:, -1] - value[:, 0]) * sign, _DECIMALS)
    tells = (steps > 0).all(axis=1) & (total >= rule.change)
    if rule.to is not None:
        tells &= value[:, -1] * sign >= rule.to * sign
    days = readings.day[newest.rows]
    tells &= _timely(evidence, rule, days) & evidence.concerns(rule)[newest.place]
    told = [", ".join(f"{v:.4g}" for v in row) for row in value[tells].tolist()]
    return list(zip(newest.place[tells].tolist(), days[tells, -1], told, strict=True))


def _timely(evidence: Evidence, rule: MonitoringRule, days: Days) -> NDArray[np.bool_]:
    """Whether the newest reading is fresh and the oldest not too long before it."""
    if not len(days):
        return np.zeros(0, dtype=bool)
    age = (evidence.today - days[:, -1]).astype("int64")
    span = (days[:, -1] - days[:, 0]).astype("int64")
    fresh: NDArray[np.bool_] = (age <= rule.fresh_days) & (span <= rule.span_days)
    return fresh


def levels(evidence: Evidence, rule: MonitoringRule, measures: Mapping[str, Readings]) -> Found:
    """Who met one of the rule's levels on each of the newest days of measuring."""
    place, day, meets, values = _days_of(rule, measures)
    newest = newest_of(place, rule.readings)
    days = day[newest.rows]
    tells = meets[newest.rows].all(axis=1) & _timely(evidence, rule, days)
    tells &= evidence.concerns(rule)[newest.place]
    rows = newest.rows[tells]
    facts = [
        {"values": ", ".join(plain(values[at]) for at in row), "n": rule.readings} for row in rows
    ]
    return on_days(newest.place[tells], days[tells, -1], facts)


def _days_of(
    rule: MonitoringRule, measures: Mapping[str, Readings]
) -> tuple[Places, Days, NDArray[np.bool_], NDArray[np.float64]]:
    """Days on which any of the measures was taken: whether one met its level, and the values."""
    keys = [
        measures[level.measure].place * _MANY_DAYS
        + measures[level.measure].day.astype("int64")
        + _ERA
        for level in rule.any
    ]
    every = np.unique(np.concatenate(keys))
    meets = np.zeros(len(every), dtype=bool)
    values = np.full((len(every), len(keys)), np.nan)
    for at, (level, key) in enumerate(zip(rule.any, keys, strict=True)):
        row, value = np.searchsorted(every, key), measures[level.measure].value
        values[row, at] = value
        meets[row] |= _COMPARE[level.op](value, level.value)
    day = (every % _MANY_DAYS - _ERA).astype("datetime64[D]")
    return every // _MANY_DAYS, day, meets, values


def referrals(
    evidence: Evidence,
    rule: MonitoringRule,
    measures: Mapping[str, Readings],
    catalogue: Catalogue,
) -> Found:
    """Whoever had something to be referred for, and was at no facility since."""
    place, day, meets, _ = _days_of(rule, measures)
    last = evidence.last_day(place[meets], day[meets])
    # A reading of 160 is of adults; a danger sign is of anybody.
    last[~evidence.concerns(rule)] = np.datetime64("NaT")
    if rule.danger_signs:
        last = np.fmax(last, _last_sign(evidence, catalogue))
    waited = (evidence.today - last).astype("int64")
    treated = evidence.met(AT_FACILITY)
    seen = evidence.met(IN_PERSON)
    # NaT compares as false, so that nobody's missing visit counts as one.
    tells = ~np.isnat(last) & (waited >= rule.days) & (waited <= rule.fresh_days)
    tells &= ~(treated >= last) & ~(seen > last)
    places = np.flatnonzero(tells).astype("int64")
    return on_days(places, last[places], [{} for _ in places])


def _last_sign(evidence: Evidence, catalogue: Catalogue) -> Days:
    rows = evidence.known.observations
    signs = [sign.code.code for sign in catalogue.danger_signs()]
    systems = {sign.code.system for sign in catalogue.danger_signs()}
    yes = rows[(rows["value_code"] == "yes") & rows["code"].isin(signs)]
    yes = yes[yes["system"].isin(systems)]
    return evidence.last_day(evidence.place(yes["person_id"]), whole_days(yes["observed_on"]))
