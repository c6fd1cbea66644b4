"""SCORE2 and SCORE2-OP: ten-year risk in four risk regions of Europe.

Risk of a heart attack, a stroke or cardiovascular death, for people without known
cardiovascular disease and without diabetes: SCORE2 from 40 to 69 years, SCORE2-OP (older
persons) from 70 to 89.

Source: SCORE2 working group. Eur Heart J 2021;42:2439-2454. doi:10.1093/eurheartj/ehab309;
SCORE2-OP working group. Eur Heart J 2021;42:2455-2467. doi:10.1093/eurheartj/ehab312.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chw_tools.errors import ProgrammeFault
from chw_tools.risk_prediction.scores.formula import (
    by_sex,
    floats,
    linear_predictor,
    read_numbers,
    valid_only,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from chw_tools.risk_prediction.scores.formula import Numbers

REGIONS = ("low", "moderate", "high", "very_high")
#: Ages of derivation and use, in completed years (abstracts of the sources).
AGES = {"score2": (40.0, 69.0), "score2_op": (70.0, 89.0)}
LIMITS = {"age_years": (40.0, 89.0)}


def compute_score2(
    *,
    age_years: ArrayLike,
    is_male: ArrayLike,
    smokes: ArrayLike,
    systolic_mmhg: ArrayLike,
    cholesterol_mmol_l: ArrayLike,
    hdl_mmol_l: ArrayLike,
    region: str,
) -> Numbers:
    """Ten-year risk by SCORE2 to 69 completed years, by SCORE2-OP from 70.

    Parameters
    ----------
    age_years, systolic_mmhg, cholesterol_mmol_l, hdl_mmol_l : array of float
        In years, mmHg and mmol/L.
    is_male, smokes : array of float
        1 for yes, 0 for no.
    region : {"low", "moderate", "high", "very_high"}
        The risk region of the country.

    Returns
    -------
    ndarray
        Missing outside 40 to 89 years and where an input is missing.

    Raises
    ------
    ProgrammeFault
        If there is no such region.

    Examples
    --------
    The published example: a man of 50 in a region of low risk, who smokes.

    >>> risk = compute_score2(age_years=50, is_male=1, smokes=1, systolic_mmhg=140,
    ...                       cholesterol_mmol_l=6.3, hdl_mmol_l=1.4, region="low")
    >>> round(100 * float(risk), 1)
    6.3
    """
    if region not in REGIONS:
        raise ProgrammeFault(
            "no such risk region of SCORE2.",
            where="region",
            cure=f"Choose one of: {', '.join(REGIONS)}.",
        )
    values = floats(age_years, is_male, smokes, systolic_mmhg, cholesterol_mmol_l, hdl_mmol_l)
    younger = _risk("score2", values, region)
    older = _risk("score2_op", values, region)
    return np.where(np.isnan(younger), older, younger)


def _risk(model: str, values: tuple[Numbers, ...], region: str) -> Numbers:
    numbers = read_numbers("score2_2021")[model]
    age, male, smokes, *measured = values
    names = ("age", "systolic", "cholesterol", "hdl")
    centred = {
        name: (value - numbers["centre"][name]) / numbers["per"][name]
        for name, value in zip(names, (age, *measured), strict=True)
    }
    centred["smokes"] = smokes
    terms = dict(centred)
    for name, value in centred.items():
        if name != "age":
            terms[f"age_x_{name}"] = centred["age"] * value
    linear = linear_predictor(terms, numbers["coefficients"], male) - by_sex(male, numbers["mean"])
    calibration = numbers["regions"][region]
    constant, slope = (
        by_sex(male, {sex: calibration[sex][at] for sex in calibration}) for at in (0, 1)
    )
    raw = np.log(-np.log(by_sex(male, numbers["survival_10y"]))) + linear
    risk = -np.expm1(-np.exp(constant + slope * raw))
    return valid_only(risk, {"age_years": AGES[model]}, {"age_years": age})
