"""Estimated glomerular filtration, which PREVENT asks for.

Source: Inker LA et al. New creatinine- and cystatin C-based equations to estimate GFR without
race. N Engl J Med 2021;385:1737-1749. doi:10.1056/NEJMoa2102953 (CKD-EPI 2021); read at
kidney.org/ckd-epi-creatinine-equation-2021.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chw_tools.risk_prediction.scores.formula import CREATININE_UMOL_L, by_sex, floats, valid_only

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from chw_tools.risk_prediction.scores.formula import Numbers

#: The equation is for adults (NIDDK, adults 18 and older).
LIMITS = {"age_years": (18.0, None)}


def compute_egfr(
    *, age_years: ArrayLike, is_male: ArrayLike, creatinine_umol_l: ArrayLike
) -> Numbers:
    """Estimated glomerular filtration in mL/min/1.73 m2 (CKD-EPI 2021, without race).

    Missing below 18 years and where an input is missing or not above 0.

    >>> float(compute_egfr(age_years=50, is_male=0, creatinine_umol_l=70.7).round())
    90.0
    """
    age, male, creatinine = floats(age_years, is_male, creatinine_umol_l)
    scale = by_sex(male, {"female": 0.7, "male": 0.9})
    power = by_sex(male, {"female": -0.241, "male": -0.302})
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(creatinine > 0, creatinine / CREATININE_UMOL_L / scale, np.nan)
        rate = 142 * np.minimum(ratio, 1) ** power * np.maximum(ratio, 1) ** -1.2 * 0.9938**age
    rate = rate * by_sex(male, {"female": 1.012, "male": 1.0})
    return valid_only(rate, LIMITS, {"age_years": age})
