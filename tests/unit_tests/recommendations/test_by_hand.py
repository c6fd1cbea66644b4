"""Emergencies and same-day needs, written by hand from the sources, not from the engine.

The cases in ``programme/defaults/cases_*.csv`` were frozen from the rules: they hold the rules
still, and prove nothing of their own. These were written the other way round: each reads one
row of WHO's tables (counted in the sheet for ANC, by its id for CHE), or the text that the rule
names where no row was read, and says how urgent the person is and where to send her. They go
the whole way, from records of births, pregnancies and measurements to the advice, and know no
rule by name. Where this project is stricter than the row, the case says what the row asks for
at the least.
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
import pytest

from chw_tools.feature_engineering import build_features
from chw_tools.programme import load_programme
from chw_tools.recommendations import all_recommendations, recommend
from chw_tools.records import TABLES, Register, conform, empty_table, load_catalogue, new_id
from chw_tools.records.derived import RISKS, URGENCY_LEVEL

AS_OF = pd.Timestamp("2026-03-10").as_unit("s")
PROGRAMME = load_programme()
CATALOGUE = load_catalogue()


class Hand(NamedTuple):
    """What a source says of one person: days old, what is found, and what must come of it."""

    row: str
    days_old: int
    found: dict[str, float | str]
    urgency: str
    says: str
    weeks_pregnant: int | None = None
    days_since_birth: int | None = None


YES = "yes"
BABY, TODDLER, CHILD, WOMAN, MAN = 20, 400, 1200, 25 * 365, 55 * 365


def unwell(row: str, days_old: int, urgency: str, says: str, /, **found: float | str) -> Hand:
    return Hand(row, days_old, found, urgency, says)


def pregnant(row: str, urgency: str, says: str, /, weeks: int = 28, **found: float | str) -> Hand:
    return Hand(row, WOMAN, found, urgency, says, weeks_pregnant=weeks)


def gave_birth(row: str, urgency: str, says: str, /, days: int = 10, **found: float | str) -> Hand:
    return Hand(row, WOMAN, found, urgency, says, days_since_birth=days)


NOW, TODAY = "emergency", "same_day"
CASES = (
    # ---------------------------------------- child of 2 to 59 months: CHE.DT.01 and CHE.DT.03
    unwell("CHE.DT.01.CL02 convulsing", TODDLER, NOW, "hospital", danger_convulsions=YES),
    unwell("CHE.DT.01.CL05 unconscious or lethargic", CHILD, NOW, "hospital", danger_lethargic=YES),
    unwell("CHE.DT.01.CL06 cannot drink", TODDLER, NOW, "hospital", danger_unable_to_drink=YES),
    unwell("CHE.DT.01.CL08 vomits all", TODDLER, NOW, "hospital", danger_vomits_everything=YES),
    unwell("CHE.DT.01.CL13 stridor when calm", CHILD, NOW, "hospital", danger_noisy_breathing=YES),
    unwell("CHE.DT.01.CL14 under 90 %", CHILD, NOW, "hospital", oxygen_saturation_percent=89),
    unwell("iCCM 2011 chest indrawing", TODDLER, NOW, "hospital", danger_chest_indrawing=YES),
    unwell(
        "CHE.DT.01.CL53 sunken eyes and lethargic",
        TODDLER,
        NOW,
        "hospital",
        diarrhoea_days=2,
        sunken_eyes=YES,
        danger_lethargic=YES,
    ),
    unwell(
        "CHE.DT.01.CL62 pinch very slow and cannot drink",
        TODDLER,
        NOW,
        "hospital",
        diarrhoea_days=1,
        skin_pinch="very_slowly",
        drinking="not_able",
    ),
    unwell("CHE.DT.01.CL85 stiff neck", CHILD, NOW, "hospital", stiff_neck=YES, fever_days=2),
    unwell(
        "CHE.DT.01.CL119 measles, clouded",
        CHILD,
        NOW,
        "hospital",
        measles_rash=YES,
        eye_clouded=YES,
    ),
    unwell(
        "CHE.DT.01.CL118 deep sores", CHILD, NOW, "hospital", measles_rash=YES, mouth_sores="deep"
    ),
    unwell("CHE.DT.01.CL169 mastoiditis", CHILD, NOW, "hospital", swelling_behind_ear=YES),
    unwell("CHE.DT.01.CL216 severe pallor", CHILD, NOW, "hospital", pallor="severe"),
    unwell("CHE.DT.01.CL219 oedema of both feet", CHILD, NOW, "hospital", oedema=YES),
    unwell("CHE.DT.01.CL107 refuses a limb", CHILD, TODAY, "hospital", limb_not_used=YES),
    unwell("CHE.DT.01.CL231 under 115 mm", TODDLER, TODAY, "health centre", muac_cm=11.4),
    unwell("CHE.DT.01.CL230 WFL", TODDLER, TODAY, "health centre", weight_kg=6.5, height_cm=75),
    unwell("CHE.DT.01.CL224 WFA", 240, TODAY, "health centre", weight_kg=5.5),
    unwell("iCCM 2011, 50 a minute", 200, TODAY, "", respiratory_rate_per_min=50, cough_days=2),
    unwell("iCCM 2011, 40 a minute", TODDLER, TODAY, "", respiratory_rate_per_min=40, cough_days=2),
    unwell("CHE.DT.01.CL86 malaria", CHILD, TODAY, "malaria", malaria_rapid_test="positive"),
    unwell("CHE.DT.01.CL96 fever, not tested", CHILD, TODAY, "malaria", temperature_celsius=38.5),
    unwell("CHE.DT.01.CL96 fever told, not tested", CHILD, TODAY, "malaria", fever_days=2),
    unwell("CHE.DT.01.CL101 more than 7 days", CHILD, TODAY, "", fever_days=8),
    unwell("CHE.DT.01.CL109 pain passing urine", CHILD, TODAY, "", painful_urination=YES),
    unwell("CHE.DT.01.CL139 pus", CHILD, TODAY, "", measles_rash=YES, eye_pus=YES),
    unwell("CHE.DT.01.CL159 measles", CHILD, TODAY, "vitamin A", measles_rash=YES),
    unwell("CHE.DT.01.CL177 cornea", CHILD, TODAY, "vitamin A", eye_clouded=YES),
    unwell(
        "CHE.DT.01.CL72 restless and thirsty",
        TODDLER,
        TODAY,
        "ORS",
        diarrhoea_days=1,
        restless=YES,
        drinking="eagerly",
    ),
    unwell("CHE.DT.01.CL80 14 days or more", TODDLER, TODAY, "", diarrhoea_days=14),
    unwell("CHE.DT.01.CL83 blood", TODDLER, TODAY, "", diarrhoea_days=1, blood_in_stool=YES),
    unwell("CHE.DT.01.CL21 needs the rate", TODDLER, TODAY, "Count", cough_days=3),
    # ---------------------------------------- young infant: CHE.DT.02 and CHE.DT.04
    unwell("CHE.DT.02.CL02 convulsing", BABY, NOW, "hospital", danger_convulsions=YES),
    unwell("CHE.DT.02.CL03 cannot feed", BABY, NOW, "hospital", danger_unable_to_drink=YES),
    unwell("CHE.DT.02.CL04 not feeding well", BABY, NOW, "hospital", feeds_poorly=YES),
    unwell("CHE.DT.02.CL06 chest indrawing", BABY, NOW, "hospital", danger_chest_indrawing=YES),
    unwell("CHE.DT.02.CL07 when stimulated", BABY, NOW, "hospital", moves_little=YES),
    unwell("CHE.DT.02.CL09 hot to touch", BABY, NOW, "hospital", hot_to_touch=YES),
    unwell("CHE.DT.02.CL13 high", BABY, NOW, "hospital", temperature_celsius=37.5),
    unwell("CHE.DT.02.CL14 low", BABY, NOW, "hospital", temperature_celsius=35.4),
    unwell("CHE.DT.02.CL10 fast in week one", 3, NOW, "hospital", respiratory_rate_per_min=60),
    unwell("CHE.DT.02.CL22 yellow on day one", 0, NOW, "hospital", yellow_skin=YES),
    unwell("CHE.DT.02.CL23 yellow palms", BABY, NOW, "hospital", yellow_palms=YES),
    unwell(
        "CHE.DT.02.CL30 sunken eyes, pinch very slow",
        BABY,
        NOW,
        "hospital",
        diarrhoea_days=1,
        sunken_eyes=YES,
        skin_pinch="very_slowly",
    ),
    unwell("CHE.DT.02.CL18 navel", BABY, TODAY, "", navel_red=YES),
    unwell("CHE.DT.02.CL19 pustules", BABY, TODAY, "", skin_pustules=YES),
    unwell("CHE.DT.02.CL24 jaundice before 21 days", BABY, TODAY, "palms", yellow_skin=YES),
    unwell("CHE.DT.02.CL26 at 21 days", 21, TODAY, "health centre", yellow_skin=YES),
    unwell(
        "CHE.DT.02.CL33 sunken eyes and restless",
        BABY,
        TODAY,
        "ORS",
        diarrhoea_days=1,
        sunken_eyes=YES,
        restless=YES,
    ),
    unwell("CHE.DT.02.CL39 diarrhoea", BABY, TODAY, "", diarrhoea_days=1),
    unwell("CHE.DT.02.CL40 very low weight in week one", 3, TODAY, "hospital", weight_kg=1.9),
    unwell("Postnatal 2022, recommendation 44: days 2 to 3", 2, TODAY, ""),
    # ---------------------------------------- pregnancy: ANC.DT and ANC.S
    pregnant("ANC.DT.01 row 6 cyanosis", NOW, "hospital", danger_blue_lips=YES),
    pregnant("ANC.DT.01 row 7 bleeding", NOW, "hospital", danger_vaginal_bleeding=YES),
    pregnant("ANC.DT.01 row 8 convulsing", NOW, "hospital", danger_convulsions=YES),
    pregnant("ANC.DT.01 row 9 fever", NOW, "hospital", fever_days=1),
    pregnant("ANC.DT.06 row 5, 38 degrees", NOW, "hospital", temperature_celsius=38),
    pregnant("ANC.DT.01 row 10 headache", NOW, "hospital", danger_severe_headache=YES),
    pregnant("ANC.DT.01 row 13 labour", NOW, "", danger_labour=YES),
    pregnant("ANC.DT.01 row 14 looks very ill", NOW, "hospital", danger_looks_very_ill=YES),
    pregnant("ANC.DT.01 row 15 vomiting", NOW, "hospital", danger_vomits_everything=YES),
    pregnant("ANC.DT.01 row 16 severe pain", NOW, "hospital", danger_severe_pain=YES),
    pregnant("ANC.DT.01 row 17 abdomen", NOW, "hospital", danger_severe_abdominal_pain=YES),
    pregnant("ANC.DT.01 row 18 unconscious", NOW, "hospital", danger_lethargic=YES),
    pregnant("ANC.DT.06 row 7 dyspnoea", NOW, "hospital", danger_difficulty_breathing=YES),
    pregnant("ANC.DT.06 row 14 under 92 %", NOW, "hospital", oxygen_saturation_percent=91),
    pregnant("ANC.DT.17 row 31", NOW, "hospital", systolic_mmhg=160, diastolic_mmhg=85),
    pregnant("ANC.DT.17 row 32", NOW, "hospital", systolic_mmhg=150, diastolic_mmhg=110),
    pregnant(
        "ANC.DT.17 row 16, 140 and ++", NOW, "hospital", systolic_mmhg=140, urine_protein="2+"
    ),
    pregnant("ANC.DT.17 row 36, 140", TODAY, "", systolic_mmhg=140, diastolic_mmhg=80),
    pregnant("ANC.DT.12 row 48", TODAY, "urine", systolic_mmhg=140, diastolic_mmhg=80),
    pregnant("ANC.DT.06 row 49 no heartbeat, as felt", TODAY, "", baby_moves="no"),
    pregnant("ANC.DT.06 row 6 pulse over 100", TODAY, "", heart_rate_per_min=101),
    pregnant("ANC.DT.06 row 6 pulse under 60", TODAY, "", heart_rate_per_min=59),
    pregnant("ANC.DT.03 row 25 pain passing urine", TODAY, "urine", painful_urination=YES),
    pregnant("ANC.DT.23 row 86, 126 mg/dL fasting", TODAY, "", fasting_glucose_mmol_l=7.0),
    pregnant("ANC.DT.23 row 90, 200 mg/dL", TODAY, "", glucose_mmol_l=11.1),
    pregnant("ANC.S.01 row 11, 41 weeks", TODAY, "", weeks=41),
    # ---------------------------------------- after birth, and adults; the texts were not read
    gave_birth("Postnatal 2022 bleeding", NOW, "hospital", danger_vaginal_bleeding=YES),
    gave_birth("Postnatal 2022 fever", NOW, "hospital", temperature_celsius=38),
    gave_birth("Postnatal 2022, recommendation 44", TODAY, "", days=2),
    unwell("PEN 2020 chest pain", MAN, NOW, "hospital", danger_chest_pain=YES),
    unwell("PEN 2020 stroke signs", MAN, NOW, "hospital", danger_stroke_signs=YES),
    unwell("HEARTS 180", MAN, NOW, "refer", systolic_mmhg=180, diastolic_mmhg=90),
    unwell("HEARTS 110", MAN, NOW, "refer", systolic_mmhg=150, diastolic_mmhg=110),
    unwell("HEARTS 160", MAN, TODAY, "", systolic_mmhg=160, diastolic_mmhg=90),
    unwell("HEARTS-D 18 mmol/L", MAN, NOW, "hospital", glucose_mmol_l=18),
    unwell("HEARTS-D 18 mmol/L fasting", MAN, NOW, "hospital", fasting_glucose_mmol_l=18),
    unwell("HEARTS-D under 3.9 mmol/L", MAN, NOW, "sugar", glucose_mmol_l=3.8),
    unwell("this project: under 90 % at any age", MAN, NOW, "", oxygen_saturation_percent=89),
    unwell("mhGAP 2016 thoughts of ending life", MAN, NOW, "", danger_self_harm=YES),
    unwell("Kroenke 2001: 20 points", MAN, TODAY, "", phq9_points=20),
    unwell("this project: any sign counts", 10 * 365, NOW, "health centre", danger_convulsions=YES),
    unwell("this project: 96 is mg/dL", MAN, TODAY, "mg/dL", glucose_mmol_l=96),
    unwell("this project: swapped", MAN, TODAY, "swapped", systolic_mmhg=70, diastolic_mmhg=95),
)


def day(days_ago: int) -> pd.Timestamp:
    return AS_OF - pd.Timedelta(days=days_ago)


def rows_of(cases: tuple[Hand, ...]) -> tuple[Register, list[str]]:
    """The register of all of them, as a programme would have recorded it."""
    told = {"source": "by hand"}
    keys = [new_id() for _ in cases]
    people, seen, pregnancies = [], [], []
    for key, case in zip(keys, cases, strict=True):
        woman = case.weeks_pregnant is not None or case.days_since_birth is not None
        born, sex = day(case.days_old), "female" if woman else "male"
        people.append({"id": key, "sex": sex, "born_on": born, "known_on": born} | told)
        for name, value in case.found.items():
            number = isinstance(value, int | float)
            code = CATALOGUE[name].code
            seen.append(
                {"id": new_id(), "person_id": key, "system": code.system, "code": code.code}
                | {"value_number" if number else "value_code": value, "observed_on": AS_OF}
                | {"unit": CATALOGUE[name].unit if number else None, "known_on": AS_OF}
                | told
            )
        if woman:
            since = (case.weeks_pregnant or 0) * 7 if case.weeks_pregnant else 280
            ended = case.days_since_birth
            pregnancies.append(
                {"id": new_id(), "person_id": key, "known_on": AS_OF}
                | {"last_period_on": day(since + (ended or 0))}
                | ({} if ended is None else {"ended_on": day(ended), "outcome": "live_birth"})
                | told
            )
    tables = {"people": people, "observations": seen, "pregnancies": pregnancies}
    made = {n: conform(TABLES[n], pd.DataFrame(rows)) for n, rows in tables.items()}
    return Register.of(made), keys


@pytest.fixture(scope="module")
def advised() -> list[tuple[Hand, pd.DataFrame, pd.DataFrame]]:
    """Each case with the advice shown, and with all of it."""
    register, keys = rows_of(CASES)
    features = build_features(register, as_of=AS_OF)
    nothing = empty_table(RISKS)
    shown = recommend(features, nothing, programme=PROGRAMME, as_of=AS_OF)
    every = all_recommendations(features, nothing, programme=PROGRAMME, as_of=AS_OF)
    return [
        (case, shown[shown["person_id"] == key], every[every["person_id"] == key])
        for case, key in zip(CASES, keys, strict=True)
    ]


@pytest.mark.parametrize("at", range(len(CASES)), ids=[case.row for case in CASES])
def test_the_advice_is_as_urgent_as_the_source_says(at: int, advised) -> None:  # type: ignore[no-untyped-def]
    case, shown, _ = advised[at]
    most = min(shown["urgency"].map(URGENCY_LEVEL).astype(int))
    assert most == URGENCY_LEVEL[case.urgency]
    urgent = shown[shown["urgency"].map(URGENCY_LEVEL).astype(int) == most]
    assert (urgent["due_on"] <= AS_OF + pd.Timedelta(days=3)).all()
    assert any(case.says.lower() in action.lower() for action in urgent["action"])


def test_every_emergency_and_same_day_rule_has_a_case_by_hand(advised) -> None:  # type: ignore[no-untyped-def]
    urgent = {r.id for r in PROGRAMME.rules if r.urgency in (NOW, TODAY)}
    spoken = set()
    for case, _, every in advised:
        same = every[every["urgency"] == case.urgency]
        spoken |= set(same["rule_id"])
    assert not urgent - spoken


def test_a_moderate_heart_risk_is_no_emergency_and_silences_nothing() -> None:
    # WHO CVD charts 2019: 10 to under 20 % is moderate; HEARTS begins treatment at 20 %. Advice
    # on tobacco stays, and nobody is sent for heart medicines for the risk alone.
    found = {"tobacco": "current", "systolic_mmhg": 130, "diastolic_mmhg": 80}
    register, (key,) = rows_of((unwell("moderate", MAN, "routine", "tobacco", **found),))
    features = build_features(register, as_of=AS_OF)
    told = {"person_id": key, "outcome": "cvd_10y", "as_of": AS_OF, "state": "estimated"}
    told |= {"risk": 0.15, "band": PROGRAMME.bands_for("cvd_10y").of([0.15])[0], "reasons": []}
    told |= {"model": "chart", "model_digest": "0", "inputs_digest": "0"}
    risks = conform(RISKS, pd.DataFrame([told]))
    assert risks["band"].tolist() == ["moderate"]

    advice = all_recommendations(features, risks, programme=PROGRAMME, as_of=AS_OF)

    assert advice["action"].str.contains("tobacco", case=False).any()
    assert not advice["action"].str.contains("heart medicines").any()
    assert not set(advice["urgency"]) & {NOW, TODAY}
