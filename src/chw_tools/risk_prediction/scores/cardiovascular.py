"""Declarations of the cardiovascular scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chw_tools.risk_prediction.inputs import numbers_of
from chw_tools.risk_prediction.scores import cox, prevent, score2, who_laboratory
from chw_tools.risk_prediction.scores.declaration import Input, Score
from chw_tools.risk_prediction.scores.kidney import compute_egfr
from chw_tools.risk_prediction.who_cvd import chart_remarks, compute_who_cvd, who_cvd_regions

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    from chw_tools.risk_prediction.scores.declaration import Columns
    from chw_tools.risk_prediction.scores.formula import Numbers

AGE = Input("age_years", "Age", "years")
SEX = Input("sex", "Sex", reading="male")
SMOKES = Input("tobacco", "Tobacco use", reading="smokes")
SBP = Input("systolic_mmhg", "Systolic blood pressure", "mmHg")
BMI = Input("bmi", "Body mass index", "kg/m2")
CHOLESTEROL = Input("cholesterol_mmol_l", "Total cholesterol", "mmol/L")
HDL = Input("hdl_mmol_l", "HDL cholesterol", "mmol/L")
DIABETES = Input("has_diabetes", "Diabetes", reading="flag")
TREATED = Input("takes_antihypertensive", "Blood pressure medicine", reading="flag")
STATIN = Input("takes_statin", "Statin", reading="flag")
# The column is creatinine; what the equations see is the filtration estimated from it.
KIDNEY = Input("creatinine_umol_l", "Kidney function (eGFR from creatinine)", "mL/min/1.73 m2")
HBA1C = Input("hba1c_percent", "HbA1c", "%")
UACR = Input("uacr_mg_g", "Urine albumin to creatinine", "mg/g", recorded=False)
SDI = Input("sdi_decile", "Decile of the social deprivation index (US)", recorded=False)

_KNOWN = "For people without heart disease or stroke: this one is at high risk already."
NO_CVD = {"has_heart_disease": _KNOWN, "has_stroke": _KNOWN}
_WHO_SOURCE = "WHO CVD Risk Chart Working Group 2019, doi:10.1016/S2214-109X(19)30318-3"
_SMOKING_NOW = "Smoking means smoking now."


def _common(columns: Columns) -> dict[str, Numbers]:
    return {
        "age_years": columns["age_years"],
        "is_male": columns["sex"],
        "smokes": columns["tobacco"],
        "systolic_mmhg": columns["systolic_mmhg"],
    }


def _who(columns: Columns, region: str | None) -> Numbers:
    return compute_who_cvd(**_common(columns), bmi=columns["bmi"], region=str(region))


def _who_laboratory(columns: Columns, region: str | None) -> Numbers:
    return who_laboratory.compute_who_cvd_laboratory(
        **_common(columns),
        cholesterol_mmol_l=columns["cholesterol_mmol_l"],
        has_diabetes=columns["has_diabetes"],
        region=str(region),
    )


def _score2(columns: Columns, region: str | None) -> Numbers:
    return score2.compute_score2(
        **_common(columns),
        cholesterol_mmol_l=columns["cholesterol_mmol_l"],
        hdl_mmol_l=columns["hdl_mmol_l"],
        region=str(region),
    )


def _treated(columns: Columns) -> dict[str, Any]:
    return {
        **_common(columns),
        "has_diabetes": columns["has_diabetes"],
        "takes_antihypertensive": columns["takes_antihypertensive"],
    }


def _lipids(columns: Columns) -> dict[str, Any]:
    return {name: columns[name] for name in ("cholesterol_mmol_l", "hdl_mmol_l")}


def _framingham_lipids(columns: Columns, region: str | None) -> Numbers:
    return cox.compute_framingham_lipids(**_treated(columns), **_lipids(columns))


def _framingham_bmi(columns: Columns, region: str | None) -> Numbers:
    return cox.compute_framingham_bmi(**_treated(columns), bmi=columns["bmi"])


def _pooled_cohort(columns: Columns, region: str | None) -> Numbers:
    return cox.compute_pooled_cohort(**_treated(columns), **_lipids(columns))


class KidneyInput(Input):
    """Creatinine, read as the filtration that it and age and sex give."""

    def read(self, frame: pd.DataFrame) -> Numbers:
        """Estimated filtration in mL/min/1.73 m2."""
        return compute_egfr(
            age_years=AGE.read(frame),
            is_male=SEX.read(frame),
            creatinine_umol_l=numbers_of(frame[self.name]),
        )


_KIDNEY = KidneyInput(KIDNEY.name, KIDNEY.label, KIDNEY.unit)
_PREVENT_INPUTS = (
    AGE,
    SEX,
    SBP,
    CHOLESTEROL,
    HDL,
    BMI,
    _KIDNEY,
    DIABETES,
    SMOKES,
    TREATED,
    STATIN,
)
_PREVENT_MORE = {"hba1c": (HBA1C,), "uacr": (UACR,), "sdi": (SDI,), "full": (HBA1C, UACR, SDI)}
_PREVENT_WITH = {
    "base": "",
    "hba1c": "with HbA1c",
    "uacr": "with urine albumin",
    "sdi": "with social deprivation",
    "full": "with all three",
}
_NORMAL = {
    "age_years": 55.0,
    "systolic_mmhg": 120.0,
    "cholesterol_mmol_l": 4.8,
    "hdl_mmol_l": 1.3,
    "bmi": 25.0,
    "creatinine_umol_l": 90.0,
    "has_diabetes": 0.0,
    "tobacco": 0.0,
    "takes_antihypertensive": 0.0,
    "takes_statin": 0.0,
    "hba1c_percent": 5.3,
    "uacr_mg_g": 10.0,
    "sdi_decile": 1.0,
}


def _normal(inputs: tuple[Input, ...]) -> dict[str, float]:
    return {given.name: _NORMAL[given.name] for given in inputs if given.name in _NORMAL}


def _text(inputs: tuple[Input, ...]) -> str:
    said = {
        "systolic_mmhg": "120 mmHg",
        "cholesterol_mmol_l": "cholesterol 4.8 mmol/L",
        "hdl_mmol_l": "HDL 1.3 mmol/L",
        "bmi": "body mass index 25",
        "creatinine_umol_l": "eGFR 90",
        "has_diabetes": "no diabetes",
        "takes_antihypertensive": "no blood pressure medicine",
        "takes_statin": "no statin",
        "hba1c_percent": "HbA1c 5.3 %",
        "uacr_mg_g": "urine albumin 10 mg/g",
        "sdi_decile": "first decile of deprivation",
    }
    rest = [said[given.name] for given in inputs if given.name in said]
    return "a non-smoker of 55 years and the same sex, " + ", ".join(rest)


def _prevent_formula(model: str, horizon: int) -> Callable[[Columns, str | None], Numbers]:
    def formula(columns: Columns, region: str | None) -> Numbers:
        added: dict[str, Any] = {
            given.name: columns[given.name] for given in _PREVENT_MORE.get(model, ())
        }
        return prevent.compute_prevent(
            **_treated(columns),
            **_lipids(columns),
            **added,
            bmi=columns["bmi"],
            egfr_ml_min=columns["creatinine_umol_l"],
            takes_statin=columns["takes_statin"],
            model=model,
            horizon_years=horizon,
        )

    return formula


def _beyond_59(frame: pd.DataFrame) -> NDArray[np.object_]:
    said = np.full(len(frame), None, dtype=object)
    said[np.floor(numbers_of(frame["age_years"])) > prevent.LAST_AGE_OF_30_YEARS] = (
        "Questionable: risk over 30 years was published for ages 30 to 59."
    )
    return said


def _prevent(model: str, horizon: int) -> Score:
    inputs = (*_PREVENT_INPUTS, *_PREVENT_MORE.get(model, ()))
    limits = {**prevent.LIMITS, "creatinine_umol_l": prevent.LIMITS["egfr_ml_min"]}
    limits |= {g.name: prevent.MORE_LIMITS[g.name] for g in _PREVENT_MORE.get(model, ())}
    del limits["egfr_ml_min"]
    name = "prevent" + ("" if model == "base" else f"_{model}") + ("_30y" if horizon == 30 else "")
    return Score(
        name=name,
        label=f"PREVENT {_PREVENT_WITH[model]}, {horizon} years".replace(" ,", ","),
        outcome=f"cvd_or_heart_failure_{horizon}y",
        meaning="heart attack, stroke, heart failure or cardiovascular death",
        gives="probability",
        horizon_years=horizon,
        population="United States, adults of 30 to 79 years without known cardiovascular disease",
        limits=limits,
        not_with={**NO_CVD, "has_heart_failure": _KNOWN},
        inputs=inputs,
        formula=_prevent_formula(model, horizon),
        function="compute_prevent",
        source="Khan 2024, Circulation 149:430-449, doi:10.1161/CIRCULATIONAHA.123.067626",
        checked="100 of 100 risks of preventr's own tests, all models and outcomes; the "
        "coefficients are from there too, and its base case is the paper's worked example",
        verified=True,
        version="2023",
        reference=_normal(inputs),
        reference_text=_text(inputs),
        pairwise=True,
        remark=_beyond_59 if horizon == 30 else None,
        caution="Not above 180 mmHg, where PREVENT itself allows 200. Tobacco of any kind counts "
        "as smoking, where PREVENT means cigarettes within 30 days.",
    )


def _cvd(
    name: str,
    label: str,
    inputs: tuple[Input, ...],
    formula: Callable[[Columns, str | None], Numbers],
    **more: object,
) -> Score:
    declared: dict[str, object] = {
        "gives": "probability",
        "horizon_years": 10,
        "not_with": NO_CVD,
        "verified": True,
        "reference": _normal(inputs),
        "reference_text": _text(inputs),
    }
    return Score(name, label, inputs=inputs, formula=formula, **{**declared, **more})  # type: ignore[arg-type]


CARDIOVASCULAR = (
    _cvd(
        "who_cvd",
        "WHO CVD 2019, without laboratory",
        (AGE, SEX, SMOKES, SBP, BMI),
        _who,
        outcome="cvd_10y",
        meaning="heart attack or stroke, fatal or not",
        population="people of 40 to 80 years without known cardiovascular disease, 21 regions",
        limits=who_laboratory.LIMITS,
        regions=who_cvd_regions(),
        function="compute_who_cvd",
        version="2019",
        reference={"age_years": 60.0, "tobacco": 0.0, "systolic_mmhg": 120.0, "bmi": 25.0},
        reference_text="a non-smoker of 60 years and the same sex, 120 mmHg, body mass index 25",
        source=_WHO_SOURCE,
        checked="14 of 14 chart cells that the Simple application tests with",
        caution="The charts end at 74 years. " + _SMOKING_NOW,
    ),
    _cvd(
        "who_cvd_laboratory",
        "WHO CVD 2019, with laboratory",
        (AGE, SEX, SMOKES, SBP, CHOLESTEROL, DIABETES),
        _who_laboratory,
        outcome="cvd_10y",
        meaning="heart attack or stroke, fatal or not",
        population="people of 40 to 80 years without known cardiovascular disease, 21 regions",
        limits=who_laboratory.LIMITS,
        regions=who_cvd_regions(),
        function="compute_who_cvd_laboratory",
        version="2019",
        remark=chart_remarks,
        source=_WHO_SOURCE,
        checked="1,400 of 1,400 cells of the printed chart of Tropical Latin America",
        caution="The charts end at 74 years. " + _SMOKING_NOW,
    ),
    *(_prevent(model, horizon) for horizon in prevent.HORIZONS for model in prevent.MODELS),
    _cvd(
        "score2",
        "SCORE2 and SCORE2-OP",
        (AGE, SEX, SMOKES, SBP, CHOLESTEROL, HDL),
        _score2,
        outcome="mi_stroke_or_cvd_death_10y",
        meaning="heart attack, stroke or cardiovascular death",
        population="Europe, 40 to 89 years (from 70: SCORE2-OP), without cardiovascular disease "
        "and without diabetes, four risk regions",
        limits=score2.LIMITS,
        not_with={**NO_CVD, "has_diabetes": "Not for people with diabetes."},
        regions=score2.REGIONS,
        function="compute_score2",
        version="2021",
        source="SCORE2 and SCORE2-OP working groups 2021, doi:10.1093/eurheartj/ehab309 and "
        "doi:10.1093/eurheartj/ehab312",
        checked="21 of 21 examples (papers' supplements and the ESC calculator)",
        caution="There is a step at 70 years, where SCORE2-OP begins; its coefficients stand as "
        "published, rounded: the authors' unrounded ones differ by up to 0.3 points.",
    ),
    _cvd(
        "framingham_lipids",
        "Framingham, with lipids",
        (AGE, SEX, SMOKES, SBP, CHOLESTEROL, HDL, DIABETES, TREATED),
        _framingham_lipids,
        outcome="general_cvd_10y",
        meaning="coronary or peripheral artery disease, stroke, TIA or heart failure",
        population="United States (Framingham), 30 to 74 years, without cardiovascular disease",
        limits=cox.FRAMINGHAM_LIMITS,
        function="compute_framingham_lipids",
        version="2008",
        source="D'Agostino 2008, Circulation 117:743-753, doi:10.1161/CIRCULATIONAHA.107.699579",
        checked="3 of 3 examples: one of another implementation (CVrisk), two of the paper, "
        "their results remembered; coefficients read at framinghamheartstudy.org",
        caution="Over-predicts in most present populations.",
    ),
    _cvd(
        "framingham_bmi",
        "Framingham, with body mass index",
        (AGE, SEX, SMOKES, SBP, BMI, DIABETES, TREATED),
        _framingham_bmi,
        outcome="general_cvd_10y",
        meaning="coronary or peripheral artery disease, stroke, TIA or heart failure",
        population="United States (Framingham), 30 to 74 years, without cardiovascular disease",
        limits=cox.FRAMINGHAM_LIMITS,
        function="compute_framingham_bmi",
        version="2008",
        source="D'Agostino 2008, Circulation 117:743-753, doi:10.1161/CIRCULATIONAHA.107.699579",
        checked="1 of 1 example of the implementation that the coefficients are from (CVrisk); "
        "coefficients read in a second one (cvdm, after fonnesbeck/framingham_risk)",
        caution="Over-predicts in most present populations.",
    ),
    _cvd(
        "pooled_cohort",
        "Pooled cohort equations for white and other people",
        (AGE, SEX, SMOKES, SBP, CHOLESTEROL, HDL, DIABETES, TREATED),
        _pooled_cohort,
        outcome="ascvd_10y",
        meaning="heart attack, stroke or coronary death",
        population="United States, 40 to 79 years, without cardiovascular disease",
        limits=cox.POOLED_COHORT_LIMITS,
        function="compute_pooled_cohort",
        version="2013",
        source="Goff 2014, Circulation 129:S49-S73, doi:10.1161/01.cir.0000437741.48606.98",
        checked="12 of 12 rows within 0.1 points: of them 8 by two implementations, 5.3 % of the "
        "worked example read in the guideline, its other 3 remembered; coefficients read in a "
        "second paper (PMC4608065)",
        caution="Race is no input here: the equation for African Americans is in the function, to "
        "audit with, and nothing chooses it. PREVENT replaces these equations.",
    ),
)
