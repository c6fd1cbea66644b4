"""The PREVENT equations of the American Heart Association (2023).

Risk of cardiovascular events (heart failure among them) over 10 and 30 years for adults of 30
to 79 years without known cardiovascular disease, derived in the United States; race is no
input. A base model and four with HbA1c, urine albumin, social deprivation, or all three.

Source: Khan SS et al. Development and validation of the American Heart Association's PREVENT
equations. Circulation 2024;149:430-449. doi:10.1161/CIRCULATIONAHA.123.067626.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chw_tools.risk_prediction.scores.formula import (
    floats,
    linear_predictor,
    read_numbers,
    within,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from chw_tools.risk_prediction.scores.formula import Numbers

MODELS = ("base", "hba1c", "uacr", "sdi", "full")
OUTCOMES = ("total_cvd", "ascvd", "heart_failure", "chd", "stroke")
HORIZONS = (10, 30)
#: For whom the equations hold, inclusive; a body mass index stays below 40. As in preventr
#: (github.com/martingmayer/preventr, manual): 130 to 320 and 20 to 100 mg/dL of cholesterol,
#: here outward to hundredths of mmol/L. The AHA allows up to 200 mmHg; above 180 mmHg there is
#: a pressing matter, and no estimate.
LIMITS = {
    "age_years": (30.0, 79.0),
    "systolic_mmhg": (90.0, 180.0),
    "bmi": (18.5, float(np.nextafter(40.0, 0))),
    "cholesterol_mmol_l": (3.36, 8.28),
    "hdl_mmol_l": (0.51, 2.59),
    "egfr_ml_min": (15.0, 140.0),
}
#: Limits of what the larger models add (the same manual; the decile by its definition).
MORE_LIMITS = {
    "hba1c_percent": (4.5, 15.0),
    "uacr_mg_g": (0.1, 25000.0),
    "sdi_decile": (1.0, 10.0),
}
#: Beyond, the 30-year risk was not derived: it is given, and flagged.
LAST_AGE_OF_30_YEARS = 59.0
_ADDED = {
    "base": (),
    "hba1c": ("hba1c_percent",),
    "uacr": ("uacr_mg_g",),
    "sdi": ("sdi_decile",),
    "full": ("hba1c_percent", "uacr_mg_g", "sdi_decile"),
}


def compute_prevent(
    *,
    age_years: ArrayLike,
    is_male: ArrayLike,
    systolic_mmhg: ArrayLike,
    cholesterol_mmol_l: ArrayLike,
    hdl_mmol_l: ArrayLike,
    bmi: ArrayLike,
    egfr_ml_min: ArrayLike,
    has_diabetes: ArrayLike,
    smokes: ArrayLike,
    takes_antihypertensive: ArrayLike,
    takes_statin: ArrayLike,
    hba1c_percent: ArrayLike = np.nan,
    uacr_mg_g: ArrayLike = np.nan,
    sdi_decile: ArrayLike = np.nan,
    model: str = "base",
    horizon_years: int = 10,
    outcome: str = "total_cvd",
) -> Numbers:
    """Risk by PREVENT; missing outside the ranges it holds for, and where an input is missing.

    Parameters
    ----------
    age_years, systolic_mmhg, cholesterol_mmol_l, hdl_mmol_l, bmi, egfr_ml_min : array of float
        In years, mmHg, mmol/L, kg/m2 and mL/min/1.73 m2; ranges stand in ``LIMITS``.
    is_male, has_diabetes, smokes, takes_antihypertensive, takes_statin : array of float
        1 for yes, 0 for no.
    hba1c_percent, uacr_mg_g, sdi_decile : array of float
        For the models that use them: HbA1c, urine albumin to creatinine in mg/g, and decile
        of the social deprivation index. Where missing, the model's own published weight of
        "missing" applies; a value outside ``MORE_LIMITS`` gives no estimate.
    model : {"base", "hba1c", "uacr", "sdi", "full"}
    horizon_years : {10, 30}
    outcome : {"total_cvd", "ascvd", "heart_failure", "chd", "stroke"}

    Raises
    ------
    ValueError
        If there is no such model, horizon or outcome.

    Examples
    --------
    The published example: a woman of 50, 160 mmHg under treatment, with diabetes.

    >>> risk = compute_prevent(
    ...     age_years=50, is_male=0, systolic_mmhg=160, cholesterol_mmol_l=200 * 0.02586,
    ...     hdl_mmol_l=45 * 0.02586, bmi=35, egfr_ml_min=90, has_diabetes=1, smokes=0,
    ...     takes_antihypertensive=1, takes_statin=0)
    >>> round(float(risk), 3)
    0.147
    """
    if model not in MODELS or horizon_years not in HORIZONS or outcome not in OUTCOMES:
        raise ValueError(f"no such PREVENT model: {model}, {horizon_years} years, {outcome}")
    given = dict(
        zip(
            (*LIMITS, *MORE_LIMITS, "is_male", "diabetes", "smokes", "treated", "statin"),
            floats(
                age_years,
                systolic_mmhg,
                bmi,
                cholesterol_mmol_l,
                hdl_mmol_l,
                egfr_ml_min,
                hba1c_percent,
                uacr_mg_g,
                sdi_decile,
                is_male,
                has_diabetes,
                smokes,
                takes_antihypertensive,
                takes_statin,
            ),
            strict=True,
        )
    )
    valid = within(LIMITS, given)
    for name in _ADDED[model]:
        valid &= np.isnan(given[name]) | within({name: MORE_LIMITS[name]}, given)
    weights = read_numbers("prevent_2023")["models"][model][str(horizon_years)][outcome]
    logit = linear_predictor(_terms(given, _ADDED[model]), weights, given["is_male"])
    with np.errstate(over="ignore"):
        return np.where(valid, 1 / (1 + np.exp(-logit)), np.nan)


def _terms(given: dict[str, Numbers], added: tuple[str, ...]) -> dict[str, Numbers]:
    age = (given["age_years"] - 55) / 10
    sbp, bmi, egfr = given["systolic_mmhg"], given["bmi"], given["egfr_ml_min"]
    non_hdl = given["cholesterol_mmol_l"] - given["hdl_mmol_l"] - 3.5
    hdl = (given["hdl_mmol_l"] - 1.3) / 0.3
    sbp_above = (np.maximum(sbp, 110) - 130) / 20
    bmi_above = (np.maximum(bmi, 30) - 30) / 5
    egfr_below = (np.minimum(egfr, 60) - 60) / -15
    terms = {
        "constant": np.ones_like(age),
        "age": age,
        "age_squared": age**2,
        "non_hdl": non_hdl,
        "hdl": hdl,
        "sbp_below_110": (np.minimum(sbp, 110) - 110) / 20,
        "sbp_above_110": sbp_above,
        "diabetes": given["diabetes"],
        "smokes": given["smokes"],
        "bmi_below_30": (np.minimum(bmi, 30) - 25) / 5,
        "bmi_above_30": bmi_above,
        "egfr_below_60": egfr_below,
        "egfr_above_60": (np.maximum(egfr, 60) - 90) / -15,
        "antihypertensive": given["treated"],
        "statin": given["statin"],
        "treated_sbp": sbp_above * given["treated"],
        "treated_non_hdl": non_hdl * given["statin"],
        "age_x_non_hdl": age * non_hdl,
        "age_x_hdl": age * hdl,
        "age_x_sbp": age * sbp_above,
        "age_x_diabetes": age * given["diabetes"],
        "age_x_smokes": age * given["smokes"],
        "age_x_bmi": age * bmi_above,
        "age_x_egfr": age * egfr_below,
    }
    for name in added:
        terms |= _ADD[name](given)
    return terms


def _hba1c(given: dict[str, Numbers]) -> dict[str, Numbers]:
    missing = np.isnan(given["hba1c_percent"])
    above = np.where(missing, 0.0, given["hba1c_percent"] - 5.3)
    return {
        "hba1c_with_diabetes": above * given["diabetes"],
        "hba1c_without_diabetes": above * (1 - given["diabetes"]),
        "hba1c_missing": missing.astype("float64"),
    }


def _uacr(given: dict[str, Numbers]) -> dict[str, Numbers]:
    ratio = given["uacr_mg_g"]
    usable = ratio > 0
    return {
        "ln_uacr": np.log(ratio, out=np.zeros_like(ratio), where=usable),
        "uacr_missing": np.isnan(ratio).astype("float64"),
    }


def _sdi(given: dict[str, Numbers]) -> dict[str, Numbers]:
    decile = given["sdi_decile"]
    return {
        "sdi_4_to_6": ((decile >= 4) & (decile <= 6)).astype("float64"),
        "sdi_7_to_10": (decile >= 7).astype("float64"),
        "sdi_missing": np.isnan(decile).astype("float64"),
    }


_ADD = {"hba1c_percent": _hba1c, "uacr_mg_g": _uacr, "sdi_decile": _sdi}
