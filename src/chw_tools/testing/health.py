"""The true health of the simulated people; the register sees it only through visits.

Blood pressures are usual values in mm[Hg], untreated; treatment and chance of the day come
on top where they are measured (:mod:`chw_tools.testing.findings`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chw_tools.testing.chance import choose, stream
from chw_tools.testing.population import ADULT_YEARS, DAYS_PER_YEAR, MALE

if TYPE_CHECKING:
    import pandas as pd

    from chw_tools.testing.assumptions import Assumptions

#: Long-term conditions: column, ICD-10 code, share at 60 and how it grows with age.
LONG_TERM = {
    "heart": ("I25", 0.035, 2.5),
    "stroke": ("I64", 0.020, 2.5),
    "kidney": ("N18", 0.020, 1.5),
    "copd": ("J44", 0.030, 2.0),
    "asthma": ("J45", 0.030, 0.0),
    "depression": ("F32", 0.030, 0.3),
}


def draw_health(
    folk: pd.DataFrame, *, part: int, seed: int, assumed: Assumptions, subject: str
) -> pd.DataFrame:
    """The people with their true state of health in further columns."""
    rng = stream(seed, part, subject)
    age = np.maximum(-folk["born"].to_numpy() / DAYS_PER_YEAR, 0)
    men = folk["sex"].to_numpy() == MALE
    state = _body(rng, folk, age, men, assumed)
    state = _habits(rng, state, age, men, assumed)
    state = _long_term(rng, state, age, assumed)
    n = len(state)
    state["adherence"] = choose(rng, assumed.numbers("health.adherence_share"), n)
    state["frailty"] = rng.normal(0, 1, n)
    # How often somebody is not at home: a habit that nobody measures.
    state["habit"] = rng.normal(0, 1, n)
    return state


def _body(
    rng: np.random.Generator,
    folk: pd.DataFrame,
    age: np.ndarray,
    men: np.ndarray,
    assumed: Assumptions,
) -> pd.DataFrame:
    state = folk.copy()
    n = len(state)
    for name in ("bmi", "height"):
        women, male = assumed.numbers(f"health.{name}_women"), assumed.numbers(f"health.{name}_men")
        draw = rng.normal(0, 1, n)
        state[name] = np.where(men, male[0] + male[1] * draw, women[0] + women[1] * draw)
    state["bmi"] = np.clip(state["bmi"], 14.5, 48)
    knots = assumed.numbers("health.sbp_age")
    usual = np.where(
        men,
        np.interp(age, knots, assumed.numbers("health.sbp_men")),
        np.interp(age, knots, assumed.numbers("health.sbp_women")),
    )
    spread = assumed.number("health.sbp_between_people_sd") * rng.gamma(16, 1 / 16, n)
    # Heavier people have higher pressure: about 1 mm[Hg] for each kg/m2.
    # Pressures lean to the high side; the second term adds that and leaves the mean.
    lean = assumed.number("health.sbp_lean")
    draw = rng.normal(0, 1, n)
    state["sbp"] = usual + spread * (draw + lean * (draw**2 - 1)) + (state["bmi"] - 22.5)
    state["dbp"] = 0.45 * state["sbp"] + 22 + rng.normal(0, 5, n)
    for name in ("whz", "haz"):
        mean, sd = assumed.numbers(f"child.{name}")
        state[name] = rng.normal(mean, sd, n)
    return state


def _habits(
    rng: np.random.Generator,
    state: pd.DataFrame,
    age: np.ndarray,
    men: np.ndarray,
    assumed: Assumptions,
) -> pd.DataFrame:
    n, adult = len(state), age >= ADULT_YEARS
    current = np.where(
        men, assumed.number("health.smoking_men"), assumed.number("health.smoking_women")
    )
    former = current * assumed.number("health.former_smoking_of_current")
    draw = rng.random(n)
    smoking = np.where(draw < current, 2, np.where(draw < current + former, 1, 0))
    state["smoking"] = np.where(adult, smoking, 0)
    alcohol = np.where(
        men,
        choose(rng, assumed.numbers("health.alcohol_men"), n),
        choose(rng, assumed.numbers("health.alcohol_women"), n),
    )
    state["alcohol"] = np.where(adult, alcohol, 0)
    state["active"] = rng.random(n) < assumed.number("health.active_share") - 0.004 * np.clip(
        age - 40, 0, None
    )
    state["fruit"] = rng.random(n) < 0.45
    return state


def _long_term(
    rng: np.random.Generator, state: pd.DataFrame, age: np.ndarray, assumed: Assumptions
) -> pd.DataFrame:
    n, adult = len(state), age >= ADULT_YEARS
    state["hypertension"] = adult & (
        state["sbp"].to_numpy() >= assumed.number("health.hypertension_from_mmhg")
    )
    # Diabetes rises with age and weight around the assumed share of adults.
    odds = np.exp(0.04 * (age - 36) + 0.12 * (state["bmi"].to_numpy() - 22.5))
    mean_odds = odds[adult].mean() if adult.any() else 1.0
    share = assumed.number("health.diabetes_share") * odds / mean_odds
    state["diabetes"] = adult & (rng.random(n) < share)
    for name, (_, at_60, power) in LONG_TERM.items():
        chance = at_60 * np.clip(age / 60, 0.02, 1.6) ** power
        old_enough = age >= (5 if name == "asthma" else ADULT_YEARS)
        state[name] = old_enough & (rng.random(n) < chance)
    fertile = (age >= 15) & (age < 60)
    state["hiv"] = fertile & (rng.random(n) < assumed.number("health.hiv_share"))
    for name in ("hypertension", "diabetes"):
        known = rng.random(n) < assumed.number(f"health.{name}_known")
        state[f"{name}_known"] = state[name] & known
        # A diagnosis is made somewhere in the years before, or during the simulation.
        state[f"{name}_found"] = rng.integers(-2000, 900, n)
    treated = rng.random(n) < assumed.number("health.hypertension_treated_if_known")
    state["on_bp_medicine"] = state["hypertension_known"] & treated
    state["on_sugar_medicine"] = state["diabetes_known"] & (rng.random(n) < 0.8)
    return state
