"""Three years as they truly went: risks, admissions, deaths, visits, window by window.

At each index day every living person has a true probability of an admission or death within
the window, from the declared log odds and what is true of the person that day. Events are
drawn from exactly these probabilities. A visit in the 90 days before the index day lowers
the probability; the reduction is kept as the true effect of a visit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.testing.assumptions import Assumptions
from chw_tools.testing.chance import choose, stream
from chw_tools.testing.population import ADULT_YEARS, DAYS_PER_YEAR, MALE, NEVER

if TYPE_CHECKING:
    from collections.abc import Mapping

VISIT_COLUMNS = ("person", "day", "kind", "outcome", "reason", "severe")
#: Reasons for a visit: routine, sick, antenatal, admission, survey.
ROUTINE, SICK, ANTENATAL, ADMISSION, SURVEY = range(5)
HOME, FACILITY, INPATIENT = range(3)
SEEN, AWAY, REFUSED, MOVED, DIED = range(5)


@dataclass
class Course:
    """What happened: true risks, events and contacts, all by position and day."""

    risks: pd.DataFrame
    events: pd.DataFrame
    visits: pd.DataFrame
    died: np.ndarray


def run_course(
    folk: pd.DataFrame,
    pregnancies: pd.DataFrame,
    households: pd.DataFrame,
    *,
    part: int,
    seed: int,
    assumed: Assumptions,
) -> Course:
    """Live through all windows."""
    rng = stream(seed, part, "course")
    length = int(assumed.number("programme.window_days"))
    life = _Life.begin(folk, pregnancies, households)
    risks, events, visits = [], [], [_survey(folk)]
    for window in range(int(assumed.number("programme.windows"))):
        start = window * length
        at_risk = life.at_risk(start, length)
        truth = _true_risks(life, at_risk, start, length, assumed)
        befell = _befall(rng, truth, folk, start, length, assumed)
        life.died[befell["person"]] = np.where(befell["is_death"], befell["day"], NEVER)
        met = _contacts(rng, life, at_risk, befell, start, length, assumed)
        life.remember(befell, met, start + length)
        truth = truth.merge(befell, on="person", how="left")
        risks.append(truth)
        events.append(befell)
        visits.append(met)
    return Course(
        pd.concat(risks, ignore_index=True),
        pd.concat(events, ignore_index=True),
        pd.concat(visits, ignore_index=True),
        life.died,
    )


@dataclass
class _Life:
    folk: pd.DataFrame
    pregnancies: pd.DataFrame
    wealth: np.ndarray
    km: np.ndarray
    died: np.ndarray
    admitted: np.ndarray
    last_seen: np.ndarray

    @classmethod
    def begin(
        cls, folk: pd.DataFrame, pregnancies: pd.DataFrame, households: pd.DataFrame
    ) -> _Life:
        home = folk["household"].to_numpy()
        n = len(folk)
        return cls(
            folk,
            pregnancies,
            households["wealth"].to_numpy()[home],
            households["facility_km"].to_numpy()[home],
            np.full(n, NEVER),
            np.zeros(n, dtype=bool),
            folk["enrolled"].to_numpy().copy(),
        )

    def at_risk(self, start: int, length: int) -> np.ndarray:
        """Positions of those who live here at some time of the window, newborns included."""
        born, moved = self.folk["born"].to_numpy(), self.folk["moved"].to_numpy()
        here = (born <= start + length - 1) & (self.died > start) & (moved > start)
        return np.flatnonzero(here)

    def pregnant(self, day: int) -> tuple[np.ndarray, np.ndarray]:
        """Who is pregnant that day, and whose pregnancy is complicated."""
        now = self.pregnancies[
            (self.pregnancies["last_period"] <= day) & (self.pregnancies["ends"] > day)
        ]
        pregnant, complicated = np.zeros((2, len(self.folk)), dtype=bool)
        pregnant[now["person"]] = True
        complicated[now.loc[now["complicated"], "person"]] = True
        return pregnant, complicated

    def remember(self, befell: pd.DataFrame, met: pd.DataFrame, day: int) -> None:
        """What the next window takes from this one."""
        self.admitted = np.zeros(len(self.folk), dtype=bool)
        self.admitted[befell["person"]] = True
        seen = met[(met["kind"] == HOME) & (met["outcome"] == SEEN)]
        np.maximum.at(self.last_seen, seen["person"].to_numpy(), seen["day"].to_numpy())


def _true_risks(
    life: _Life, at_risk: np.ndarray, start: int, length: int, assumed: Assumptions
) -> pd.DataFrame:
    born = life.folk["born"].to_numpy()[at_risk]
    odds = assumed.entries["risk.log_odds"].value
    pregnant, complicated = life.pregnant(start)
    score = _log_odds(life, at_risk, start, odds, pregnant[at_risk], complicated[at_risk])
    untouched = 1 / (1 + np.exp(-score))
    effect = _visit_effect(life, at_risk, start, pregnant[at_risk], assumed)
    recent = start - life.last_seen[at_risk] < 90
    probability = untouched * np.where(recent, 1 - effect, 1)
    # A child born within the window is at risk for the rest of it only.
    days = np.minimum(start + length - np.maximum(born, start), length)
    probability = 1 - (1 - probability) ** (days / length)
    return pd.DataFrame(
        {
            "person": at_risk,
            "index_day": start + length - days,
            "horizon_days": days,
            "probability": probability,
            "visit_effect": effect,
        }
    )


def _log_odds(
    life: _Life,
    at_risk: np.ndarray,
    start: int,
    odds: Mapping[str, float],
    pregnant: np.ndarray,
    complicated: np.ndarray,
) -> np.ndarray:
    folk = life.folk.iloc[at_risk]
    age = np.maximum((start - folk["born"].to_numpy()) / DAYS_PER_YEAR, 0)
    on_medicine = folk["on_bp_medicine"].to_numpy() | folk["on_sugar_medicine"].to_numpy()
    adult = age >= ADULT_YEARS
    facts = {
        "intercept": 1.0,
        "infant": age < 1,
        "one_to_four": (age >= 1) & (age < 5),
        "school_age": (age >= 5) & (age < 15),
        "per_decade_over_30": np.clip(age - 30, 0, 55) / 10,
        "male": folk["sex"].to_numpy() == MALE,
        "per_20_mmhg_over_120": adult * np.clip(folk["sbp"].to_numpy() - 120, 0, 80) / 20,
        "smokes": folk["smoking"].to_numpy() == 2,
        "diabetes": folk["diabetes"].to_numpy(),
        "heart_or_stroke": folk["heart"].to_numpy() | folk["stroke"].to_numpy(),
        "lung_or_kidney": folk["copd"].to_numpy() | folk["kidney"].to_numpy(),
        "hiv": folk["hiv"].to_numpy(),
        "no_adherence": on_medicine & (folk["adherence"].to_numpy() == 0),
        "partly_adherence": on_medicine & (folk["adherence"].to_numpy() == 1),
        "admitted_before": life.admitted[at_risk],
        "pregnant": pregnant,
        "complicated": complicated,
        "wasted": (age < 5) & (folk["whz"].to_numpy() < -2),
        "per_10_km": life.km[at_risk] / 10,
        "per_wealth_fifth_below_5": 5 - life.wealth[at_risk],
        "frailty": folk["frailty"].to_numpy(),
    }
    return np.sum([odds[name] * np.asarray(fact, float) * np.ones(len(at_risk))
                   for name, fact in facts.items()], axis=0)


def _visit_effect(
    life: _Life, at_risk: np.ndarray, start: int, pregnant: np.ndarray, assumed: Assumptions
) -> np.ndarray:
    folk = life.folk.iloc[at_risk]
    sizes = assumed.entries["risk.visit_relative_reduction"].value
    age = (start - folk["born"].to_numpy()) / DAYS_PER_YEAR
    on_medicine = folk["on_bp_medicine"].to_numpy() | folk["on_sugar_medicine"].to_numpy()
    effect = (
        sizes["mean"]
        + sizes["no_adherence"] * (on_medicine & (folk["adherence"].to_numpy() == 0))
        + sizes["pregnant"] * pregnant
        + sizes["wasted"] * ((age < 5) & (folk["whz"].to_numpy() < -2))
    )
    return np.minimum(effect, sizes["largest"])


def _befall(
    rng: np.random.Generator,
    truth: pd.DataFrame,
    folk: pd.DataFrame,
    start: int,
    length: int,
    assumed: Assumptions,
) -> pd.DataFrame:
    happens = rng.random(len(truth)) < truth["probability"].to_numpy()
    hit = truth[happens]
    person = hit["person"].to_numpy()
    days = hit["horizon_days"].to_numpy()
    # Days 1 to `horizon` after the index day.
    day = hit["index_day"].to_numpy() + 1 + np.floor(rng.random(len(hit)) * days).astype(np.int64)
    age = (start - folk["born"].to_numpy()[person]) / DAYS_PER_YEAR
    shares = assumed.numbers("risk.death_share_by_age")
    deadly = shares[np.searchsorted([1, 5, 50], age, side="right")]
    return pd.DataFrame(
        {"person": person, "day": day, "is_death": rng.random(len(hit)) < deadly}
    )


def _survey(folk: pd.DataFrame) -> pd.DataFrame:
    first = folk.index[folk["mother"].to_numpy() < 0].to_numpy()
    return _visits(first, folk["enrolled"].to_numpy()[first], HOME, SEEN, SURVEY)


def _visits(
    person: np.ndarray,
    day: np.ndarray,
    kind: np.ndarray | int,
    outcome: np.ndarray | int,
    reason: np.ndarray | int,
    severe: int = 0,
) -> pd.DataFrame:
    columns = np.broadcast_arrays(person, day, kind, outcome, reason, severe)
    return pd.DataFrame({name: np.asarray(values, np.int64) for name, values in
                         zip(VISIT_COLUMNS, columns, strict=True)})


def _contacts(
    rng: np.random.Generator,
    life: _Life,
    at_risk: np.ndarray,
    befell: pd.DataFrame,
    start: int,
    length: int,
    assumed: Assumptions,
) -> pd.DataFrame:
    home, facility = _rates(life, at_risk, start, assumed)
    first = np.maximum(start, life.folk["enrolled"].to_numpy()[at_risk])
    parts = []
    for rate, kind in ((home, HOME), (facility, FACILITY)):
        share = np.clip(start + length - first, 0, length) / length
        n = rng.poisson(rate * share)
        person, since = np.repeat(at_risk, n), np.repeat(first, n)
        day = since + 1 + np.floor(rng.random(len(person)) * (start + length - since))
        outcome = choose(rng, assumed.numbers("visits.home_outcomes"), len(person))
        reason = np.where(rng.random(len(person)) < (0.12 if kind == HOME else 0.6), SICK, ROUTINE)
        parts.append(_visits(person, day, kind, outcome if kind == HOME else SEEN, reason))
    parts.extend(_around_events(rng, befell, assumed))
    return _while_here(pd.concat(parts, ignore_index=True), life)


def _rates(
    life: _Life, at_risk: np.ndarray, start: int, assumed: Assumptions
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
    rng: np.random.Generator, befell: pd.DataFrame, assumed: Assumptions
) -> list[pd.DataFrame]:
    admitted = ~befell["is_death"].to_numpy() | (rng.random(len(befell)) < 0.4)
    inside = befell[admitted]
    before = rng.random(len(befell)) < assumed.number("visits.before_admission")
    sick = befell[before]
    day = sick["day"].to_numpy() - rng.integers(0, 6, len(sick))
    kind = np.where(rng.random(len(sick)) < 0.5, HOME, FACILITY)
    return [
        _visits(inside["person"].to_numpy(), inside["day"].to_numpy(), INPATIENT, SEEN, ADMISSION),
        _visits(sick["person"].to_numpy(), day, kind, SEEN, SICK, severe=1),
    ]


def _while_here(visits: pd.DataFrame, life: _Life) -> pd.DataFrame:
    """Without those after death or leaving, or before birth or enrolment."""
    person, day = visits["person"].to_numpy(), visits["day"].to_numpy()
    last = np.minimum(life.died, life.folk["moved"].to_numpy())[person]
    first = life.folk["enrolled"].to_numpy()[person]
    return visits[(day <= last) & (day >= first)].reset_index(drop=True)
