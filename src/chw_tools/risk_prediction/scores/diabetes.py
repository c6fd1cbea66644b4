"""FINDRISC and the ADA risk test: points for type 2 diabetes, without a blood test.

Sources: Lindström J, Tuomilehto J. The Diabetes Risk Score. Diabetes Care 2003;26:725-731,
with the items of the Finnish Diabetes Association's form (family history, 26 points). Bang H
et al. Development and validation of a patient self-assessment score for diabetes risk. Ann
Intern Med 2009;151:775-783, with the American Diabetes Association's risk test.
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

#: The form is for adults; a decision of this project, as the source names no lowest age.
FINDRISC_LIMITS = {"age_years": (18.0, None)}
#: Adults of 20 years or older (abstract of the source).
ADA_LIMITS = {"age_years": (20.0, None)}


def findrisc_items(
    *,
    age_years: ArrayLike,
    is_male: ArrayLike,
    bmi: ArrayLike,
    waist_cm: ArrayLike,
    is_active: ArrayLike,
    eats_vegetables_daily: ArrayLike,
    takes_antihypertensive: ArrayLike,
    had_high_glucose: ArrayLike,
    relatives: ArrayLike,
) -> dict[str, Numbers]:
    """The points of each item of FINDRISC; missing where the item is not known.

    As :func:`compute_findrisc`; sex has no points of its own, it decides those of the waist.
    """
    table = read_numbers("points")["findrisc"]
    age, index, waist = floats(age_years, bmi, waist_cm)
    (family,) = answers(relatives, highest=2)
    male, active, vegetables, treated, glucose = answers(
        is_male, is_active, eats_vegetables_daily, takes_antihypertensive, had_high_glucose
    )
    of_waist = np.where(
        male == 1,
        points_by_steps(waist, table["steps"]["waist_male"]),
        points_by_steps(waist, table["steps"]["waist_female"]),
    )
    worth = np.array([*table["relatives"], np.nan])
    return {
        "age_years": points_by_steps(np.floor(age), table["steps"]["age"]),
        "bmi": points_by_steps(index, table["steps"]["bmi"]),
        "waist_cm": np.where(np.isnan(male), np.nan, of_waist),
        "is_active": (1 - active) * table["not_active"],
        "eats_vegetables_daily": (1 - vegetables) * table["not_daily_vegetables"],
        "takes_antihypertensive": treated * table["antihypertensive"],
        "had_high_glucose": glucose * table["high_glucose"],
        "relatives": worth[np.where(np.isnan(family), 3, family).astype("int64")],
    }


def compute_findrisc(
    *,
    age_years: ArrayLike,
    is_male: ArrayLike,
    bmi: ArrayLike,
    waist_cm: ArrayLike,
    is_active: ArrayLike,
    eats_vegetables_daily: ArrayLike,
    takes_antihypertensive: ArrayLike,
    had_high_glucose: ArrayLike,
    relatives: ArrayLike,
) -> Numbers:
    """Points of FINDRISC, 0 to 26.

    Parameters
    ----------
    age_years, bmi, waist_cm : array of float
        In completed years, kg/m2 and cm.
    is_male, is_active, eats_vegetables_daily, takes_antihypertensive, had_high_glucose
        1 for yes, 0 for no. Active: at least 30 minutes on most days; antihypertensive: ever
        regularly; high glucose: ever found, in pregnancy too.
    relatives : array of float
        With diabetes: 0 none, 1 grandparent, aunt, uncle or first cousin, 2 parent, brother,
        sister or child.

    Returns
    -------
    ndarray
        Missing below 18 years and where an item is missing.

    Examples
    --------
    >>> float(compute_findrisc(
    ...     age_years=56, is_male=0, bmi=31, waist_cm=90, is_active=0, eats_vegetables_daily=1,
    ...     takes_antihypertensive=1, had_high_glucose=0, relatives=2))
    19.0
    """
    items = findrisc_items(
        age_years=age_years,
        is_male=is_male,
        bmi=bmi,
        waist_cm=waist_cm,
        is_active=is_active,
        eats_vegetables_daily=eats_vegetables_daily,
        takes_antihypertensive=takes_antihypertensive,
        had_high_glucose=had_high_glucose,
        relatives=relatives,
    )
    points, age = floats(sum(items.values()), age_years)
    return valid_only(points, FINDRISC_LIMITS, {"age_years": age})


def ada_items(
    *,
    age_years: ArrayLike,
    is_male: ArrayLike,
    had_gestational_diabetes: ArrayLike,
    has_first_degree_relative: ArrayLike,
    has_hypertension: ArrayLike,
    is_active: ArrayLike,
    bmi: ArrayLike,
) -> dict[str, Numbers]:
    """The points of each item of the ADA test; as :func:`compute_ada_risk_test`."""
    table = read_numbers("points")["ada"]
    age, index = floats(age_years, bmi)
    male, gestational, relative, hypertension, active = answers(
        is_male,
        had_gestational_diabetes,
        has_first_degree_relative,
        has_hypertension,
        is_active,
    )
    return {
        "age_years": points_by_steps(np.floor(age), table["steps"]["age"]),
        "is_male": male * table["male"],
        # The form asks women only.
        "had_gestational_diabetes": np.where(
            male == 1, 0.0, gestational * table["gestational_diabetes"]
        ),
        "has_first_degree_relative": relative * table["first_degree_relative"],
        "has_hypertension": hypertension * table["hypertension"],
        "is_active": (1 - active) * table["not_physically_active"],
        "bmi": points_by_steps(index, table["steps"]["bmi"]),
    }


def compute_ada_risk_test(
    *,
    age_years: ArrayLike,
    is_male: ArrayLike,
    had_gestational_diabetes: ArrayLike,
    has_first_degree_relative: ArrayLike,
    has_hypertension: ArrayLike,
    is_active: ArrayLike,
    bmi: ArrayLike,
) -> Numbers:
    """Points of the ADA risk test, 0 to 11; from 5 a blood test is asked for.

    Inputs in completed years and kg/m2; 1 for yes, 0 for no; gestational diabetes is asked of
    women only. Missing below 20 years and where an item is missing.

    >>> float(compute_ada_risk_test(
    ...     age_years=52, is_male=1, had_gestational_diabetes=0, has_first_degree_relative=1,
    ...     has_hypertension=1, is_active=1, bmi=27))
    6.0
    """
    items = ada_items(
        age_years=age_years,
        is_male=is_male,
        had_gestational_diabetes=had_gestational_diabetes,
        has_first_degree_relative=has_first_degree_relative,
        has_hypertension=has_hypertension,
        is_active=is_active,
        bmi=bmi,
    )
    points, age = floats(sum(items.values()), age_years)
    return valid_only(points, ADA_LIMITS, {"age_years": age})
