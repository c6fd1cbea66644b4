"""The true risk: declared log odds, the effect of a visit, and events drawn from both.

At each index day every living person has a true probability of an admission or death within
the window. A home visit in the 90 days before lowers it; by how much is kept as the true
effect of a visit. Events are drawn from exactly these probabilities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.testing.population import ADULT_YEARS, DAYS_PER_YEAR, MALE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chw_tools.testing.assumptions import Assumptions
    from chw_tools.testing.life import Life

#: A home visit protects this long.
VISIT_DAYS = 90


def compute_true_risks(
    life: Life, at_risk: np.ndarray, start: int, length: int, assumed: Assumptions
) -> pd.DataFrame:
    """The true probability of each person at risk in the window, and what a visit would do.

    Columns: ``person``, ``index_day``, ``horizon_days``, ``probability`` (the one events are
    drawn from), ``probability_unvisited`` (had there been no visit in the last 90 days),
    ``visit_effect`` (relative reduction that such a visit gives), and the two facts that
    change from window to window.
    """
    born = life.folk["born"].to_numpy()[at_risk]
    odds = assumed.entries["risk.log_odds"].value
    pregnant, complicated = life.pregnant(start)
    score = _log_odds(life, at_risk, start, odds, pregnant[at_risk], complicated[at_risk])
    untouched = 1 / (1 + np.exp(-score))
    effect = _visit_effect(life, at_risk, start, pregnant[at_risk], assumed)
    since = start - life.last_seen[at_risk]
    # A newborn may be entered, and so first seen, only after the index day.
    recent = (since >= 0) & (since < VISIT_DAYS)
    visited = untouched * np.where(recent, 1 - effect, 1)
    # A child born within the window is at risk for the rest of it only.
    days = np.minimum(start + length - np.maximum(born, start), length)
    return pd.DataFrame(
        {
            "person": at_risk,
            "index_day": start + length - days,
            "horizon_days": days,
            "probability": 1 - (1 - visited) ** (days / length),
            "probability_unvisited": 1 - (1 - untouched) ** (days / length),
            "visit_effect": effect,
            "admitted_before": life.admitted[at_risk],
            "pregnant": pregnant[at_risk],
        }
    )


def _log_odds(
    life: Life,
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
    score = np.zeros(len(at_risk))
    for name, fact in facts.items():
        score += odds[name] * np.asarray(fact, dtype=float)
    return score


def _visit_effect(
    life: Life, at_risk: np.ndarray, start: int, pregnant: np.ndarray, assumed: Assumptions
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
    capped: np.ndarray = np.minimum(effect, sizes["largest"])
    return capped


def befall(
    rng: np.random.Generator,
    truth: pd.DataFrame,
    folk: pd.DataFrame,
    start: int,
    length: int,
    assumed: Assumptions,
) -> pd.DataFrame:
    """Whom an admission or death befalls: ``person``, ``day``, ``is_death``."""
    happens = rng.random(len(truth)) < truth["probability"].to_numpy()
    hit = truth[happens]
    person = hit["person"].to_numpy()
    days = hit["horizon_days"].to_numpy()
    # Days 1 to `horizon` after the index day.
    day = hit["index_day"].to_numpy() + 1 + np.floor(rng.random(len(hit)) * days).astype(np.int64)
    age = (start - folk["born"].to_numpy()[person]) / DAYS_PER_YEAR
    shares = assumed.numbers("risk.death_share_by_age")
    deadly = shares[np.searchsorted([1, 5, 50], age, side="right")]
    return pd.DataFrame({"person": person, "day": day, "is_death": rng.random(len(hit)) < deadly})
