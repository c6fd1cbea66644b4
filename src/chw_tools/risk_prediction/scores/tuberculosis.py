"""The WHO four-symptom screen for tuberculosis in people who live with HIV.

Source: WHO consolidated guidelines on tuberculosis, module 2: screening (2021), sections 3.3
and 5.1 (read at tbksp.org); children under 10: module 5 (2022), section 7.1.2, and the WHO
digital adaptation kit, TB.B4.DT.02.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chw_tools.risk_prediction.scores.formula import answers, floats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from chw_tools.risk_prediction.scores.formula import Numbers

#: From this age the four symptoms of adolescents and adults are asked.
ADULT_SCREEN_YEARS = 10.0


def compute_tb_screen(
    *,
    age_years: ArrayLike,
    cough: ArrayLike,
    fever: ArrayLike,
    weight_loss: ArrayLike,
    night_sweats: ArrayLike = np.nan,
    tb_contact: ArrayLike = np.nan,
) -> Numbers:
    """1 where the screen is positive, 0 where negative, missing where it cannot be said.

    One symptom is enough, even if others were not asked; negative needs all four.

    Parameters
    ----------
    age_years : array of float
        In completed years: from 10 the fourth question is night sweats, below it is close
        contact with somebody with tuberculosis.
    cough, fever, weight_loss, night_sweats, tb_contact : array of float
        1 for yes, 0 for no. Cough: now, of any length; for children, weight loss is poor
        weight gain.

    Examples
    --------
    >>> compute_tb_screen(age_years=30, cough=[0, 0, 1], fever=0, weight_loss=0,
    ...                   night_sweats=[0, float("nan"), float("nan")]).tolist()
    [0.0, nan, 1.0]
    """
    age, *_ = floats(age_years, cough, fever, weight_loss, night_sweats, tb_contact)
    first = answers(cough, fever, weight_loss, night_sweats, tb_contact)
    fourth = np.where(np.floor(age) >= ADULT_SCREEN_YEARS, first[3], first[4])
    asked = np.stack([*first[:3], np.where(np.isnan(age), np.nan, fourth)])
    return np.where(
        (asked == 1).any(axis=0), 1.0, np.where(np.isnan(asked).any(axis=0), np.nan, 0.0)
    )
