"""Reasons are sentences that hold the values that decided."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from chw_tools.programme import load_programme
from chw_tools.recommendations import all_recommendations
from chw_tools.recommendations.reasons import days_said
from chw_tools.records import empty_table
from chw_tools.records.derived import RISKS

AS_OF = pd.Timestamp("2026-03-10").as_unit("s")
CASES = {
    "both values and the day": (
        {
            "systolic_mmhg": 168.0,
            "diastolic_mmhg": 98.0,
            "systolic_mmhg_days_since": 7,
            "diastolic_mmhg_days_since": 7,
        },
        "bp_high",
        "Blood pressure was 168/98 on 3 March.",
    ),
    "one value is not known": (
        {"systolic_mmhg": 168.0, "systolic_mmhg_days_since": 7},
        "bp_high",
        "Blood pressure was 168/not known on 3 March.",
    ),
    "the lower value alone, on its day": (
        {"diastolic_mmhg": 112.0, "diastolic_mmhg_days_since": 7},
        "bp_very_high",
        "Blood pressure was not known/112 on 3 March.",
    ),
    "values of two days are not one measurement": (
        {
            "systolic_mmhg": 120.0,
            "systolic_mmhg_days_since": 400,
            "diastolic_mmhg": 112.0,
            "diastolic_mmhg_days_since": 7,
        },
        "bp_very_high",
        "Blood pressure was systolic 120 on 3 February 2025, diastolic 112 on 3 March.",
    ),
    "the highest of several readings is told as that": (
        {
            "systolic_mmhg": 185.0,
            "systolic_mmhg_days_since": 7,
            "diastolic_mmhg": 115.0,
            "diastolic_mmhg_days_since": 7,
            "pressure_is_highest": True,
        },
        "bp_very_high",
        "Blood pressure was 185/115 on 3 March, the highest of several readings.",
    ),
    "the year is said where it is another": (
        {"days_since_visit": 100},
        "visit_anyone",
        "Last visit: 30 November 2025.",
    ),
    "never seen": ({}, "visit_anyone", "Last visit: none known."),
    "signs that are there, not those that are not, on the newest day": (
        {
            "danger_convulsions": "yes",
            "danger_convulsions_days_since": 2,
            "danger_chest_pain": "yes",
            "danger_chest_pain_days_since": 9,
            "danger_lethargic": "no",
            "danger_lethargic_days_since": 0,
        },
        "any_danger_sign",
        "Danger sign on 8 March: convulsions, chest pain.",
    ),
    "a sign that is too old is not named": (
        {
            "danger_convulsions": "yes",
            "danger_convulsions_days_since": 2,
            "danger_chest_pain": "yes",
            "danger_chest_pain_days_since": 20,
        },
        "any_danger_sign",
        "Danger sign on 8 March: convulsions.",
    ),
    "a measured sign has its value": (
        {"glucose_mmol_l": 12.34, "glucose_mmol_l_days_since": 0},
        "glucose_high",
        "High reading on 10 March: blood glucose, any time of day 12.34 mmol/L.",
    ),
    "weeks are whole, the contact is numbered": (
        {"is_pregnant": True, "gestational_weeks": 26.9, "days_since_visit": 90},
        "antenatal_contact",
        "She is 26 weeks pregnant; contact 3 of 8 is due.",
    ),
}


@pytest.mark.parametrize("title", CASES)
def test_reason(title: str, features_of) -> None:  # type: ignore[no-untyped-def]
    known, rule_id, sentence = CASES[title]
    advice = all_recommendations(
        features_of(p=known), empty_table(RISKS), programme=load_programme(), as_of=AS_OF
    )

    assert advice.loc[advice["rule_id"] == rule_id, "reason"].tolist() == [sentence]


def test_days_are_said_for_each_person() -> None:
    said = days_said(np.array([0.0, np.nan, 69.0, 70.0]), AS_OF)

    assert said == ["10 March", "none known", "31 December 2025", "30 December 2025"]
