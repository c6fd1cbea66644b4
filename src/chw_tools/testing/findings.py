"""What visits found: observations of the true state, with chance, and not of everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.testing.chance import stream
from chw_tools.testing.contacts import ADMISSION, ANTENATAL, SICK, SURVEY
from chw_tools.testing.life import SEEN
from chw_tools.testing.population import DAYS_PER_YEAR, MALE

if TYPE_CHECKING:
    from collections.abc import Callable

    from chw_tools.testing.assumptions import Assumptions


@dataclass(frozen=True)
class _Seen:
    """The visits at which the person was seen, with the person's traits beside each."""

    rng: np.random.Generator
    assumed: Assumptions
    visit: np.ndarray
    frame: pd.DataFrame
    age: np.ndarray

    def __getitem__(self, name: str) -> np.ndarray:
        column: np.ndarray = self.frame[name].to_numpy()
        return column

    def chance(self) -> np.ndarray:
        return self.rng.random(len(self.visit))

    def noise(self, sd: float) -> np.ndarray:
        return self.rng.normal(0, sd, len(self.visit))


def draw_findings(
    visits: pd.DataFrame, folk: pd.DataFrame, *, part: int, seed: int, assumed: Assumptions
) -> pd.DataFrame:
    """Observations by visit position: ``visit``, ``name``, ``value``, ``answer``."""
    seen = _seen(visits, folk, stream(seed, part, "findings"), assumed)
    found = [frame for take in _TAKEN for frame in take(seen)]
    return pd.concat(found, ignore_index=True).sort_values(
        ["visit", "name"], kind="stable", ignore_index=True
    )


def _seen(
    visits: pd.DataFrame, folk: pd.DataFrame, rng: np.random.Generator, assumed: Assumptions
) -> _Seen:
    at = np.flatnonzero(visits["outcome"].to_numpy() == SEEN)
    there = visits.iloc[at].reset_index(drop=True)
    traits = folk.iloc[there["person"].to_numpy()].reset_index(drop=True)
    frame = pd.concat([there, traits], axis=1)
    age = (frame["day"].to_numpy() - frame["born"].to_numpy()) / DAYS_PER_YEAR
    return _Seen(rng, assumed, at, frame, age)


def _numbers(seen: _Seen, name: str, where: np.ndarray, value: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {"visit": seen.visit[where], "name": name, "value": value[where], "answer": ""}
    )


def _answers(
    seen: _Seen, name: str, where: np.ndarray, position: np.ndarray, words: tuple[str, ...]
) -> pd.DataFrame:
    answer = np.array(words, dtype=object)[position[where].astype(int)]
    return pd.DataFrame(
        {"visit": seen.visit[where], "name": name, "value": np.nan, "answer": answer}
    )


def _pressure(seen: _Seen) -> list[pd.DataFrame]:
    sick, antenatal = seen["reason"] == ADMISSION, seen["reason"] == ANTENATAL
    often = sick | antenatal
    known = seen["hypertension_known"] & (seen["day"] >= seen["hypertension_found"])
    share = np.where(known, 0.92, np.where(often, 0.8, 0.45))
    asked = ((seen.age >= 18) | antenatal) & (seen.chance() < share)
    # Pre-eclampsia shows itself after the 20th week.
    raised = antenatal & (seen["severe"] == 2) & (seen["weeks"] >= 22)
    within = seen.assumed.number("health.sbp_within_person_sd")
    on_medicine = seen["on_bp_medicine"] & (seen["day"] >= seen["hypertension_found"] + 30)
    treated = on_medicine * np.array([2.0, 6.0, 12.0])[seen["adherence"]]
    systolic = np.clip(np.rint(seen["sbp"] + 32 * raised - treated + seen.noise(within)), 75, 240)
    diastolic = np.rint(seen["dbp"] + 20 * raised - 0.5 * treated + seen.noise(0.6 * within))
    diastolic = np.clip(np.minimum(diastolic, systolic - 15), 42, 135)
    pulse = np.clip(np.rint(76 + 8 * sick + seen.noise(9)), 42, 180)
    return [
        _numbers(seen, "systolic_mmhg", asked, systolic),
        _numbers(seen, "diastolic_mmhg", asked, diastolic),
        _numbers(seen, "heart_rate_per_min", asked & (seen.chance() < 0.5), pulse),
    ]


def _adult_body(seen: _Seen) -> list[pd.DataFrame]:
    adult = seen.age >= 18
    weighed = adult & (seen.chance() < 0.35)
    measured = weighed & ((seen["reason"] == SURVEY) | (seen.chance() < 0.15))
    height = np.round(seen["height"] + seen.noise(0.5), 1)
    weight = np.round(seen["bmi"] * (seen["height"] / 100) ** 2 + seen.noise(1.2), 1)
    return [
        _numbers(seen, "weight_kg", weighed, np.clip(weight, 28, 180)),
        _numbers(seen, "height_cm", measured, height),
    ]


def _child_body(seen: _Seen) -> list[pd.DataFrame]:
    child = seen.age < 5
    months = np.clip(seen.age * 12, 0, 60)
    boy = seen["sex"] == MALE
    weight, height = _child_medians(seen, months, boy)
    cv = seen.assumed.number("child.height_variation")
    height = height * (1 + cv * seen["haz"]) + seen.noise(0.4)
    # Weight follows height at a body-mass that the weight-for-height z moves.
    relative = (height / _child_medians(seen, months, boy)[1]) ** 2
    weight = weight * relative * (1 + 0.09 * seen["whz"]) + seen.noise(0.1)
    muac = np.round(14.7 + 0.035 * (months - 24) + 1.05 * seen["whz"] + seen.noise(0.3), 1)
    weighed = child & (seen.chance() < 0.75)
    return [
        _numbers(seen, "weight_kg", weighed, np.round(np.clip(weight, 1.2, 40), 1)),
        _numbers(seen, "height_cm", weighed & (seen.chance() < 0.6), np.round(height, 1)),
        _numbers(
            seen, "muac_cm", child & (months >= 6) & (seen.chance() < 0.7), np.clip(muac, 8.5, 22)
        ),
    ]


def _child_medians(
    seen: _Seen, months: np.ndarray, boy: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    knots = seen.assumed.numbers("child.months")
    medians = [
        np.where(
            boy,
            np.interp(months, knots, seen.assumed.numbers(f"child.{what}_boys")),
            np.interp(months, knots, seen.assumed.numbers(f"child.{what}_girls")),
        )
        for what in ("weight", "height")
    ]
    return medians[0], medians[1]


def _sugar(seen: _Seen) -> list[pd.DataFrame]:
    asked = (seen.age >= 18) & (seen.chance() < np.where(seen["diabetes_known"], 0.8, 0.06))
    usual = np.where(seen["diabetes"], 11.0, 5.4) - 2.5 * (
        seen["on_sugar_medicine"] & (seen["adherence"] == 2)
    )
    value = np.round(usual * np.exp(seen.noise(0.17)), 1)
    return [_numbers(seen, "glucose_mmol_l", asked, np.clip(value, 2.2, 32))]


def _illness(seen: _Seen) -> list[pd.DataFrame]:
    sick = (seen["reason"] == SICK) | (seen["reason"] == ADMISSION)
    rise = sick * np.clip(seen.noise(1.0) + 0.8, 0, 3.6)
    celsius = np.clip(np.round(36.7 + rise + seen.noise(0.25), 1), 35, 41.5)
    small = sick & (seen.age < 5)
    # Fever quickens the breath, a grave illness more so; infants breathe faster anyway.
    breaths = 26 + 10 * (seen.age < 1) + 4 * rise + 12 * (seen["severe"] == 1) + seen.noise(4)
    positive = seen.chance() < np.where(rise > 1, 0.4, 0.05)
    tested = sick & (celsius >= 37.5) & (seen.chance() < 0.5)
    return [
        _numbers(seen, "temperature_celsius", sick & (seen.chance() < 0.7), celsius),
        _numbers(
            seen,
            "respiratory_rate_per_min",
            small & (seen.chance() < 0.5),
            np.clip(np.rint(breaths), 16, 90),
        ),
        _answers(seen, "malaria_rapid_test", tested, positive, ("negative", "positive")),
    ]


def _habits(seen: _Seen) -> list[pd.DataFrame]:
    survey = seen["reason"] == SURVEY
    adult = (seen.age >= 18) & (seen.chance() < np.where(survey, 0.85, 0.08))
    return [
        _answers(seen, "tobacco", adult, seen["smoking"], ("never", "former", "current")),
        _answers(
            seen,
            "alcohol",
            adult & (seen.chance() < 0.9),
            seen["alcohol"],
            ("none", "some", "heavy"),
        ),
        _answers(
            seen, "physical_activity", adult & (seen.chance() < 0.8), seen["active"], ("no", "yes")
        ),
        _answers(
            seen,
            "fruit_vegetables_daily",
            adult & (seen.chance() < 0.7),
            seen["fruit"],
            ("no", "yes"),
        ),
    ]


def _adherence(seen: _Seen) -> list[pd.DataFrame]:
    on = (seen["on_bp_medicine"] | seen["on_sugar_medicine"]) & (seen.chance() < 0.6)
    # People say yes a little more often than they do.
    told = np.where(seen.chance() < 0.12, 2, seen["adherence"])
    return [_answers(seen, "medicine_adherence", on, told, ("no", "partly", "yes"))]


def _antenatal(seen: _Seen) -> list[pd.DataFrame]:
    here = seen["reason"] == ANTENATAL
    ill = (seen["severe"] == 2) & (seen["weeks"] >= 22)
    protein = np.where(seen.chance() < np.where(ill, 0.75, 0.04), 2, 0)
    protein = protein + (seen.chance() < 0.3) * (protein > 0)
    haemoglobin = np.clip(np.round(11.3 + seen.noise(1.4), 1), 4.5, 16)
    height = np.clip(np.rint(seen["weeks"] + seen.noise(1.5)), 10, 45)
    strips = ("negative", "trace", "1+", "2+")
    return [
        _answers(seen, "urine_protein", here & (seen.chance() < 0.6), protein, strips),
        _numbers(seen, "haemoglobin_g_dl", here & (seen.chance() < 0.35), haemoglobin),
        _numbers(
            seen, "fundal_height_cm", here & (seen["weeks"] >= 20) & (seen.chance() < 0.6), height
        ),
    ]


_CHILD_SIGNS = (
    "danger_unable_to_drink",
    "danger_vomits_everything",
    "danger_convulsions",
    "danger_lethargic",
    "danger_chest_indrawing",
)
_MOTHER_SIGNS = (
    "danger_vaginal_bleeding",
    "danger_severe_headache",
    "danger_severe_abdominal_pain",
)
_ADULT_SIGNS = ("danger_difficulty_breathing", "danger_chest_pain", "danger_stroke_signs")


def _signs(seen: _Seen) -> list[pd.DataFrame]:
    sick = (seen["reason"] == SICK) & (seen.chance() < 0.9)
    antenatal = (seen["reason"] == ANTENATAL) & (seen.chance() < 0.7)
    groups = (
        (_CHILD_SIGNS, sick & (seen.age < 5)),
        (_ADULT_SIGNS, sick & (seen.age >= 18)),
        (_MOTHER_SIGNS, antenatal),
    )
    # A complicated pregnancy shows a sign at some of its contacts, late ones above all.
    severe = (seen["severe"] == 1) | ((seen["severe"] == 2) & (seen["weeks"] >= 34))
    found = []
    for names, asked in groups:
        for name in names:
            present = seen.chance() < np.where(severe, 0.35, 0.012)
            found.append(_answers(seen, name, asked, present, ("no", "yes")))
    return found


_TAKEN: tuple[Callable[[_Seen], list[pd.DataFrame]], ...] = (
    _pressure,
    _adult_body,
    _child_body,
    _sugar,
    _illness,
    _habits,
    _antenatal,
    _adherence,
    _signs,
)
