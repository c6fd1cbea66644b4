"""Features of the person, the household and the place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.data_processing.parsing import earliest_births
from chw_tools.feature_engineering.declaration import Built, Feature
from chw_tools.feature_engineering.lookup import positions_among
from chw_tools.records.tables import PEOPLE, SEXES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from chw_tools.records.register import Register

#: A child is under five until the fifth birthday: the age limit of IMCI, WHO 2014, chart booklet.
CHILD_MONTHS = 60
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def age_years(born_on: NDArray[np.datetime64], as_of: pd.Timestamp) -> NDArray[np.float64]:
    """Age in years: whole birthdays, and the part of the year since the last one.

    Exact on a birthday, so that a limit such as "from 40" falls on the right day. Someone
    born on 29 February has a birthday on 1 March in other years.

    >>> age_years(np.array(["1984-05-02"], dtype="datetime64[D]"), pd.Timestamp("2024-05-02"))
    array([40.])
    """
    born = born_on.astype("datetime64[D]")
    day = np.datetime64(as_of.date(), "D")
    year = day.astype("datetime64[Y]")
    years = (year - born.astype("datetime64[Y]")).astype("float64")
    early = _birthday(born, year) > day
    one = np.timedelta64(1, "Y")
    last = _birthday(born, np.where(early, year - one, year))
    following = _birthday(born, np.where(early, year, year + one))
    part = np.subtract(day, last) / np.subtract(following, last)
    age: NDArray[np.float64] = np.where(np.isnat(born), np.nan, years - early + part)
    return age


def likely_births(people: pd.DataFrame, as_of: pd.Timestamp) -> NDArray[np.datetime64]:
    """The middle of the days on which each person can have been born, by what is known.

    A birth known to the month or year stands in its middle. While that period lasts nobody
    can have been born after ``as_of``: the middle of the days so far stands for it, or a
    baby would have a negative age, or be newborn on the same day of July as all others.
    """
    born: NDArray[np.datetime64] = people["born_on"].to_numpy().astype("datetime64[D]")
    first = earliest_births(people).to_numpy().astype("datetime64[D]")
    precision, day = people["born_precision"].to_numpy(), np.datetime64(as_of.date(), "D")
    for known_to, unit in (("month", "M"), ("year", "Y")):
        lasts = (precision == known_to) & (
            born.astype(f"datetime64[{unit}]") == day.astype(f"datetime64[{unit}]")
        )
        born = np.where(lasts, first + (day - first) // 2, born)
    return born


def _birthday(
    born: NDArray[np.datetime64], year: NDArray[np.datetime64] | np.datetime64
) -> NDArray[np.datetime64]:
    month = born.astype("datetime64[M]")
    day = born - month.astype("datetime64[D]")
    in_year = (month - born.astype("datetime64[Y]").astype("datetime64[M]")) + np.asarray(
        year
    ).astype("datetime64[M]")
    moved: NDArray[np.datetime64] = in_year.astype("datetime64[D]") + day
    return moved


def age_months(born_on: NDArray[np.datetime64], as_of: pd.Timestamp) -> NDArray[np.float64]:
    """Completed calendar months of age; missing from the fifth birthday on."""
    born = born_on.astype("datetime64[D]")
    day = np.datetime64(as_of.date(), "D")
    months = (day.astype("datetime64[M]") - born.astype("datetime64[M]")).astype("float64")
    of_month = (born - born.astype("datetime64[M]").astype("datetime64[D]")).astype("float64")
    day_of_month = float((day - day.astype("datetime64[M]").astype("datetime64[D]")).astype(int))
    months = np.where(np.isnat(born), np.nan, months - (of_month > day_of_month))
    return np.where(months < CHILD_MONTHS, months, np.nan)


def personal(people: pd.DataFrame, as_of: pd.Timestamp) -> Iterator[Built]:
    """Age, sex, schooling, and whether a telephone is known."""
    born = people["born_on"].to_numpy()
    yield Feature("age_years", "Age", "number", "years"), age_years(born, as_of)
    yield (
        Feature("age_months", "Age of a child under five", "number", "months"),
        age_months(born, as_of),
    )
    yield _choice("sex", "Sex", SEXES, people["sex"])
    schooling = PEOPLE.column("education").allowed
    yield _choice("education", "Highest schooling attended", schooling, people["education"])
    phone = people["phone"].notna().to_numpy()
    # Whether one can be reached says nothing of health: it is for outreach, not for models.
    yield Feature("phone_known", "Telephone number known", "flag", for_models=False), phone
    # The season of the day, the same for everybody: for outcomes that ask for it by name.
    month = np.full(len(people), as_of.month - 1)
    yield Feature("month", "Month", "choice", allowed=MONTHS, for_models=False), month


def _choice(name: str, label: str, allowed: tuple[str, ...], values: pd.Series) -> Built:
    codes = pd.Index(allowed).get_indexer(pd.Index(values))
    return Feature(name, label, "choice", allowed=allowed), codes


def domestic(known: Register, people: pd.DataFrame, as_of: pd.Timestamp) -> Iterator[Built]:
    """The household: who shares it, how it lives, how far it is from care.

    Household members count where they are in the register that is given; see
    :func:`chw_tools.feature_engineering.people_needed`.
    """
    households = known.households
    at = positions_among(people["household_id"], households["id"])
    homed = people["household_id"].notna().to_numpy()
    number, _ = pd.factorize(people["household_id"])
    months = age_months(people["born_on"].to_numpy(), as_of)
    size = np.bincount(number[homed], minlength=1)
    young = np.bincount(number[homed], weights=~np.isnan(months[homed]), minlength=1)
    yield (
        Feature("household_size", "People in the household", "number", "people", (), "household"),
        np.where(homed, size[np.where(homed, number, 0)], np.nan),
    )
    yield (
        Feature(
            "children_under5_in_household",
            "Children under five in the household",
            "number",
            "children",
            (),
            "household",
        ),
        np.where(homed, young[np.where(homed, number, 0)], np.nan),
    )
    for name, label, unit in (
        ("wealth_fifth", "Wealth fifth, 1 poorest", ""),
        ("facility_km", "Distance to the nearest facility", "km"),
    ):
        values = households[name].to_numpy(dtype="float64", na_value=np.nan)
        yield Feature(name, label, "number", unit, (), "household"), _taken(values, at)
    for name, label in (
        ("has_safe_water", "Safe drinking water"),
        ("has_clean_fuel", "Clean fuel"),
    ):
        yield Feature(name, label, "flag", "", (), "household"), _taken_flags(households[name], at)


def local(known: Register, people: pd.DataFrame) -> Iterator[Built]:
    """The place, and whom the person belongs to."""
    households = known.households
    at = positions_among(people["household_id"], households["id"])
    area = _taken_ids(households["area_id"], at).fillna(people["area_id"].reset_index(drop=True))
    areas = known.areas
    rural = _taken_flags(areas["is_rural"], positions_among(area, areas["id"]))
    yield Feature("is_rural", "Lives in a rural place", "flag", "", (), "area"), rural
    for name, label, values in (
        ("household_id", "Household", people["household_id"]),
        ("area_id", "Area", area),
        ("worker_id", "Worker who usually visits", _taken_ids(households["worker_id"], at)),
    ):
        feature = Feature(name, label, "id", "", (), "area", for_models=False)
        yield feature, values.to_numpy()


def _taken(values: NDArray[np.float64], at: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.append(values, np.nan)[at]  # -1, not found, takes the appended one


def _taken_flags(values: pd.Series, at: NDArray[np.int64]) -> pd.Series:
    return values.reset_index(drop=True).reindex(at).reset_index(drop=True).array


def _taken_ids(values: pd.Series, at: NDArray[np.int64]) -> pd.Series:
    return values.reset_index(drop=True).reindex(at).reset_index(drop=True)
