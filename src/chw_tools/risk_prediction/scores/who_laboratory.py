"""The WHO cardiovascular risk score of 2019, with laboratory values.

As :mod:`chw_tools.risk_prediction.who_cvd`, with total cholesterol and diabetes in place of
body mass index. Source: Lancet Glob Health 2019;7:e1332-e1345,
doi:10.1016/S2214-109X(19)30318-3.
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
from chw_tools.risk_prediction.who_cvd import HIGHEST_AGE, LOWEST_AGE, who_cvd_regions

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from chw_tools.risk_prediction.scores.formula import Numbers

LIMITS = {"age_years": (LOWEST_AGE, HIGHEST_AGE)}


def compute_who_cvd_laboratory(
    *,
    age_years: ArrayLike,
    is_male: ArrayLike,
    smokes: ArrayLike,
    systolic_mmhg: ArrayLike,
    cholesterol_mmol_l: ArrayLike,
    has_diabetes: ArrayLike,
    region: str,
) -> Numbers:
    """Ten-year risk of a heart attack or stroke, fatal or not.

    Parameters
    ----------
    age_years, systolic_mmhg, cholesterol_mmol_l : array of float
        In years, mmHg and mmol/L.
    is_male, smokes, has_diabetes : array of float
        1 for yes, 0 for no.
    region : str
        One of :func:`~chw_tools.risk_prediction.who_cvd_regions`.

    Returns
    -------
    ndarray
        Missing outside 40 to 80 years and where an input is missing.

    Raises
    ------
    ProgrammeFault
        If there is no such region.

    Examples
    --------
    A man of 40 to 44 in Brazil, 110 mmHg, cholesterol 3.5: the chart says 1 %.

    >>> risk = compute_who_cvd_laboratory(
    ...     age_years=42.5, is_male=1, smokes=0, systolic_mmhg=110, cholesterol_mmol_l=3.5,
    ...     has_diabetes=0, region="Tropical Latin America")
    >>> round(float(risk), 2)
    0.01
    """
    numbers = read_numbers("who_cvd_laboratory_2019")
    if region not in numbers["regions"]:
        raise ProgrammeFault(
            "no such region of the WHO cardiovascular charts.",
            where="region",
            cure=f"Choose one of: {'; '.join(who_cvd_regions())}.",
        )
    age, male, smoker, systolic, cholesterol, diabetes = floats(
        age_years, is_male, smokes, systolic_mmhg, cholesterol_mmol_l, has_diabetes
    )
    off = age - 60
    terms = {
        "cholesterol": cholesterol - 6,
        "systolic": systolic - 120,
        "diabetes": diabetes,
        "smokes": smoker,
    }
    terms |= {"age": off, **{f"age_x_{name}": off * term for name, term in terms.items()}}
    hazard = np.zeros(age.shape)
    for endpoint, model in numbers["models"].items():
        weights = {sex: model[sex]["coefficients"] for sex in model}
        survival = by_sex(male, {sex: model[sex]["survival_10y"] for sex in model})
        raw = np.log(-np.log(survival)) + linear_predictor(terms, weights, male)
        shift = numbers["regions"][region][endpoint]
        constant, slope = (by_sex(male, {sex: shift[sex][at] for sex in shift}) for at in (0, 1))
        hazard = hazard + np.exp(constant + slope * raw)
    return valid_only(-np.expm1(-hazard), LIMITS, {"age_years": age})
