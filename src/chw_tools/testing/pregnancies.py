"""Pregnancies: when they begin, how they end, and the children born of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.testing.chance import choose, stream
from chw_tools.testing.population import DAYS_PER_YEAR, FEMALE, NEVER

if TYPE_CHECKING:
    from chw_tools.testing.assumptions import Assumptions

TERM_DAYS = 280
OUTCOMES = ("live_birth", "stillbirth", "miscarriage", "termination")


def draw_pregnancies(
    folk: pd.DataFrame,
    households: pd.DataFrame,
    *,
    last_day: int,
    part: int,
    seed: int,
    assumed: Assumptions,
) -> pd.DataFrame:
    """Pregnancies that touch the simulated time, one row each.

    Columns: ``person``, ``last_period``, ``ends`` (day), ``outcome`` (position in
    :data:`OUTCOMES`), ``complicated``, ``gravidity``, ``preterm`` (the true probability of a
    birth before 37 weeks), ``noticed`` (day the programme knew).
    """
    rng = stream(seed, part, "pregnancies")
    women = np.flatnonzero(folk["sex"].to_numpy() == FEMALE)
    born = folk["born"].to_numpy()[women]
    rates = np.append(0.0, np.append(assumed.numbers("pregnancy.per_woman_year"), 0.0))
    ages = assumed.numbers("pregnancy.age_from")
    # Early enough that the first simulated day finds pregnancies at every stage.
    begin = np.full(len(women), -5.0 * TERM_DAYS)
    rounds = []
    for _ in range(10):
        # Candidate waits at the highest rate, thinned to the rate at the age reached.
        begin = begin + rng.exponential(DAYS_PER_YEAR / rates.max(), len(women))
        age = (begin - born) / DAYS_PER_YEAR
        kept = rng.random(len(women)) < _rate_at(age, ages, rates) / rates.max()
        kept &= begin < last_day
        ends = begin + TERM_DAYS
        rounds.append(pd.DataFrame({"person": women[kept], "last_period": begin[kept]}))
        begin = np.where(kept, ends + 120, begin)
    found = pd.concat(rounds, ignore_index=True).sort_values(["person", "last_period"])
    wealth = households["wealth"].to_numpy()[folk["household"].to_numpy()]
    return _ended(rng, found.reset_index(drop=True), folk, wealth, assumed)


def _rate_at(age: np.ndarray, ages: np.ndarray, rates: np.ndarray) -> np.ndarray:
    edges = np.append(ages, ages[-1] + 5)
    return rates[np.searchsorted(edges, age, side="right")]


def compute_preterm(
    found: pd.DataFrame,
    age: np.ndarray,
    folk: pd.DataFrame,
    wealth: np.ndarray,
    assumed: Assumptions,
) -> np.ndarray:
    """The true probability that a birth comes before 37 completed weeks."""
    odds = assumed.entries["pregnancy.preterm_log_odds"].value
    person = found["person"].to_numpy()
    woman = folk.iloc[person]
    facts = {
        "intercept": 1.0,
        "under_20": age < 20,
        "from_35": age >= 35,
        "first": found["gravidity"].to_numpy() == 1,
        "underweight": woman["bmi"].to_numpy() < 18.5,
        "hypertension": woman["hypertension"].to_numpy(),
        "diabetes": woman["diabetes"].to_numpy(),
        "hiv": woman["hiv"].to_numpy(),
        "smokes": woman["smoking"].to_numpy() == 2,
        "complicated": found["complicated"].to_numpy(),
        "poorest": wealth[person] == 1,
    }
    score = np.zeros(len(found))
    for name, fact in facts.items():
        score += odds[name] * np.asarray(fact, dtype=float)
    chance: np.ndarray = 1 / (1 + np.exp(-score))
    return chance


def _lengths(rng: np.random.Generator, found: pd.DataFrame, assumed: Assumptions) -> np.ndarray:
    """Days from the last period to the end: births early as often as their probability says."""
    n = len(found)
    low, high = assumed.numbers("pregnancy.preterm_days")
    early = np.floor(high + 1 - (high + 1 - low) * rng.beta(1, 3, n))
    early = np.clip(early, low, high)
    term = np.clip(np.rint(rng.normal(279, 9, n)), high + 1, 300)
    birth = np.where(rng.random(n) < found["preterm"], early, term)
    loss = np.rint(rng.uniform(45, 140, n))
    days: np.ndarray = np.where(found["outcome"] < 2, birth, loss).astype(np.int64)
    return days


def _ended(
    rng: np.random.Generator,
    found: pd.DataFrame,
    folk: pd.DataFrame,
    wealth: np.ndarray,
    assumed: Assumptions,
) -> pd.DataFrame:
    n = len(found)
    found["last_period"] = np.floor(found["last_period"]).astype(np.int64)
    found["outcome"] = choose(rng, assumed.numbers("pregnancy.ends"), n)
    found["complicated"] = rng.random(n) < assumed.number("pregnancy.complicated")
    born = folk["born"].to_numpy()[found["person"]]
    age = (found["last_period"] - born) / DAYS_PER_YEAR
    earlier = rng.poisson(np.clip((age - 17) * 0.2, 0.05, 7))
    found["gravidity"] = 1 + earlier + found.groupby("person").cumcount()
    found["preterm"] = compute_preterm(found, age.to_numpy(), folk, wealth, assumed)
    found["ends"] = found["last_period"] + _lengths(rng, found, assumed)
    weeks = np.clip(rng.normal(15, 5, n), 5, 34)
    noticed = found["last_period"] + np.rint(weeks * 7).astype(np.int64)
    unseen = rng.random(n) >= assumed.number("pregnancy.first_contact")
    # Without an antenatal contact the programme hears of it at the birth or never.
    noticed = np.where(unseen | (noticed >= found["ends"]), found["ends"] + 10, noticed)
    lost = unseen & (found["outcome"] >= 2)
    found["noticed"] = np.where(lost, NEVER, noticed)
    found["anc"] = ~unseen
    return found[found["ends"] > -90].reset_index(drop=True)
