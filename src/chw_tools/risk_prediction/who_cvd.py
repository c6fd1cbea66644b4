"""The WHO cardiovascular risk score of 2019, without laboratory values.

Ten-year risk of a heart attack or stroke, fatal or not, from age, sex, smoking, systolic
blood pressure and body mass index, calibrated to 21 regions of the world. Derived on people
of 40 to 80 years without known cardiovascular disease; the published charts end at 74.

Source: WHO CVD Risk Chart Working Group. World Health Organization cardiovascular disease
risk charts: revised models to estimate risk in 21 global regions. Lancet Glob Health
2019;7:e1332-e1345. doi:10.1016/S2214-109X(19)30318-3.
"""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chw_tools.errors import ProgrammeFault
from chw_tools.risk_prediction.inputs import numbers_of, positions_of
from chw_tools.risk_prediction.published import PublishedScore

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

OUTCOME = "cvd_10y"
#: Derivation: participants of 40 to 80 years (abstract of the source).
LOWEST_AGE, HIGHEST_AGE = 40.0, 80.0
#: The last age band of the published charts is 70 to 74.
LAST_CHART_AGE = 74.0
#: The point at which the published models are centred, and no smoking.
_REFERENCE = {"age_years": 60.0, "tobacco": 0.0, "systolic_mmhg": 120.0, "bmi": 25.0}
_ENDPOINTS = ("heart_attack", "stroke")
_SEXES = ("female", "male")
_LABELS = {
    "age_years": "Age",
    "sex": "Sex",
    "tobacco": "Tobacco use",
    "systolic_mmhg": "Systolic blood pressure",
    "bmi": "Body mass index",
}
#: A blood pressure older than a year is told; a decision of this project.
_OLD_DAYS = 365
_OLD = "The blood pressure is more than a year old: measure it again."
_BARRED = "For people without heart disease or stroke: this one is at high risk already."


@cache
def _numbers() -> dict[str, Any]:
    text = files("chw_tools.risk_prediction").joinpath("who_cvd_2019.json").read_text("utf-8")
    read: dict[str, Any] = json.loads(text)
    return read


@cache
def who_cvd_regions() -> tuple[str, ...]:
    """The 21 regions that the score is calibrated to, by name.

    >>> len(who_cvd_regions())
    21
    """
    return tuple(sorted(_numbers()["regions"]))


def compute_who_cvd(
    *,
    age_years: ArrayLike,
    is_male: ArrayLike,
    smokes: ArrayLike,
    systolic_mmhg: ArrayLike,
    bmi: ArrayLike,
    region: str,
) -> NDArray[np.float64]:
    """Ten-year risk of a heart attack or stroke; missing where an input is.

    Parameters
    ----------
    age_years, systolic_mmhg, bmi : array of float
        In years, mmHg and kg/m2. Nothing is limited here: for whom the score holds,
        :func:`who_cvd_score` decides.
    is_male, smokes : array of float
        1 for yes, 0 for no.
    region : str
        One of :func:`who_cvd_regions`.

    Raises
    ------
    ProgrammeFault
        If the region is none of them.

    Examples
    --------
    A woman of 62 in South Asia who smokes, at 190 mmHg and a body mass index of 17.5; the
    chart says 21 %.

    >>> risk = compute_who_cvd(age_years=62.5, is_male=0, smokes=1, systolic_mmhg=190,
    ...                        bmi=17.5, region="South Asia")
    >>> round(float(risk), 2)
    0.21
    """
    model = _model(region)
    age, bmi_off, sbp = (
        np.asarray(given, dtype="float64") - centre
        for given, centre in zip((age_years, bmi, systolic_mmhg), _centres(), strict=True)
    )
    smoker, male = np.asarray(smokes, dtype="float64"), np.asarray(is_male, dtype="float64")
    terms = (age, bmi_off, sbp, smoker, age * bmi_off, age * sbp, age * smoker)
    # One row for each endpoint and sex; added term by term, so that one person's sum has the
    # bits that it has among many.
    rows = (len(_ENDPOINTS), len(_SEXES)) + (1,) * max(t.ndim for t in (male, *terms))
    linear = sum(c.reshape(rows) * t for c, t in zip(model.coefficients, terms, strict=True))
    raw = model.start.reshape(rows) + linear
    by_sex = model.constant.reshape(rows) + model.slope.reshape(rows) * raw
    # An unknown sex stays unknown: a product with NaN is NaN.
    hazards = np.exp(by_sex[:, 0] * (1 - male) + by_sex[:, 1] * male)
    risk: NDArray[np.float64] = -np.expm1(-(hazards[0] + hazards[1]))
    return risk


class _Model(NamedTuple):
    """The numbers of a region, each by endpoint and sex; the coefficients by term too."""

    coefficients: NDArray[np.float64]
    start: NDArray[np.float64]
    constant: NDArray[np.float64]
    slope: NDArray[np.float64]


@cache
def _model(region: str) -> _Model:
    calibration = _region(region)

    def table(number: Callable[[str, str], Any]) -> NDArray[np.float64]:
        return np.array([[number(end, sex) for sex in _SEXES] for end in _ENDPOINTS])

    models = _numbers()["models"]
    return _Model(
        coefficients=np.moveaxis(table(lambda end, sex: models[end][sex]["coefficients"]), -1, 0),
        start=np.log(-np.log(table(lambda end, sex: models[end][sex]["survival_10y"]))),
        constant=table(lambda end, sex: calibration[end][sex]["constant"]),
        slope=table(lambda end, sex: calibration[end][sex]["slope"]),
    )


@cache
def _centres() -> tuple[float, float, float]:
    centre = _numbers()["centering"]
    return centre["age_years"], centre["bmi"], centre["systolic_mmhg"]


def _region(region: str) -> dict[str, Any]:
    found: dict[str, Any] | None = _numbers()["regions"].get(region)
    if found is None:
        raise ProgrammeFault(
            "no such region of the WHO cardiovascular charts",
            where="who_region",
            cure=f"Choose one of: {'; '.join(who_cvd_regions())}.",
        )
    return found


def who_cvd_score(region: str) -> PublishedScore:
    """The score of one region as a model.

    Not valid outside 40 to 80 years and for people with known heart disease or stroke; not
    known where smoking, blood pressure or body mass index were not measured, and the note
    names which. Between 75 and 80 years, beyond the charts, and where the blood pressure is more
    than a year old, the note says so.

    Raises
    ------
    ProgrammeFault
        If there is no such region.
    """
    _region(region)

    def formula(inputs: Any) -> NDArray[np.float64]:
        return compute_who_cvd(
            age_years=inputs["age_years"],
            is_male=inputs["sex"],
            smokes=inputs["tobacco"],
            systolic_mmhg=inputs["systolic_mmhg"],
            bmi=inputs["bmi"],
            region=region,
        )

    numbers = json.dumps([region, _numbers()], sort_keys=True)
    return PublishedScore(
        name="WHO CVD 2019 non-laboratory",
        version=region,
        outcome=OUTCOME,
        digest=sha256(numbers.encode()).hexdigest(),
        read=_read,
        formula=formula,
        reference=_REFERENCE,
        labels=_LABELS,
        limits={"age_years": (LOWEST_AGE, HIGHEST_AGE)},
        not_with={"has_heart_disease": _BARRED, "has_stroke": _BARRED},
        remarks=chart_remarks,
        reference_text="a non-smoker of 60 years and the same sex, 120 mmHg, body mass index 25",
    )


def _read(frame: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
    sex = positions_of(frame["sex"], ("female", "male"))
    tobacco = positions_of(frame["tobacco"], ("never", "former", "current"))
    return {
        "age_years": numbers_of(frame["age_years"]),
        "sex": np.where(sex <= 1, sex, np.nan),  # the score knows women and men only
        "tobacco": np.where(tobacco <= 2, (tobacco == 2).astype("float64"), np.nan),
        "systolic_mmhg": numbers_of(frame["systolic_mmhg"]),
        "bmi": numbers_of(frame["bmi"]),
    }


def chart_remarks(frame: pd.DataFrame) -> NDArray[np.object_]:
    """What to say with an estimate: an old blood pressure, an age beyond the charts."""
    remarks = np.full(len(frame), None, dtype=object)
    if "systolic_mmhg_days_since" in frame:
        remarks[numbers_of(frame["systolic_mmhg_days_since"]) > _OLD_DAYS] = _OLD
    beyond = np.floor(numbers_of(frame["age_years"])) > LAST_CHART_AGE
    remarks[beyond] = "Beyond the published charts, which end at 74 years."
    return remarks
