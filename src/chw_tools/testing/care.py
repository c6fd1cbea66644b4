"""Diagnoses, medicines, vaccines, consents and pregnancies as the register holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.records.codes import ATC, CVX, ICD10
from chw_tools.testing.chance import stream
from chw_tools.testing.population import NEVER
from chw_tools.testing.pregnancies import OUTCOMES, TERM_DAYS

if TYPE_CHECKING:
    from chw_tools.testing.names import Names


def draw_care(names: Names) -> dict[str, pd.DataFrame]:
    """The tables of care, by name."""
    return {
        "conditions": pd.DataFrame(columns=["id"]),
        "medications": pd.DataFrame(columns=["id"]),
        "immunisations": pd.DataFrame(columns=["id"]),
        "consents": pd.DataFrame(columns=["id"]),
        "pregnancies": _pregnancies(names),
    }


def _pregnancies(names: Names) -> pd.DataFrame:
    begun = names.drawn.pregnancies
    person = begun["person"].to_numpy()
    days = names.drawn.days
    ended = (begun["ends"] <= days).to_numpy()
    frame = pd.DataFrame(
        {
            "id": names.ids("G", len(begun)),
            "person_id": names.person.take(person),
            "last_period_on": names.date(begun["last_period"]),
            "due_on": names.date(begun["last_period"] + TERM_DAYS),
            "ended_on": names.date(np.where(ended, begun["ends"], NEVER)),
            "outcome": np.where(ended, np.array(OUTCOMES, dtype=object)[begun["outcome"]], None),
            "gravidity": begun["gravidity"].to_numpy(),
            "known_on": names.date(begun["noticed"]),
        }
    )
    here = np.minimum(names.died, names.folk["moved"].to_numpy())[person] > begun["ends"]
    return frame[here & (begun["noticed"] <= days).to_numpy()]
