"""Who the simulated people are: age, sex, household, name, schooling, phone, language."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.testing.chance import choose, stream

if TYPE_CHECKING:
    from chw_tools.testing.assumptions import Assumptions

FEMALE, MALE = 0, 1
ADULT_YEARS = 18
DAYS_PER_YEAR = 365.25
#: A day that never comes.
NEVER = 1_000_000


def draw_people(
    n: int, households: pd.DataFrame, *, part: int, seed: int, assumed: Assumptions
) -> pd.DataFrame:
    """People who live in the part on day 0, one row each.

    Columns: ``household``, ``sex`` (0 female, 1 male), ``born`` (day), ``enrolled`` (day),
    ``moved`` (day) and what the register says of them. Days count from the first index day.
    """
    rng = stream(seed, part, "people")
    age = _ages(rng, n, assumed)
    folk = pd.DataFrame({"household": _seat(rng, age, len(households))})
    folk["born"] = -np.ceil(age * DAYS_PER_YEAR).astype(np.int64)
    folk["sex"] = (rng.random(n) < assumed.number("people.male_share")).astype(np.int8)
    folk["enrolled"] = _enrolment(rng, folk["household"].to_numpy(), len(households), assumed)
    folk["enrolled"] = np.maximum(folk["enrolled"], folk["born"])
    folk["mother"] = -1
    return _described(rng, folk, households, assumed)


def draw_infants(
    mothers: np.ndarray,
    born: np.ndarray,
    folk: pd.DataFrame,
    households: pd.DataFrame,
    *,
    part: int,
    seed: int,
    assumed: Assumptions,
) -> pd.DataFrame:
    """Children born during the simulation, in the same columns as :func:`draw_people`."""
    rng = stream(seed, part, "infants")
    n = len(mothers)
    infants = pd.DataFrame({"household": folk["household"].to_numpy()[mothers]})
    infants["born"] = born
    # 105 boys to 100 girls at birth.
    infants["sex"] = (rng.random(n) < 105 / 205).astype(np.int8)
    infants["enrolled"] = born + np.minimum(rng.geometric(0.08, n), 60)
    infants["mother"] = mothers
    return _described(rng, infants, households, assumed)


def _ages(rng: np.random.Generator, n: int, assumed: Assumptions) -> np.ndarray:
    start = assumed.numbers("people.age_from")
    width = np.diff(np.append(start, start[-1] + 10))
    band = choose(rng, assumed.numbers("people.age_share"), n)
    age: np.ndarray = start[band] + rng.random(n) * width[band]
    return age


def _seat(rng: np.random.Generator, age: np.ndarray, n_households: int) -> np.ndarray:
    """A household for each: an adult in every one as far as there are adults, then anywhere."""
    household = rng.integers(0, n_households, len(age))
    adults = rng.permutation(np.flatnonzero(age >= ADULT_YEARS))[:n_households]
    household[adults] = np.arange(len(adults))
    return household


def _enrolment(
    rng: np.random.Generator, household: np.ndarray, n_households: int, assumed: Assumptions
) -> np.ndarray:
    days = int(assumed.number("programme.enrolment_days"))
    day: np.ndarray = -rng.integers(1, days + 1, n_households)[household]
    return day


def _described(
    rng: np.random.Generator, folk: pd.DataFrame, households: pd.DataFrame, assumed: Assumptions
) -> pd.DataFrame:
    n = len(folk)
    home = folk["household"].to_numpy()
    wealth = households["wealth"].to_numpy()[home]
    age_at_start = -folk["born"].to_numpy() / DAYS_PER_YEAR
    folk["given"] = rng.integers(0, 1_000, n)
    folk["phone"] = (age_at_start >= ADULT_YEARS) & (
        rng.random(n) < assumed.numbers("people.phone_by_wealth")[wealth - 1]
    )
    folk["phone_number"] = rng.integers(0, 10_000_000, n)
    folk["education"] = _education(rng, age_at_start, wealth, assumed)
    known = rng.random(n)
    certain = assumed.number("people.birth_day_known")
    folk["precision"] = np.where(
        (known < certain) | (age_at_start < 3), 0, np.where(known < (1 + certain) / 2, 1, 2)
    )
    leaving = assumed.number("people.leaving_per_year") / DAYS_PER_YEAR
    folk["moved"] = np.minimum(
        np.maximum(folk["born"], 1) + rng.geometric(leaving, n), NEVER
    ).astype(np.int64)
    return folk


def _education(
    rng: np.random.Generator, age: np.ndarray, wealth: np.ndarray, assumed: Assumptions
) -> np.ndarray:
    edges = np.cumsum(assumed.numbers("people.education_share"))[:-1]
    # Schooling fell with age and rises with wealth; the margin at 20 is as assumed.
    draw = rng.random(len(age)) + 0.05 * (wealth - 3) - 0.006 * np.clip(age - 20, 0, 60)
    level = np.searchsorted(edges, np.clip(draw, 0, 1), side="right")
    level = np.where(age < 18, np.minimum(level, 2), level)
    level = np.where(age < 13, np.minimum(level, 1), level)
    return np.where(age < 6, -1, level)
