"""Contacts: home visits, visits to facilities, antenatal care, admissions, surveys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.testing.life import (
    AWAY,
    DIED,
    FACILITY,
    HOME,
    INPATIENT,
    MOVED,
    REFUSED,
    SEEN,
)
from chw_tools.testing.population import DAYS_PER_YEAR, MALE, NEVER

if TYPE_CHECKING:
    from chw_tools.testing.assumptions import Assumptions
    from chw_tools.testing.life import Life

VISIT_COLUMNS = ("person", "day", "kind", "outcome", "reason", "severe", "weeks", "planned")
#: Reasons for a visit: routine, sick, antenatal, admission, survey.
ROUTINE, SICK, ANTENATAL, ADMISSION, SURVEY = range(5)


def draw_surveys(folk: pd.DataFrame) -> pd.DataFrame:
    """The visit at which each person was entered: the household survey, or after a birth."""
    return _visits(folk.index.to_numpy(), folk["enrolled"].to_numpy(), HOME, SEEN, SURVEY)


def _visits(
    person: np.ndarray,
    day: np.ndarray,
    kind: np.ndarray | int,
    outcome: np.ndarray | int,
    reason: np.ndarray | int,
    severe: np.ndarray | int = 0,
    weeks: np.ndarray | int = -1,
    planned: np.ndarray | bool = False,
    missing: np.ndarray | float = np.nan,
) -> pd.DataFrame:
    """Contacts by position; ``missing`` is the true probability that a planned one is missed."""
    columns = np.broadcast_arrays(person, day, kind, outcome, reason, severe, weeks, planned)
    frame = pd.DataFrame(
        {
            name: np.asarray(values, np.int64)
            for name, values in zip(VISIT_COLUMNS, columns, strict=True)
        }
    )
    return frame.assign(missing=missing)


def draw_contacts(
    rng: np.random.Generator,
    life: Life,
    at_risk: np.ndarray,
    befell: pd.DataFrame,
    start: int,
    length: int,
    assumed: Assumptions,
) -> pd.DataFrame:
    """The contacts of one window, more where the need is greater."""
    home, facility = _rates(life, at_risk, start, assumed)
    first = np.maximum(start, life.folk["enrolled"].to_numpy()[at_risk])
    parts = []
    for rate, kind in ((home, HOME), (facility, FACILITY)):
        share = np.clip(start + length - first, 0, length) / length
        n = rng.poisson(rate * share)
        person, since = np.repeat(at_risk, n), np.repeat(first, n)
        day = since + 1 + np.floor(rng.random(len(person)) * (start + length - since))
        met = rng.random(len(person))
        reason = np.where(rng.random(len(person)) < (0.12 if kind == HOME else 0.6), SICK, ROUTINE)
        if kind == FACILITY:
            parts.append(_visits(person, day, kind, SEEN, reason))
            continue
        missing = compute_missing(life, person, day, assumed)
        outcome = _met(met, missing, assumed)
        planned = reason == ROUTINE
        missing = np.where(planned, missing, np.nan)
        parts.append(_visits(person, day, kind, outcome, reason, planned=planned, missing=missing))
    parts.extend(_around_events(rng, befell, start, assumed))
    return while_here(pd.concat(parts, ignore_index=True), life)


def compute_missing(
    life: Life, person: np.ndarray, day: np.ndarray, assumed: Assumptions
) -> np.ndarray:
    """The true probability that nobody is met at a home visit, or that it is refused.

    It rises with the days since the last contact at home, where the worker lives far, in men
    of working age, without a telephone, in the months of field work, and with a habit that
    nobody measures; it is what past misses tell of.
    """
    odds = assumed.entries["visits.missing_log_odds"].value
    folk = life.folk.iloc[person]
    age = (day - folk["born"].to_numpy()) / DAYS_PER_YEAR
    working = (age >= 18) & (age < 60) & (folk["sex"].to_numpy() == MALE)
    facts = {
        "intercept": 1.0,
        "per_30_days_since_contact": np.clip(_since_contact(life, person, day), 0, 360) / 30,
        "per_10_km": life.km[person] / 10,
        "working_man": working,
        "school_age": (age >= 6) & (age < 18),
        "over_60": age >= 60,
        "no_phone": ~life.has_phone[person],
        "field_work": np.isin(life.month_of(day), assumed.numbers("visits.field_work_months")),
        "habit": folk["habit"].to_numpy(),
    }
    score = np.zeros(len(person))
    for name, fact in facts.items():
        score += odds[name] * np.asarray(fact, dtype=float)
    chance: np.ndarray = 1 / (1 + np.exp(-score))
    return chance


def _since_contact(life: Life, person: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Days since the home visit before, made or missed: in this window, or the last known."""
    order = np.lexsort((day, person))
    of, on = person[order], day[order]
    before = np.where(
        np.append(False, of[1:] == of[:-1]), np.append(0, on[:-1]), life.last_home[of]
    )
    since = np.empty(len(person))
    since[order] = on - before
    return since


def _met(draw: np.ndarray, missing: np.ndarray, assumed: Assumptions) -> np.ndarray:
    """Seen, away or refused, of one number from 0 to 1 each."""
    refused = missing * assumed.number("visits.refused_of_missed")
    return np.where(draw < refused, REFUSED, np.where(draw < missing, AWAY, SEEN))


def _rates(
    life: Life, at_risk: np.ndarray, start: int, assumed: Assumptions
) -> tuple[np.ndarray, np.ndarray]:
    folk = life.folk.iloc[at_risk]
    age = (start - folk["born"].to_numpy()) / DAYS_PER_YEAR
    chronic = folk["hypertension_known"].to_numpy() | folk["diabetes_known"].to_numpy()
    pregnant, _ = life.pregnant(start + 60)
    more = assumed.entries["visits.home_added"].value
    home = (
        assumed.number("visits.home_per_window")
        + more["chronic"] * chronic
        + more["under_two"] * (age < 2)
        + more["under_five"] * (age < 5)
        + more["pregnant"] * pregnant[at_risk]
        + more["after_admission"] * life.admitted[at_risk]
        + more["poor"] * (life.wealth[at_risk] <= 2)
    )
    more = assumed.entries["visits.facility_added"].value
    facility = (
        assumed.number("visits.facility_per_window")
        + more["chronic"] * chronic
        + more["under_five"] * (age < 5)
        + more["after_admission"] * life.admitted[at_risk]
        + more["per_km"] * life.km[at_risk]
    )
    return home, np.maximum(facility, 0.02)


def _around_events(
    rng: np.random.Generator, befell: pd.DataFrame, start: int, assumed: Assumptions
) -> list[pd.DataFrame]:
    admitted = ~befell["is_death"].to_numpy() | (rng.random(len(befell)) < 0.4)
    inside = befell[admitted]
    before = rng.random(len(befell)) < assumed.number("visits.before_admission")
    sick = befell[before]
    # Never before the index day: nothing then known may tell more than the true risk does.
    day = np.maximum(sick["day"].to_numpy() - rng.integers(0, 6, len(sick)), start + 1)
    kind = np.where(rng.random(len(sick)) < 0.5, HOME, FACILITY)
    return [
        _visits(inside["person"].to_numpy(), inside["day"].to_numpy(), INPATIENT, SEEN, ADMISSION),
        _visits(sick["person"].to_numpy(), day, kind, SEEN, SICK, severe=1),
    ]


def while_here(visits: pd.DataFrame, life: Life) -> pd.DataFrame:
    """Without those before enrolment, and, but for discoveries, after death or leaving."""
    person, day = visits["person"].to_numpy(), visits["day"].to_numpy()
    last = np.minimum(life.died, life.moved)[person]
    first = life.folk["enrolled"].to_numpy()[person]
    found_gone = visits["outcome"].to_numpy() >= MOVED
    kept = ((day <= last) | found_gone) & (day >= first) & (day <= life.last_day)
    return visits[kept].reset_index(drop=True)


def draw_maternity(
    rng: np.random.Generator, pregnancies: pd.DataFrame, assumed: Assumptions
) -> pd.DataFrame:
    """Antenatal contacts about every four weeks from the first, and a visit after the birth."""
    cared = pregnancies[pregnancies["anc"].to_numpy()].reset_index(drop=True)
    n = rng.geometric(1 - assumed.number("pregnancy.next_contact"), len(cared))
    at = np.repeat(np.arange(len(cared)), n)
    order = np.arange(len(at)) - np.repeat(np.cumsum(n) - n, n)
    rows = cared.iloc[at]
    day = rows["noticed"].to_numpy() + 28 * order + np.where(order, rng.integers(-5, 6, len(at)), 0)
    kept = day < rows["ends"].to_numpy()
    rows, day = rows[kept], day[kept]
    before = _visits(
        rows["person"].to_numpy(),
        day,
        FACILITY,
        SEEN,
        ANTENATAL,
        severe=2 * rows["complicated"].to_numpy(),
        weeks=(day - rows["last_period"].to_numpy()) // 7,
    )
    born = pregnancies[(pregnancies["outcome"] == 0) & (rng.random(len(pregnancies)) < 0.5)]
    soon = born["ends"].to_numpy() + rng.integers(1, 8, len(born))
    after = _visits(born["person"].to_numpy(), soon, HOME, SEEN, ROUTINE)
    return pd.concat([before, after], ignore_index=True)


def draw_discoveries(rng: np.random.Generator, life: Life) -> pd.DataFrame:
    """Home visits at which a worker finds that the person has died or left."""
    moved = life.moved
    parts = []
    for days, outcome in (
        (np.where(moved < life.died, moved, NEVER), MOVED),
        (np.where(life.died <= moved, life.died, NEVER), DIED),
    ):
        found = np.flatnonzero((days < NEVER) & (rng.random(len(days)) < 0.4))
        day = days[found] + rng.geometric(0.04, len(found))
        parts.append(_visits(found, day, HOME, outcome, ROUTINE, planned=True))
    return pd.concat(parts, ignore_index=True)
