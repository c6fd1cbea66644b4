"""Clinical rules as specifications: one person in, the advice expected.

Each case holds what is known of the person, the rule that must come first, its urgency, and
days until it is due. What is not named is not known.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from chw_tools.programme import load_programme
from chw_tools.recommendations import all_recommendations
from chw_tools.records import empty_table
from chw_tools.records.derived import RISKS

PROGRAMME = load_programme()
AS_OF = pd.Timestamp("2026-03-10").as_unit("s")

BP_TODAY = {"systolic_mmhg_days_since": 2, "diastolic_mmhg_days_since": 2}
PREGNANT = {"is_pregnant": True, "gestational_weeks": 25, "sex": "female", "age_years": 25}


def bp(systolic: float, diastolic: float, days: float = 2) -> dict[str, Any]:
    return {
        "systolic_mmhg": systolic,
        "diastolic_mmhg": diastolic,
        "systolic_mmhg_days_since": days,
        "diastolic_mmhg_days_since": days,
    }


def sign(name: str, days: float = 1, answer: str = "yes") -> dict[str, Any]:
    return {f"danger_{name}": answer, f"danger_{name}_days_since": days}


def child(months: float) -> dict[str, Any]:
    return {"age_months": months, "age_years": months / 12}


def muac(cm: float, days: float = 3) -> dict[str, Any]:
    return {"muac_cm": cm, "muac_cm_days_since": days}


def z_score(name: str, z: float, days: float = 3) -> dict[str, Any]:
    return {name: z, f"{name}_days_since": days}


CASES: dict[str, tuple[dict[str, Any], str, str, int]] = {
    "child of two cannot drink": (
        child(24) | sign("unable_to_drink"),
        "child_danger_sign",
        "emergency",
        0,
    ),
    "child of two, weight for height -3.01": (
        child(24) | z_score("weight_for_height_z", -3.01),
        "child_weight_for_height_severe",
        "same_day",
        0,
    ),
    "child of two, weight for height -3": (
        child(24) | z_score("weight_for_height_z", -3.0) | muac(12.0),
        "child_weight_for_height_low",
        "within_days",
        7,
    ),
    "child of eleven months, weight for age -3.2": (
        child(11) | z_score("weight_for_age_z", -3.2),
        "child_weight_for_age_severe",
        "same_day",
        0,
    ),
    "child of two, measured impossibly": (
        child(24) | {"growth_is_implausible": True},
        "child_growth_measure_again",
        "within_days",
        7,
    ),
    "baby of a month with fits": (
        child(1) | sign("convulsions") | {"days_since_visit": 0},
        "young_infant_danger_sign",
        "emergency",
        0,
    ),
    "baby of a month, 35.4 degrees": (
        child(1) | {"temperature_celsius": 35.4, "temperature_celsius_days_since": 0},
        "young_infant_temperature",
        "emergency",
        0,
    ),
    "baby of a month, 60 breaths": (
        child(1) | {"respiratory_rate_per_min": 60, "respiratory_rate_per_min_days_since": 0},
        "young_infant_fast_breathing",
        "emergency",
        0,
    ),
    "chest drawn in at nine months": (
        child(9) | sign("chest_indrawing"),
        "child_chest_indrawing",
        "emergency",
        0,
    ),
    "oxygen 89 at two years": (
        child(24) | {"oxygen_saturation_percent": 89, "oxygen_saturation_percent_days_since": 0},
        "child_low_oxygen",
        "emergency",
        0,
    ),
    "both feet swollen at two years": (
        child(24) | {"oedema": "yes", "oedema_days_since": 1},
        "child_oedema",
        "emergency",
        0,
    ),
    "pregnant, oxygen 91": (
        PREGNANT | {"oxygen_saturation_percent": 91, "oxygen_saturation_percent_days_since": 0},
        "pregnancy_low_oxygen",
        "emergency",
        0,
    ),
    "baby of a month, oxygen 89": (
        child(1) | {"oxygen_saturation_percent": 89, "oxygen_saturation_percent_days_since": 0},
        "low_oxygen",
        "emergency",
        0,
    ),
    "age not known, oxygen 89": (
        {"oxygen_saturation_percent": 89, "oxygen_saturation_percent_days_since": 0},
        "low_oxygen",
        "emergency",
        0,
    ),
    "age not known, arm 11.4 cm": (muac(11.4), "child_muac_red", "same_day", 0),
    "arm 11.4 cm": (child(24) | muac(11.4), "child_muac_red", "same_day", 0),
    "arm 11.5 cm is yellow, not red": (
        child(24) | muac(11.5),
        "child_muac_yellow",
        "within_days",
        7,
    ),
    "50 breaths at 11 months is fast": (
        child(11) | {"respiratory_rate_per_min": 50, "respiratory_rate_per_min_days_since": 0},
        "child_fast_breathing_infant",
        "same_day",
        0,
    ),
    "40 breaths at 12 months is fast": (
        child(12) | {"respiratory_rate_per_min": 40, "respiratory_rate_per_min_days_since": 0},
        "child_fast_breathing",
        "same_day",
        0,
    ),
    "fever at two years": (
        child(24) | {"temperature_celsius": 37.5, "temperature_celsius_days_since": 1},
        "child_fever",
        "same_day",
        0,
    ),
    "malaria test positive, age not known": (
        {"malaria_rapid_test": "positive", "malaria_rapid_test_days_since": 1},
        "malaria_positive",
        "same_day",
        0,
    ),
    "bleeding in pregnancy": (
        PREGNANT | sign("vaginal_bleeding"),
        "pregnancy_danger_sign",
        "emergency",
        0,
    ),
    "38 degrees in pregnancy": (
        PREGNANT | {"temperature_celsius": 38.0, "temperature_celsius_days_since": 0},
        "pregnancy_fever",
        "emergency",
        0,
    ),
    "160/95 in pregnancy": (PREGNANT | bp(160, 95), "pregnancy_bp_severe", "emergency", 0),
    "142/88 with protein ++ in pregnancy": (
        PREGNANT | bp(142, 88) | {"urine_protein": "2+", "urine_protein_days_since": 2},
        "pregnancy_protein",
        "emergency",
        0,
    ),
    "142/88 in pregnancy": (PREGNANT | bp(142, 88), "pregnancy_bp_raised", "same_day", 0),
    "headache three weeks after birth": (
        {"weeks_postpartum": 3, "age_years": 25, "is_pregnant": False} | sign("severe_headache"),
        "postpartum_danger_sign",
        "emergency",
        0,
    ),
    "180/100": ({"age_years": 50} | bp(180, 100), "bp_very_high", "emergency", 0),
    "150/110, age not known": (bp(150, 110), "bp_very_high", "emergency", 0),
    "chest pain at 60": (
        {"age_years": 60} | sign("chest_pain"),
        "adult_danger_sign",
        "emergency",
        0,
    ),
    "stroke signs, age not known": (sign("stroke_signs"), "any_danger_sign", "emergency", 0),
    "chest pain three weeks ago, not asked again": (
        {"age_years": 60} | sign("chest_pain", days=21),
        "danger_sign_recheck",
        "within_days",
        3,
    ),
    "glucose 18": (
        {"age_years": 50, "glucose_mmol_l": 18, "glucose_mmol_l_days_since": 1},
        "glucose_very_high",
        "emergency",
        0,
    ),
    "glucose 3.8": (
        {"age_years": 50, "glucose_mmol_l": 3.8, "glucose_mmol_l_days_since": 1},
        "glucose_low",
        "emergency",
        0,
    ),
    "160/95": ({"age_years": 50} | bp(160, 95), "bp_high", "same_day", 0),
    "140/80": ({"age_years": 50} | bp(140, 80), "bp_raised", "within_days", 7),
    "139/90": ({"age_years": 50} | bp(139, 90), "bp_raised", "within_days", 7),
    "150/85 forty days ago": (
        {"age_years": 50} | bp(150, 85, days=40),
        "bp_follow_up_high",
        "within_days",
        -10,
    ),
    "hypertension, never measured": (
        {"age_years": 50, "has_hypertension": True, "days_since_visit": 0},
        "bp_measure_hypertension",
        "within_days",
        7,
    ),
    "hypertension, 125/80 half a year ago": (
        {"age_years": 50, "has_hypertension": True, "days_since_visit": 0} | bp(125, 80, days=180),
        "bp_follow_up_controlled",
        "within_days",
        -90,
    ),
    "fasting glucose 7.0": (
        {"age_years": 50, "fasting_glucose_mmol_l": 7.0, "fasting_glucose_mmol_l_days_since": 9},
        "glucose_high",
        "within_days",
        7,
    ),
    "diabetes and glucose 11.1": (
        {"has_diabetes": True, "glucose_mmol_l": 11.1, "glucose_mmol_l_days_since": 9},
        "glucose_high_diabetes",
        "within_days",
        14,
    ),
    "diabetes, never measured": (
        {"has_diabetes": True, "days_since_visit": 0},
        "glucose_measure_diabetes",
        "within_days",
        14,
    ),
    "41 weeks": (
        PREGNANT | {"gestational_weeks": 41} | bp(110, 70),
        "pregnancy_past_term",
        "same_day",
        0,
    ),
    "20 weeks, last seen five weeks ago": (
        PREGNANT | {"gestational_weeks": 20, "days_since_visit": 35} | bp(110, 70, days=35),
        "antenatal_contact",
        "routine",
        0,
    ),
    "22 weeks, contact of week 20 not made": (
        PREGNANT | {"gestational_weeks": 22, "days_since_visit": 60} | bp(110, 70, days=60),
        "antenatal_contact",
        "within_days",
        -14,
    ),
    "pregnant, weeks not known": (
        {"is_pregnant": True, "days_since_visit": 0} | bp(110, 70),
        "pregnancy_weeks_not_known",
        "within_days",
        7,
    ),
    "pregnant, blood pressure never measured": (
        PREGNANT | {"days_since_visit": 0},
        "pregnancy_bp_measure",
        "within_days",
        7,
    ),
    "10.9 g/dL at 30 weeks": (
        PREGNANT
        | {"gestational_weeks": 30, "haemoglobin_g_dl": 10.9, "days_since_visit": 0}
        | {"haemoglobin_g_dl_days_since": 3}
        | bp(110, 70),
        "pregnancy_anaemia",
        "within_days",
        7,
    ),
    "10.9 g/dL at 12 weeks": (
        PREGNANT
        | {"gestational_weeks": 12, "haemoglobin_g_dl": 10.9, "days_since_visit": 0}
        | {"haemoglobin_g_dl_days_since": 3}
        | bp(110, 70),
        "pregnancy_anaemia_early",
        "within_days",
        7,
    ),
    "10.4 g/dL at 20 weeks": (
        PREGNANT
        | {"gestational_weeks": 20, "haemoglobin_g_dl": 10.4, "days_since_visit": 0}
        | {"haemoglobin_g_dl_days_since": 3}
        | bp(110, 70),
        "pregnancy_anaemia_middle",
        "within_days",
        7,
    ),
    "birth this week, not seen since": (
        {"weeks_postpartum": 0, "age_years": 25, "is_pregnant": False, "days_since_visit": 40},
        "postnatal_first_week",
        "same_day",
        0,
    ),
    "birth a week ago, not seen since": (
        {"weeks_postpartum": 1, "age_years": 25, "is_pregnant": False, "days_since_visit": 40},
        "postnatal_contact",
        "within_days",
        0,
    ),
    "baby of three days, not seen": (
        {"age_years": 3 / 365.25, "age_months": 0},
        "newborn_first_week",
        "same_day",
        -1,
    ),
    "baby of ten days, seen on day three": (
        {"age_years": 10 / 365.25, "age_months": 0, "days_since_visit": 7},
        "newborn_contact",
        "within_days",
        -3,
    ),
    "arm never measured at two years": (
        child(24) | {"days_since_visit": 0},
        "child_muac_measure",
        "routine",
        0,
    ),
    "PHQ-9 of 10": (
        {"phq9_points": 10, "phq9_points_days_since": 4, "days_since_visit": 0},
        "depression_score",
        "within_days",
        7,
    ),
    "medicines partly taken": (
        {"medicine_adherence": "partly", "medicine_adherence_days_since": 4, "days_since_visit": 0},
        "medicine_missed",
        "within_days",
        14,
    ),
    "takes medicines, never asked": (
        {"n_active_medicines": 2, "days_since_visit": 0},
        "medicine_ask",
        "routine",
        0,
    ),
    "smoker of 30, asked four months ago": (
        {"age_years": 30, "tobacco": "current", "tobacco_days_since": 120, "days_since_visit": 0},
        "tobacco_advice",
        "routine",
        -30,
    ),
    "smoker in pregnancy": (
        PREGNANT
        | {"tobacco": "current", "tobacco_days_since": 3, "days_since_visit": 0}
        | bp(110, 70),
        "pregnancy_tobacco",
        "routine",
        14,
    ),
    "blood pressure never measured at 40": (
        {"age_years": 40, "days_since_visit": 0},
        "bp_measure_adult",
        "routine",
        30,
    ),
    "pregnant woman seen 40 days ago": (
        PREGNANT | {"gestational_weeks": 25, "days_since_visit": 40} | bp(110, 70, days=40),
        "visit_pregnant",
        "routine",
        -10,
    ),
    "child of 30 months seen 70 days ago, arm measured": (
        child(30) | muac(14, days=2) | {"days_since_visit": 70},
        "visit_child",
        "routine",
        -10,
    ),
    "asthma is not followed, HIV is": (
        {"age_years": 30, "has_asthma": True, "has_hiv": True, "days_since_visit": 100},
        "visit_long_term_illness",
        "routine",
        -10,
    ),
    "seen 130 days ago at 65": (
        {"age_years": 65, "days_since_visit": 130} | bp(120, 70),
        "visit_older",
        "routine",
        -10,
    ),
    "nothing is known at all": ({}, "visit_anyone", "routine", 0),
}


@pytest.mark.parametrize("title", CASES)
def test_first_advice(title: str, features_of) -> None:  # type: ignore[no-untyped-def]
    known, rule_id, urgency, days = CASES[title]

    advice = all_recommendations(
        features_of(p=known), empty_table(RISKS), programme=PROGRAMME, as_of=AS_OF
    )

    row = advice[advice["rule_id"] == rule_id]
    assert len(row) == 1, f"{rule_id} not among {advice['rule_id'].tolist()}"
    assert row["urgency"].item() == urgency
    assert (row["due_on"].item() - AS_OF).days == days
    more_urgent = advice[advice["rank"] < row["rank"].item()]
    assert not more_urgent["urgency"].isin(["emergency"]).any() or urgency == "emergency"


def test_every_shipped_rule_has_a_case() -> None:
    covered = {rule_id for _, rule_id, _, _ in CASES.values()}

    assert {rule.id for rule in PROGRAMME.rules} == covered


NOT_CASES: dict[str, tuple[dict[str, Any], str]] = {
    "139/89 is not raised": ({"age_years": 50} | bp(139, 89), "bp_raised"),
    "179/109 is not very high": ({"age_years": 50} | bp(179, 109), "bp_very_high"),
    "an old 185/100 is measured again, not an emergency": (
        {"age_years": 50} | bp(185, 100, days=31),
        "bp_very_high",
    ),
    "49 breaths at 11 months": (
        child(11) | {"respiratory_rate_per_min": 49, "respiratory_rate_per_min_days_since": 0},
        "child_fast_breathing_infant",
    ),
    "arm of 12.5 cm": (child(24) | muac(12.5), "child_muac_yellow"),
    "arm of 11 cm at five years": (
        {"age_months": float("nan"), "age_years": 5.0} | muac(11.0),
        "child_muac_red",
    ),
    "pregnant, oxygen 92": (
        PREGNANT | {"oxygen_saturation_percent": 92, "oxygen_saturation_percent_days_since": 0},
        "pregnancy_low_oxygen",
    ),
    "oxygen of last week": (
        {"oxygen_saturation_percent": 85, "oxygen_saturation_percent_days_since": 7},
        "low_oxygen",
    ),
    "arm of 11 cm at five months": (child(5) | muac(11.0), "child_muac_red"),
    "a danger sign asked and answered no": (
        {"age_years": 30} | sign("chest_pain", answer="no"),
        "any_danger_sign",
    ),
    "contact of week 20 made six days early": (
        PREGNANT | {"gestational_weeks": 22, "days_since_visit": 20} | bp(110, 70),
        "antenatal_contact",
    ),
    "142/88 with a trace of protein": (
        PREGNANT | bp(142, 88) | {"urine_protein": "trace", "urine_protein_days_since": 2},
        "pregnancy_protein",
    ),
    "glucose 11.0": ({"glucose_mmol_l": 11.0, "glucose_mmol_l_days_since": 1}, "glucose_high"),
    "10.5 g/dL at 20 weeks": (
        PREGNANT
        | {"gestational_weeks": 20, "haemoglobin_g_dl": 10.5}
        | {"haemoglobin_g_dl_days_since": 3},
        "pregnancy_anaemia_middle",
    ),
    "at 39 no yearly measurement": ({"age_years": 39.9}, "bp_measure_adult"),
}


@pytest.mark.parametrize("title", NOT_CASES)
def test_not_advised(title: str, features_of) -> None:  # type: ignore[no-untyped-def]
    known, rule_id = NOT_CASES[title]

    advice = all_recommendations(
        features_of(p=known), empty_table(RISKS), programme=PROGRAMME, as_of=AS_OF
    )

    assert rule_id not in set(advice["rule_id"])


def test_what_is_not_measured_is_to_be_measured_not_taken_for_normal(features_of) -> None:  # type: ignore[no-untyped-def]
    advice = all_recommendations(
        features_of(p={"age_years": 70, "has_hypertension": True, "has_diabetes": True}),
        empty_table(RISKS),
        programme=PROGRAMME,
        as_of=AS_OF,
    )

    measure = set(advice.loc[advice["kind"] == "measure", "rule_id"])
    assert {"bp_measure_hypertension", "glucose_measure_diabetes"} <= measure
