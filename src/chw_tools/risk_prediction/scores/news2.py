"""NEWS2, the National Early Warning Score: how ill an adult is by the vital signs of now.

Source: Royal College of Physicians. National Early Warning Score (NEWS) 2. London: RCP, 2017,
chart 1. Not for people under 16 years and not in pregnancy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chw_tools.risk_prediction.scores.formula import (
    answers,
    floats,
    points_by_steps,
    read_numbers,
    valid_only,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from chw_tools.risk_prediction.scores.formula import Numbers

LIMITS = {"age_years": (16.0, None)}


def news2_items(
    *,
    respiratory_rate_per_min: ArrayLike,
    oxygen_saturation_percent: ArrayLike,
    on_oxygen: ArrayLike,
    systolic_mmhg: ArrayLike,
    heart_rate_per_min: ArrayLike,
    is_alert: ArrayLike,
    temperature_celsius: ArrayLike,
    retains_co2: ArrayLike = 0,
) -> dict[str, Numbers]:
    """The points of each vital sign; as :func:`compute_news2`."""
    table = read_numbers("points")["news2"]
    steps = table["steps"]
    # The chart is drawn for values as they are read: whole, and temperature to one decimal.
    breaths, oxygen, systolic, pulse = (
        np.round(value)
        for value in floats(
            respiratory_rate_per_min, oxygen_saturation_percent, systolic_mmhg, heart_rate_per_min
        )
    )
    (temperature,) = floats(temperature_celsius)
    given, alert, retains = answers(on_oxygen, is_alert, retains_co2)
    scale_2 = np.where(
        given == 1,
        points_by_steps(oxygen, steps["oxygen_scale_2_on_oxygen"]),
        points_by_steps(oxygen, steps["oxygen_scale_2_on_air"]),
    )
    of_oxygen = np.where(retains == 1, scale_2, points_by_steps(oxygen, steps["oxygen_scale_1"]))
    return {
        "respiratory_rate_per_min": points_by_steps(breaths, steps["respiratory_rate"]),
        "oxygen_saturation_percent": np.where(
            np.isnan(retains) | ((retains == 1) & np.isnan(given)), np.nan, of_oxygen
        ),
        "on_oxygen": given * table["on_oxygen"],
        "systolic_mmhg": points_by_steps(systolic, steps["systolic"]),
        "heart_rate_per_min": points_by_steps(pulse, steps["heart_rate"]),
        "is_alert": (1 - alert) * table["not_alert"],
        "temperature_celsius": points_by_steps(np.round(temperature, 1), steps["temperature"]),
    }


def compute_news2(
    *,
    age_years: ArrayLike,
    is_pregnant: ArrayLike,
    respiratory_rate_per_min: ArrayLike,
    oxygen_saturation_percent: ArrayLike,
    on_oxygen: ArrayLike,
    systolic_mmhg: ArrayLike,
    heart_rate_per_min: ArrayLike,
    is_alert: ArrayLike,
    temperature_celsius: ArrayLike,
    retains_co2: ArrayLike = 0,
) -> Numbers:
    """Points of NEWS2, 0 to 20.

    Parameters
    ----------
    age_years : array of float
        In completed years.
    respiratory_rate_per_min, oxygen_saturation_percent, systolic_mmhg, heart_rate_per_min
        As read, in whole numbers.
    temperature_celsius : array of float
        As read, to one decimal.
    is_pregnant, on_oxygen, is_alert : array of float
        1 for yes, 0 for no; not alert: newly confused, or answers to voice or pain only, or
        not at all.
    retains_co2 : array of float
        1 where a clinician has set a target saturation of 88 to 92 % (chart scale 2).

    Returns
    -------
    ndarray
        Missing below 16 years, in pregnancy, and where a sign is missing. Any single sign with
        3 points asks for a clinician, whatever the sum: see :func:`news2_items`.

    Examples
    --------
    >>> float(compute_news2(
    ...     age_years=60, is_pregnant=0, respiratory_rate_per_min=22,
    ...     oxygen_saturation_percent=94, on_oxygen=0, systolic_mmhg=105,
    ...     heart_rate_per_min=95, is_alert=1, temperature_celsius=38.4))
    6.0
    """
    items = news2_items(
        respiratory_rate_per_min=respiratory_rate_per_min,
        oxygen_saturation_percent=oxygen_saturation_percent,
        on_oxygen=on_oxygen,
        systolic_mmhg=systolic_mmhg,
        heart_rate_per_min=heart_rate_per_min,
        is_alert=is_alert,
        temperature_celsius=temperature_celsius,
        retains_co2=retains_co2,
    )
    points, age, pregnant = floats(sum(items.values()), age_years, is_pregnant)
    limits = {**LIMITS, "is_pregnant": (0.0, 0.0)}
    return valid_only(points, limits, {"age_years": age, "is_pregnant": pregnant})
