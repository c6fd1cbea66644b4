"""What the published formulas share: their numbers, sexes, validity and steps of points."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

Numbers: TypeAlias = "NDArray[np.float64]"
Limits: TypeAlias = "Mapping[str, tuple[float | None, float | None]]"

#: mmol/L in one mg/dL of cholesterol, as in the catalogue of observations.
CHOLESTEROL_MMOL_L = 0.02586
#: umol/L in one mg/dL of creatinine, as in the catalogue of observations.
CREATININE_UMOL_L = 88.42


@cache
def read_numbers(name: str) -> dict[str, Any]:
    """The numbers of a score, as ``scripts/write_scores.py`` wrote them."""
    text = files("chw_tools.risk_prediction.scores").joinpath(f"{name}.json").read_text("utf-8")
    read: dict[str, Any] = json.loads(text)
    return read


def floats(*values: ArrayLike) -> tuple[Numbers, ...]:
    """Each as an array of float64, all of one shape."""
    arrays = (np.asarray(value, dtype="float64") for value in values)
    return tuple(np.broadcast_arrays(*arrays))


def by_sex(is_male: Numbers, weights: Mapping[str, float]) -> Numbers:
    """The woman's or the man's number of each row; missing where the sex is not known."""
    men = np.where(is_male == 1, weights["male"], weights["female"])
    return np.where((is_male == 0) | (is_male == 1), men, np.nan)


def linear_predictor(
    terms: Mapping[str, Numbers], weights: Mapping[str, Mapping[str, float]], is_male: Numbers
) -> Numbers:
    """Sum of terms times the weights of each row's sex.

    A term that weighs nothing for either sex is left out, so that it need not be known.
    """
    total = np.where((is_male == 0) | (is_male == 1), 0.0, np.nan)
    men = is_male == 1
    for name, term in terms.items():
        of_women, of_men = weights["female"].get(name, 0.0), weights["male"].get(name, 0.0)
        if of_women or of_men:
            total = total + np.where(men, of_men, of_women) * term
    return total


def within(limits: Limits, values: Mapping[str, Numbers]) -> NDArray[np.bool_]:
    """Whether every value is known and within its limits; ages in completed years."""
    inside: NDArray[np.bool_] = np.ones(np.shape(next(iter(values.values()))), dtype=bool)
    for name, (low, high) in limits.items():
        value = np.floor(values[name]) if name == "age_years" else values[name]
        inside &= (value >= (-np.inf if low is None else low)) & (
            value <= (np.inf if high is None else high)
        )
    return inside


def valid_only(result: Numbers, limits: Limits, values: Mapping[str, Numbers]) -> Numbers:
    """The result, missing outside the limits: outside there is no estimate, and no nearest."""
    return np.where(within(limits, values), result, np.nan)


def answers(*values: ArrayLike, highest: int = 1) -> tuple[Numbers, ...]:
    """Answers as whole numbers from 0; anything else is missing."""
    given = floats(*values)
    allowed = np.arange(highest + 1)
    return tuple(np.where(np.isin(value, allowed), value, np.nan) for value in given)


def points_by_steps(values: Numbers, steps: Sequence[Sequence[Any]]) -> Numbers:
    """Points of each value; a step is [upper end or None, whether it belongs to it, points]."""
    points = np.full(values.shape, float(steps[-1][2]))
    for upper, belongs, worth in reversed(steps[:-1]):
        points[values <= upper if belongs else values < upper] = worth
    points[np.isnan(values)] = np.nan
    return points
