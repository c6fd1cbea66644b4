"""A pregnancy recorded twice and closed once is over; one begun after a birth is another."""

from __future__ import annotations

import pandas as pd
import pytest

from chw_tools.feature_engineering import build_features
from chw_tools.records import TABLES, Register, conform

ADA = "01890000-0000-7000-8000-f00000000000"


def row(*pregnancies: dict) -> pd.Series:
    told = {"source": "t", "known_on": pd.Timestamp("2023-09-01")}
    person = {"id": ADA, "sex": "female", "born_on": pd.Timestamp("1995-05-01"), **told}
    rows = [
        {"id": f"01890000-0000-7000-8000-a0000000000{at}", "person_id": ADA, **told}
        | {name: pd.Timestamp(day) if name.endswith("_on") else day for name, day in one.items()}
        for at, one in enumerate(pregnancies)
    ]
    made = Register.of(
        {
            "people": conform(TABLES["people"], pd.DataFrame([person])),
            "pregnancies": conform(TABLES["pregnancies"], pd.DataFrame(rows)),
        }
    )
    return build_features(made, as_of=pd.Timestamp("2024-05-01")).frame.iloc[0]


ENDED = {"last_period_on": "2023-07-01", "ended_on": "2024-04-01", "known_on": "2024-04-02"}


@pytest.mark.parametrize(
    ("second", "is_pregnant"),
    [
        ({"last_period_on": "2023-07-20"}, False),
        ({"due_on": "2024-04-20"}, False),
        ({}, False),  # no date, but on record half a year before the birth
        ({"last_period_on": "2024-04-02"}, True),
        ({"last_period_on": "2024-02-01"}, True),  # within the error of a date
    ],
)
@pytest.mark.parametrize("outcome", ["live_birth", "stillbirth"])
def test_a_birth_ends_its_pregnancy_however_often_it_was_recorded(second, is_pregnant, outcome):
    found = row({**ENDED, "outcome": outcome}, second)
    assert bool(found["is_pregnant"]) is is_pregnant
    assert pd.isna(found["weeks_postpartum"]) is is_pregnant


def test_a_loss_ends_no_other_record():
    found = row({**ENDED, "outcome": "miscarriage"}, {"last_period_on": "2023-07-20"})
    assert found["is_pregnant"]
