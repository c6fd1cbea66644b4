"""A small flat table for learning the tools: one row per adult, an outcome, no identifiers.

Here everybody was measured on one day, as in a survey. That is easier than a register,
where most are not; for those build features from the register instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.testing.assumptions import load_assumptions
from chw_tools.testing.chance import stream
from chw_tools.testing.population import ADULT_YEARS, DAYS_PER_YEAR
from chw_tools.testing.simulation import simulate_programme

if TYPE_CHECKING:
    from pathlib import Path

#: The outcome: admitted or died within 180 days, 1 or 0.
TARGET = "target_column"


def draw_sample(*, rows: int, seed: int) -> pd.DataFrame:
    """So many simulated adults, as measured on the last index day.

    Returns
    -------
    DataFrame
        Numeric features and ``target_column``: 1 where an admission or death followed
        within 180 days, drawn from the person's true risk.

    >>> bool(draw_sample(rows=5, seed=1)["target_column"].isin([0, 1]).all())
    True
    """
    # Under half of the simulated people are adults.
    simulated = simulate_programme(people=3 * rows, seed=seed)
    risks = simulated.truth["risks"]
    day = risks.loc[risks["horizon_days"] == 180, "as_of"].max()
    people = simulated.tables["people"].merge(
        simulated.truth["people"], left_on="id", right_on="person_id"
    )
    people = people.merge(risks[risks["as_of"] == day], on="person_id")
    homes = simulated.tables["households"].rename(columns={"id": "household_id"})
    people = people.merge(homes, on="household_id")
    age = (day - people["born_on"]).dt.days / DAYS_PER_YEAR
    adults = people[age >= ADULT_YEARS].head(rows).reset_index(drop=True)
    return _measured(adults, day, seed)


def write_sample(path: Path, *, rows: int = 2000, seed: int = 7) -> None:
    """Write :func:`draw_sample` as CSV."""
    sample = draw_sample(rows=rows, seed=seed)
    path.write_text(sample.to_csv(index=False, lineterminator="\n"), encoding="utf-8", newline="\n")


def _measured(adults: pd.DataFrame, day: pd.Timestamp, seed: int) -> pd.DataFrame:
    rng, n = stream(seed, 0, "sample"), len(adults)
    within = load_assumptions().number("health.sbp_within_person_sd")
    systolic = adults["sbp"] + rng.normal(0, within, n)
    glucose = np.where(adults["diabetes"], 10.0, 5.4) * np.exp(rng.normal(0, 0.17, n))
    return pd.DataFrame(
        {
            "age_years": ((day - adults["born_on"]).dt.days / DAYS_PER_YEAR).round(1),
            "is_male": (adults["sex"] == "male").astype(int),
            "systolic_mmhg": systolic.round(0).clip(75, 240).astype(int),
            "bmi": (adults["bmi"] + rng.normal(0, 0.4, n)).round(1),
            "glucose_mmol_l": np.clip(glucose, 2.5, 30).round(1),
            "smokes": (adults["smoking"] == 2).astype(int),
            "has_hypertension": adults["hypertension"].astype(int),
            "has_diabetes": adults["diabetes"].astype(int),
            "admitted_last_180d": adults["admitted_before"].astype(int),
            "is_pregnant": adults["pregnant"].astype(int),
            "wealth_fifth": adults["wealth_fifth"].astype(int),
            "facility_km": adults["facility_km"],
            TARGET: adults["happened"].astype(int),
        }
    )
