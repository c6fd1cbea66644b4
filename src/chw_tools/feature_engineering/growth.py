"""Child growth against the WHO standards: z-scores by age, or by length or height.

From birth until 60 months of age. The tables are l, m, s by sex; beyond
three standard deviations a z-score is counted on in steps of the distance between the second
and the third, so that skewed measures do not run away.

Sources: WHO Child Growth Standards: methods and development, 2006 (chapter 7) and 2007; the
rules of position, oedema and implausible values as in WHO's own software (``anthro``).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[np.float64]

Indicator = Literal[
    "weight_for_age",
    "height_for_age",
    "weight_for_height",
    "bmi_for_age",
    "muac_for_age",
    "head_for_age",
    "triceps_for_age",
    "subscapular_for_age",
]

#: Lowest and highest z-score that can be true; beyond them a measurement or the age is taken
#: to be wrong (WHO ``anthro``, flags of :func:`anthro_zscores`, read in its documentation).
PLAUSIBLE: dict[Indicator, tuple[float, float]] = {
    "weight_for_age": (-6, 5),
    "height_for_age": (-6, 6),
    "weight_for_height": (-5, 5),
    "bmi_for_age": (-5, 5),
    "muac_for_age": (-5, 5),
    "head_for_age": (-5, 5),
    "triceps_for_age": (-5, 5),
    "subscapular_for_age": (-5, 5),
}
#: From this day on children are measured standing; lying is 0.7 cm longer (same source).
STANDING_FROM_DAYS = 731
LYING_IS_LONGER_CM = 0.7
#: Standing under nine months is taken for an error of writing: the child lay (same source).
_NINE_MONTHS_DAYS = 9 * 30.4375
#: Children of 60 months and more are not judged: the tables end (same source).
_TOO_OLD_DAYS = 60 * 30.4375
#: Without an age, from this height on a child is taken to have stood (same source).
_STOOD_FROM_CM = 87.0
#: Water in the body weighs: no weight is judged in a child with swollen feet (same source).
_OF_WEIGHT = frozenset({"weight_for_age", "weight_for_height", "bmi_for_age"})
_OF_STATURE = frozenset({"weight_for_height", "bmi_for_age"})
#: What one written step is worth, for l, m and s; see ``scripts/write_growth.py``.
_STEPS = np.array([1e4, 1e4, 1e5])
_SEXES = ("male", "female")


class GrowthZ(NamedTuple):
    """z-scores, missing where they cannot be computed, and which of them can be true."""

    z: Numbers
    is_plausible: NDArray[np.bool_]

    @property
    def valid(self) -> Numbers:
        """The z-scores that can be true, missing for all others."""
        return np.where(self.is_plausible, self.z, np.nan)


class _Table(NamedTuple):
    first: int
    lms: Numbers  # sex, (l, m, s), step


@cache
def _tables() -> dict[str, _Table]:
    path = files("chw_tools.feature_engineering").joinpath("data", "who_growth.npz")
    with path.open("rb") as file, np.load(file) as read:
        names = [name for name in read.files if not name.endswith("_first")]
        return {
            name: _Table(int(read[f"{name}_first"]), read[name] / _STEPS[:, None]) for name in names
        }


def compute_growth_z(
    indicator: Indicator,
    *,
    sex: ArrayLike,
    age_days: ArrayLike,
    measure: ArrayLike,
    stature_cm: ArrayLike | None = None,
    lying: ArrayLike | None = None,
    oedema: ArrayLike | None = None,
) -> GrowthZ:
    """How many standard deviations children are from the median of WHO's growth standards.

    Parameters
    ----------
    indicator : str
        One of ``weight_for_age``, ``height_for_age`` (also length), ``weight_for_height``
        (also length), ``bmi_for_age``, ``muac_for_age``, ``head_for_age``,
        ``triceps_for_age``, ``subscapular_for_age``.
    sex : array of str
        ``male`` or ``female``; any other has no z-score.
    age_days : array of float
        Age on the day of measuring, days; may be missing for ``weight_for_height`` only.
    measure : array of float
        Weight, kg (also for BMI), or length or height, arm or head, cm, or skinfold, mm.
    stature_cm : array of float, optional
        Length or height, cm, for ``weight_for_height`` and ``bmi_for_age``.
    lying : array, optional
        1 measured lying, 0 standing, missing not known: then lying under 731 days.
    oedema : array, optional
        1 where both feet are swollen: then no weight is judged. Missing counts as 0.

    Returns
    -------
    GrowthZ
        ``z`` unrounded; ``is_plausible`` tells z-scores that can be true (two decimals
        decide, as with WHO).

    Raises
    ------
    ValueError
        If the indicator is not known, or needs ``stature_cm``.

    Examples
    --------
    >>> found = compute_growth_z("weight_for_age", sex=["male"], age_days=[0], measure=[2.5])
    >>> found.z.round(2)
    array([-1.9])
    """
    _check(indicator, stature_cm)
    boys_girls = _sex_rows(sex)
    age = _numbers(age_days, len(boys_girls))
    age = np.where(age < _TOO_OLD_DAYS, np.floor(age + 0.5), np.where(np.isnan(age), age, np.inf))
    value = _numbers(measure, len(boys_girls))
    lay = _numbers(np.nan if lying is None else lying, len(boys_girls))
    if indicator == "height_for_age":
        value = _as_for_age(value, age, lay)
    stature = np.full(len(value), np.nan)
    if indicator in _OF_STATURE and stature_cm is not None:
        stature = _as_for_age(_numbers(stature_cm, len(value)), age, lay)
    if indicator == "bmi_for_age":
        value = value / (stature / 100.0) ** 2
    if indicator == "weight_for_height":
        lms = _by_stature(boys_girls, age, stature, lay)
    else:
        lms = _at(_tables()[indicator], boys_girls, age)
    z = _z(np.where(value > 0, value, np.nan), lms)
    if oedema is not None and indicator in _OF_WEIGHT:
        z = np.where(_numbers(oedema, len(z)) == 1, np.nan, z)
    low, high = PLAUSIBLE[indicator]
    rounded = np.round(z, 2)
    return GrowthZ(z, (rounded >= low) & (rounded <= high))


def _check(indicator: str, stature_cm: object) -> None:
    if indicator not in get_args(Indicator):
        raise ValueError(f"no growth indicator is called {indicator}")
    if indicator in _OF_STATURE and stature_cm is None:
        raise ValueError(f"{indicator} needs stature_cm")


def _numbers(values: ArrayLike, n: int) -> Numbers:
    return np.broadcast_to(np.asarray(values, dtype="float64"), (n,))


def _sex_rows(sex: ArrayLike) -> NDArray[np.intp]:
    given = np.asarray(sex, dtype=object).astype(str)
    rows = np.full(given.shape, -1, dtype=np.intp)
    for row, name in enumerate(_SEXES):
        rows[given == name] = row
    return rows


def _as_for_age(stature: Numbers, age: Numbers, lying: Numbers) -> Numbers:
    """Length under 731 days and height from then on, whichever was measured."""
    stood = (lying == 0) & (age >= _NINE_MONTHS_DAYS)
    longer = np.where(stood & (age < STANDING_FROM_DAYS), LYING_IS_LONGER_CM, 0.0)
    shorter = np.where((lying == 1) & (age >= STANDING_FROM_DAYS), LYING_IS_LONGER_CM, 0.0)
    return stature + longer - shorter


def _by_stature(
    boys_girls: NDArray[np.intp], age: Numbers, stature: Numbers, lying: Numbers
) -> Numbers:
    position_known = ~np.isnan(lying)
    short = np.where(position_known, lying == 1, stature < _STOOD_FROM_CM)
    is_length = np.where(np.isnan(age), short, age < STANDING_FROM_DAYS)
    tenths = np.round(stature * 10.0, 6)  # 84.8 * 10 is a little less than 848
    by_length = _at(_tables()["weight_for_length"], boys_girls, tenths)
    by_height = _at(_tables()["weight_for_height"], boys_girls, tenths)
    lms = np.where(is_length, by_length, by_height)
    return np.where((age < 0) | np.isinf(age), np.nan, lms)


def _at(table: _Table, boys_girls: NDArray[np.intp], at: Numbers) -> Numbers:
    """l, m, s at a step, between two steps in proportion; missing outside the table."""
    last = table.lms.shape[2] - 1
    place = at - table.first
    inside = (place >= 0) & (place <= last) & (boys_girls >= 0)
    place = np.where(inside, place, 0.0)
    low = place.astype(np.intp)
    high = np.minimum(low + 1, last)
    part = place - low
    found = np.stack(
        [
            parts[boys_girls, low] + part * (parts[boys_girls, high] - parts[boys_girls, low])
            for parts in np.moveaxis(table.lms, 1, 0)
        ]
    )
    return np.where(inside, found, np.nan)


def _z(value: Numbers, lms: Numbers) -> Numbers:
    l, m, s = lms  # noqa: E741 (the names of the method)

    def at(deviations: float) -> Numbers:
        curve: Numbers = m * (1.0 + l * s * deviations) ** (1.0 / l)
        return curve

    z: Numbers = ((value / m) ** l - 1.0) / (s * l)
    above = 3.0 + (value - at(3)) / (at(3) - at(2))
    below = -3.0 + (value - at(-3)) / (at(-2) - at(-3))
    return np.where(z > 3, above, np.where(z < -3, below, z))
