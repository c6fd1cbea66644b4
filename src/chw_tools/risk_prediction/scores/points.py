"""Declarations of the scores that give points, never a probability."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chw_tools.risk_prediction.inputs import numbers_of
from chw_tools.risk_prediction.scores import diabetes, news2
from chw_tools.risk_prediction.scores.cardiovascular import AGE, BMI, SBP, SEX, TREATED
from chw_tools.risk_prediction.scores.declaration import Band, Input, Score
from chw_tools.risk_prediction.scores.formula import answers, read_numbers
from chw_tools.risk_prediction.scores.tuberculosis import ADULT_SCREEN_YEARS

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from chw_tools.risk_prediction.scores.declaration import Columns
    from chw_tools.risk_prediction.scores.formula import Numbers

ACTIVE = Input("physical_activity", "Physically active", reading="yes")
_NO_DIABETES = {"has_diabetes": "For people without known diabetes."}
_TALK = "Any thought of self-harm is urgent, whatever the sum. No diagnosis."


def _findrisc(columns: Columns) -> dict[str, Numbers]:
    points = diabetes.findrisc_items(
        age_years=columns["age_years"],
        is_male=columns["sex"],
        bmi=columns["bmi"],
        waist_cm=columns["waist_cm"],
        is_active=columns["physical_activity"],
        eats_vegetables_daily=columns["fruit_vegetables_daily"],
        takes_antihypertensive=columns["takes_antihypertensive"],
        had_high_glucose=columns["had_high_glucose"],
        relatives=columns["diabetes_in_family"],
    )
    named = {
        "is_active": "physical_activity",
        "eats_vegetables_daily": "fruit_vegetables_daily",
        "relatives": "diabetes_in_family",
    }
    return {named.get(name, name): value for name, value in points.items()}


def _ada(columns: Columns) -> dict[str, Numbers]:
    family = columns["diabetes_in_family"]
    points = diabetes.ada_items(
        age_years=columns["age_years"],
        is_male=columns["sex"],
        had_gestational_diabetes=columns["has_gestational_diabetes"],
        has_first_degree_relative=np.where(np.isnan(family), np.nan, family == 2),
        has_hypertension=columns["has_hypertension"],
        is_active=columns["physical_activity"],
        bmi=columns["bmi"],
    )
    named = {
        "is_male": "sex",
        "is_active": "physical_activity",
        "had_gestational_diabetes": "has_gestational_diabetes",
        "has_first_degree_relative": "diabetes_in_family",
    }
    return {named.get(name, name): value for name, value in points.items()}


_NEWS2 = (
    Input("respiratory_rate_per_min", "Breaths", "/min"),
    Input("oxygen_saturation_percent", "Oxygen saturation", "%"),
    Input("on_oxygen", "On oxygen", reading="yes", recorded=False),
    SBP,
    Input("heart_rate_per_min", "Heart rate", "/min"),
    Input("is_alert", "Alert", reading="yes", recorded=False),
    Input("temperature_celsius", "Body temperature", "Cel"),
)


def _news2(columns: Columns) -> dict[str, Numbers]:
    return news2.news2_items(**{given.name: columns[given.name] for given in _NEWS2})


def _not_pregnant(frame: pd.DataFrame) -> NDArray[np.bool_]:
    surely_not: NDArray[np.bool_] = numbers_of(frame["is_pregnant"]) == 0
    return surely_not


_PHQ2 = (Input("phq2_points", "PHQ-2 points"),)
_PHQ9 = (Input("phq9_points", "PHQ-9 points"),)
_EPDS = (Input("epds_points", "EPDS points", recorded=False),)


def _total(columns: Columns) -> dict[str, Numbers]:
    return dict(columns)


def _mother(frame: pd.DataFrame) -> NDArray[np.bool_]:
    mother: NDArray[np.bool_] = (numbers_of(frame["is_pregnant"]) == 1) | (
        numbers_of(frame["weeks_postpartum"]) <= 52
    )
    return mother


def _with_hiv(frame: pd.DataFrame) -> NDArray[np.bool_]:
    living: NDArray[np.bool_] = numbers_of(frame["has_hiv"]) == 1
    return living


_SYMPTOMS = ("cough", "fever", "weight_loss", "night_sweats", "tb_contact")
_TB = (
    Input("cough", "Cough now", reading="yes", recorded=False),
    Input("fever", "Fever", reading="yes", recorded=False),
    Input("weight_loss", "Weight loss, or poor weight gain of a child", reading="yes"),
    Input("night_sweats", "Night sweats (from 10 years)", reading="yes"),
    Input(
        "tb_contact",
        "Close to somebody with tuberculosis (under 10)",
        reading="yes",
    ),
)


def _tuberculosis(columns: Columns) -> dict[str, Numbers]:
    given = dict(zip(_SYMPTOMS, answers(*(columns[name] for name in _SYMPTOMS)), strict=True))
    age = columns["age_years"]
    adult = np.floor(age) >= ADULT_SCREEN_YEARS
    child = np.floor(age) < ADULT_SCREEN_YEARS
    # Each age is asked one of the two.
    given["night_sweats"] = np.where(child, 0.0, given["night_sweats"])
    given["tb_contact"] = np.where(adult, 0.0, given["tb_contact"])
    return given


def _bands(name: str, levels: tuple[str, ...]) -> tuple[Band, ...]:
    printed = read_numbers("points")[name]["bands"]
    return tuple(
        Band(lowest, label, level) for (lowest, label), level in zip(printed, levels, strict=True)
    )


_MEDIUM = Band(5, "medium", "high")

POINTS = (
    Score(
        name="findrisc",
        label="FINDRISC",
        outcome="type2_diabetes_10y",
        meaning="type 2 diabetes within ten years",
        gives="points",
        horizon_years=10,
        population="Finland, adults without known diabetes; derived at 35 to 64 years",
        limits=diabetes.FINDRISC_LIMITS,
        not_with=_NO_DIABETES,
        inputs=(
            AGE,
            SEX,
            BMI,
            Input("waist_cm", "Waist circumference", "cm"),
            ACTIVE,
            Input("fruit_vegetables_daily", "Fruit or vegetables every day", reading="yes"),
            TREATED,
            Input(
                "had_high_glucose", "Ever found high blood glucose", reading="yes", recorded=False
            ),
            Input(
                "diabetes_in_family", "Diabetes in the family", reading="relatives", recorded=False
            ),
        ),
        items=_findrisc,
        bands=_bands("findrisc", ("low", "moderate", "moderate", "high", "very_high")),
        highest=26,
        function="compute_findrisc",
        version="2003",
        source="Lindström and Tuomilehto 2003, Diabetes Care 26:725-731; form of the Finnish "
        "Diabetes Association",
        checked="all items and bands read in a second description of the form "
        "(induwara.lk/tools/diabetes-risk-calculator), bands in a third (novonordisk.com form)",
        verified=True,
        caution="The published follow-up found diabetes in about 1 in 100, 25, 6, 3 and 2 of the "
        "five bands in Finland; elsewhere it may differ, so no probability is given. The form "
        "asks for blood pressure medicine ever taken; the register knows of it now. The lowest "
        "age is a decision of this project.",
    ),
    Score(
        name="ada_risk_test",
        label="ADA risk test",
        outcome="undiagnosed_diabetes",
        meaning="diabetes not yet found",
        gives="points",
        population="United States, adults of 20 years or older without known diabetes",
        limits=diabetes.ADA_LIMITS,
        not_with=_NO_DIABETES,
        inputs=(
            AGE,
            SEX,
            Input("has_gestational_diabetes", "Diabetes in pregnancy", reading="flag"),
            Input(
                "diabetes_in_family", "Diabetes in the family", reading="relatives", recorded=False
            ),
            Input("has_hypertension", "High blood pressure", reading="flag"),
            ACTIVE,
            BMI,
        ),
        items=_ada,
        bands=(Band(0, "below the cut-off", "low"), Band(5, "high: test the blood", "high")),
        highest=11,
        function="compute_ada_risk_test",
        version="2009",
        source="Bang 2009, Ann Intern Med 151:775-783, "
        "doi:10.7326/0003-4819-151-11-200912010-00005; "
        "American Diabetes Association risk test",
        checked="every item and the cut-off read on the CDC's page (how your test is scored); "
        "population and cut-off read in the abstract",
        verified=True,
        caution="Counts only first-degree relatives. For people of Asian descent the form begins "
        "at a body mass index of 23. No diagnosis on record counts as no.",
    ),
    Score(
        name="news2",
        label="NEWS2",
        outcome="acute_illness",
        meaning="how ill an adult is now",
        gives="points",
        population="people of 16 years or older, not pregnant, acutely ill",
        limits=news2.LIMITS,
        inputs=(AGE, *_NEWS2),
        items=_news2,
        bands=(
            Band(0, "low", "low"),
            _MEDIUM,
            Band(7, "high", "very_high"),
        ),
        highest=20,
        alarm=(3, Band(3, "low to medium: one sign alone has 3", "moderate")),
        applies=_not_pregnant,
        applies_to="Not in pregnancy, nor where that is not known.",
        applies_needs=("is_pregnant",),
        function="compute_news2",
        version="2017",
        source="Royal College of Physicians 2017, National Early Warning Score (NEWS) 2, chart 1",
        checked="chart 1 read whole in a copy; oxygen scales read in Thorax (BMJ)",
        verified=True,
        caution="Only for vital signs taken together, now: the register keeps the latest of each. "
        "Oxygen scale 2 is for people for whom a clinician has set 88 to 92 %; the command uses "
        "scale 1. Beside danger signs it decides nothing.",
    ),
    Score(
        name="phq2",
        label="PHQ-2",
        outcome="depression",
        meaning="depression that should be asked about further",
        gives="points",
        population="adults",
        limits={"age_years": (18.0, None), "phq2_points": (0.0, 6.0)},
        inputs=(AGE, *_PHQ2),
        items=lambda columns: {"phq2_points": columns["phq2_points"]},
        bands=(Band(0, "negative", "low"), Band(3, "positive: ask PHQ-9", "high")),
        highest=6,
        function="compute_phq2",
        version="2003",
        source="Kroenke 2003, Med Care 41:1284-1292",
        checked="cut-off 3 read in a validation (Arroll 2010, PMC2906530), which finds 61 % of "
        "cases with it and 86 % with 2",
        verified=True,
        caution="No diagnosis. The lowest age is a decision of this project.",
    ),
    Score(
        name="phq9",
        label="PHQ-9",
        outcome="depression",
        meaning="weight of depressive symptoms over two weeks",
        gives="points",
        population="adults",
        limits={"age_years": (18.0, None), "phq9_points": (0.0, 27.0)},
        inputs=(AGE, *_PHQ9),
        items=lambda columns: {"phq9_points": columns["phq9_points"]},
        bands=_bands("phq9", ("low", "moderate", "high", "very_high", "very_high")),
        highest=27,
        function="compute_phq9",
        version="2001",
        source="Kroenke 2001, J Gen Intern Med 16:606-613",
        checked="bands read in two descriptions; cut-off 10 in a validation (Arroll 2010, "
        "PMC2906530)",
        verified=True,
        caution=_TALK + " The register holds the sum, not the answer about self-harm. The lowest "
        "age is a decision of this project.",
    ),
    Score(
        name="epds",
        label="Edinburgh Postnatal Depression Scale",
        outcome="perinatal_depression",
        meaning="depression in pregnancy or in the year after birth",
        gives="points",
        population="women who are pregnant or gave birth within a year",
        limits={"epds_points": (0.0, 30.0)},
        inputs=_EPDS,
        items=_total,
        bands=(
            Band(0, "below the cut-offs", "low"),
            Band(10, "possible depression", "moderate"),
            Band(13, "probable depression", "high"),
        ),
        highest=30,
        applies=_mother,
        applies_to="For women who are pregnant or gave birth within a year.",
        applies_needs=("is_pregnant", "weeks_postpartum"),
        function="compute_epds",
        version="1987",
        source="Cox 1987, Br J Psychiatry 150:782-786",
        checked="scoring of each question read at cope.org.au and psychcongress.com; cut-offs 10, "
        "11 and 13 in a meta-analysis (Levis 2020, doi:10.1136/bmj.m4022)",
        verified=True,
        caution=_TALK,
    ),
    Score(
        name="tb_screen",
        label="WHO four-symptom screen",
        outcome="tuberculosis",
        meaning="tuberculosis that should be tested for",
        gives="points",
        population="people who live with HIV, of any age",
        limits={"age_years": (0.0, None)},
        inputs=(AGE, *_TB),
        items=_tuberculosis,
        bands=(Band(0, "negative", "low"), Band(1, "positive: test for tuberculosis", "high")),
        highest=4,
        enough=1,
        applies=_with_hiv,
        applies_to="For people who live with HIV.",
        applies_needs=("has_hiv",),
        function="compute_tb_screen",
        version="2021",
        source="WHO consolidated guidelines on tuberculosis, module 2 (2021) and module 5 (2022)",
        checked="both forms read at tbksp.org (WHO); that for children also in TB.B4.DT.02",
        verified=True,
        caution="Of people on antiretroviral treatment it finds about half with tuberculosis.",
    ),
)
