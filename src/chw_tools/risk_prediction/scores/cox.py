"""Framingham 2008 and the pooled cohort equations of 2013: Cox models on logarithms.

Both were derived in the United States, on people without known cardiovascular disease.

Sources: D'Agostino RB et al. General cardiovascular risk profile for use in primary care.
Circulation 2008;117:743-753. doi:10.1161/CIRCULATIONAHA.107.699579. Goff DC et al. 2013
ACC/AHA guideline on the assessment of cardiovascular risk. Circulation 2014;129:S49-S73.
doi:10.1161/01.cir.0000437741.48606.98.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chw_tools.risk_prediction.scores.formula import (
    CHOLESTEROL_MMOL_L,
    by_sex,
    floats,
    linear_predictor,
    read_numbers,
    valid_only,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from chw_tools.risk_prediction.scores.formula import Numbers

#: Ages of the cohorts (abstract of the first source; section 4 of the second).
FRAMINGHAM_LIMITS = {"age_years": (30.0, 74.0)}
POOLED_COHORT_LIMITS = {"age_years": (40.0, 79.0)}
#: The groups that the pooled cohort equations were published for, and our names.
EQUATIONS = {"white_or_other": "white", "african_american": "aa"}


def compute_framingham_lipids(
    *,
    age_years: ArrayLike,
    is_male: ArrayLike,
    systolic_mmhg: ArrayLike,
    cholesterol_mmol_l: ArrayLike,
    hdl_mmol_l: ArrayLike,
    smokes: ArrayLike,
    has_diabetes: ArrayLike,
    takes_antihypertensive: ArrayLike,
) -> Numbers:
    """Ten-year risk of any cardiovascular event by Framingham 2008, with lipids.

    Inputs in years, mmHg and mmol/L; 1 for yes, 0 for no. Missing outside 30 to 74 years and
    where an input is missing.

    >>> risk = compute_framingham_lipids(
    ...     age_years=55, is_male=1, systolic_mmhg=140, cholesterol_mmol_l=213 * 0.02586,
    ...     hdl_mmol_l=50 * 0.02586, smokes=0, has_diabetes=0, takes_antihypertensive=0)
    >>> round(100 * float(risk), 2)
    13.53
    """
    age, male, sbp, cholesterol, hdl, smoker, diabetes, treated = floats(
        age_years,
        is_male,
        systolic_mmhg,
        cholesterol_mmol_l,
        hdl_mmol_l,
        smokes,
        has_diabetes,
        takes_antihypertensive,
    )
    terms = {
        "ln_age": _ln(age),
        "ln_totchol": _ln(cholesterol / CHOLESTEROL_MMOL_L),
        "ln_hdl": _ln(hdl / CHOLESTEROL_MMOL_L),
        "ln_treated_sbp": treated * _ln(sbp),
        "ln_untreated_sbp": (1 - treated) * _ln(sbp),
        "smoker": smoker,
        "diabetes": diabetes,
    }
    risk = _survivors_missing(read_numbers("framingham_2008")["lipids"], terms, male)
    return valid_only(risk, FRAMINGHAM_LIMITS, {"age_years": age})


def compute_framingham_bmi(
    *,
    age_years: ArrayLike,
    is_male: ArrayLike,
    systolic_mmhg: ArrayLike,
    bmi: ArrayLike,
    smokes: ArrayLike,
    has_diabetes: ArrayLike,
    takes_antihypertensive: ArrayLike,
) -> Numbers:
    """Ten-year risk of any cardiovascular event by Framingham 2008, without laboratory.

    Inputs in years, mmHg and kg/m2; 1 for yes, 0 for no. Missing outside 30 to 74 years and
    where an input is missing.

    >>> risk = compute_framingham_bmi(
    ...     age_years=55, is_male=1, systolic_mmhg=140, bmi=30, smokes=0, has_diabetes=0,
    ...     takes_antihypertensive=0)
    >>> round(100 * float(risk), 2)
    16.75
    """
    age, male, sbp, index, smoker, diabetes, treated = floats(
        age_years, is_male, systolic_mmhg, bmi, smokes, has_diabetes, takes_antihypertensive
    )
    terms = {
        "ln_age": _ln(age),
        "ln_bmi": _ln(index),
        "ln_treated_sbp": treated * _ln(sbp),
        "ln_untreated_sbp": (1 - treated) * _ln(sbp),
        "smoker": smoker,
        "diabetes": diabetes,
    }
    risk = _survivors_missing(read_numbers("framingham_2008")["bmi"], terms, male)
    return valid_only(risk, FRAMINGHAM_LIMITS, {"age_years": age})


def compute_pooled_cohort(
    *,
    age_years: ArrayLike,
    is_male: ArrayLike,
    systolic_mmhg: ArrayLike,
    cholesterol_mmol_l: ArrayLike,
    hdl_mmol_l: ArrayLike,
    smokes: ArrayLike,
    has_diabetes: ArrayLike,
    takes_antihypertensive: ArrayLike,
    equation: str = "white_or_other",
) -> Numbers:
    """Ten-year risk of a hard atherosclerotic event by the pooled cohort equations of 2013.

    Inputs in years, mmHg and mmol/L; 1 for yes, 0 for no. Missing outside 40 to 79 years and
    where an input is missing.

    Parameters
    ----------
    equation : {"white_or_other", "african_american"}
        Which of the published equations. Race is no input of this project's models: the
        second is here to audit and to compare, and nothing chooses it by itself.

    Raises
    ------
    ValueError
        If there is no such equation.

    Examples
    --------
    The worked example of the guideline: a woman of 55 at 120 mmHg, 2.1 %.

    >>> risk = compute_pooled_cohort(
    ...     age_years=55, is_male=0, systolic_mmhg=120, cholesterol_mmol_l=213 * 0.02586,
    ...     hdl_mmol_l=50 * 0.02586, smokes=0, has_diabetes=0, takes_antihypertensive=0)
    >>> round(100 * float(risk), 1)
    2.1
    """
    if equation not in EQUATIONS:
        raise ValueError(f"no such equation: {equation}; one of {', '.join(EQUATIONS)}")
    age, male, sbp, cholesterol, hdl, smoker, diabetes, treated = floats(
        age_years,
        is_male,
        systolic_mmhg,
        cholesterol_mmol_l,
        hdl_mmol_l,
        smokes,
        has_diabetes,
        takes_antihypertensive,
    )
    ln_age, ln_sbp = _ln(age), _ln(sbp)
    ln_cholesterol, ln_hdl = _ln(cholesterol / CHOLESTEROL_MMOL_L), _ln(hdl / CHOLESTEROL_MMOL_L)
    terms = {
        "ln_age": ln_age,
        "ln_age_squared": ln_age**2,
        "ln_totchol": ln_cholesterol,
        "ln_age_totchol": ln_age * ln_cholesterol,
        "ln_hdl": ln_hdl,
        "ln_age_hdl": ln_age * ln_hdl,
        "ln_treated_sbp": treated * ln_sbp,
        "ln_age_treated_sbp": treated * ln_age * ln_sbp,
        "ln_untreated_sbp": (1 - treated) * ln_sbp,
        "ln_age_untreated_sbp": (1 - treated) * ln_age * ln_sbp,
        "smoker": smoker,
        "ln_age_smoker": ln_age * smoker,
        "diabetes": diabetes,
    }
    table = read_numbers("pooled_cohort_2013")["groups"][EQUATIONS[equation]]
    risk = _survivors_missing(table, terms, male)
    return valid_only(risk, POOLED_COHORT_LIMITS, {"age_years": age})


def _ln(values: Numbers) -> Numbers:
    return np.log(values, out=np.full(values.shape, np.nan), where=values > 0)


def _survivors_missing(
    table: Mapping[str, Any], terms: Mapping[str, Numbers], male: Numbers
) -> Numbers:
    weights = {sex: table[sex]["coefficients"] for sex in table}
    mean = by_sex(male, {sex: table[sex]["mean"] for sex in table})
    survival = by_sex(male, {sex: table[sex]["survival_10y"] for sex in table})
    hazard = -np.log(survival) * np.exp(linear_predictor(terms, weights, male) - mean)
    risk: Numbers = -np.expm1(-hazard)
    return risk
