"""The true probabilities of a simulation beside the rows of a training.

What the simulator drew from a probability can be judged against it: admissions and deaths,
missed visits, early births. For other outcomes no row has a true probability.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from chw_tools.model_training import Cohorts
    from chw_tools.testing.simulation import Simulated


def true_probabilities(simulated: Simulated, cohorts: Cohorts) -> pd.DataFrame:
    """The true probability of each row of the cohorts, where the simulator has one.

    Returns
    -------
    DataFrame
        ``person_id`` (the register's), ``as_of``, ``probability``: as ``run_training`` takes
        the truth. No rows for an outcome that is not drawn from a probability, nor for an
        index day on which no window of the simulation begins.
    """
    rows = pd.DataFrame(
        {
            "person_id": cohorts.features.frame.index.astype("str"),
            "as_of": cohorts.as_of.to_numpy(),
            "subject": "" if cohorts.subjects is None else cohorts.subjects.to_numpy(),
        }
    )
    register = simulated.register
    rows["person"] = rows["person_id"].map(_source_ids(register.people))
    if cohorts.outcome == "missed_follow_up":
        rows["id"] = rows["subject"].map(_source_ids(register.visits))
        found = rows.merge(simulated.truth["visits"][["id", "probability"]], on="id")
    elif cohorts.outcome == "preterm_birth":
        begun = register.pregnancies.set_index("id")["last_period_on"]
        rows["last_period_on"] = rows["subject"].map(begun)
        found = _merged(rows, simulated.truth["pregnancies"], "last_period_on")
    elif cohorts.outcome == "hospital_admission_180d":
        found = _merged(rows, simulated.truth["risks"], "as_of")
    else:
        found = rows.iloc[:0].assign(probability=0.0)
    return found[["person_id", "as_of", "probability"]]


def _source_ids(table: pd.DataFrame) -> pd.Series:
    return table.set_index("id")["source_id"]


def _merged(rows: pd.DataFrame, truth: pd.DataFrame, day: str) -> pd.DataFrame:
    told = truth.rename(columns={"person_id": "person"})[["person", day, "probability"]]
    return rows.merge(told, on=["person", day])
