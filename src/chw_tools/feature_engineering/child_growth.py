"""Growth features of children under five, from their latest measurements.

Weight and height count together only where they were measured on one day. A z-score is of
the day of measuring: its sex, its age, its swollen feet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from chw_tools.feature_engineering.declaration import Built, Feature
from chw_tools.feature_engineering.growth import compute_growth_z
from chw_tools.feature_engineering.lookup import positions_among
from chw_tools.records.codes import LOINC, Code
from chw_tools.records.condition_groups import distinct_codes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from chw_tools.feature_engineering.growth import Indicator
    from chw_tools.records.catalogue import Catalogue

    Numbers = NDArray[np.float64]

#: The length measured lying, which the catalogue counts as a height; any other code of
#: height does not tell how the child was measured.
_LYING = (LOINC, "8306-3")
#: Feature, label, indicator, what must be measured on the day.
_FEATURES: tuple[tuple[str, str, Indicator, tuple[str, ...]], ...] = (
    ("weight_for_age_z", "Weight for age", "weight_for_age", ("weight_kg",)),
    ("height_for_age_z", "Length or height for age", "height_for_age", ("height_cm",)),
    (
        "weight_for_height_z",
        "Weight for length or height",
        "weight_for_height",
        ("weight_kg", "height_cm"),
    ),
    ("bmi_for_age_z", "BMI for age", "bmi_for_age", ("weight_kg", "height_cm")),
    ("muac_for_age_z", "Arm for age", "muac_for_age", ("muac_cm",)),
    ("head_for_age_z", "Head for age", "head_for_age", ("head_circumference_cm",)),
)
_MEASURES = ("weight_kg", "height_cm", "muac_cm", "head_circumference_cm")


class MeasuredDays(NamedTuple):
    """Days on which a child was measured, by child, oldest first."""

    child: NDArray[np.int64]  # place among the people
    day: NDArray[np.datetime64]
    measures: dict[str, Numbers]  # the four measures, "lying" and "oedema"


def child_growth(
    observations: pd.DataFrame, people: pd.DataFrame, as_of: pd.Timestamp, catalogue: Catalogue
) -> Iterator[Built]:
    """z-scores by the WHO growth standards, each with the days since it was measured.

    Parameters
    ----------
    observations : DataFrame
        As known on the day.
    people : DataFrame
        The people in question, in order.
    as_of : Timestamp
        The day.
    catalogue : Catalogue
        What can be observed.

    Notes
    -----
    Only children under five on ``as_of`` are judged. A z-score that cannot be true is left
    out, and ``growth_is_implausible`` says that a measurement should be repeated.
    """
    from chw_tools.feature_engineering.people import age_months

    young = ~np.isnan(age_months(people["born_on"].to_numpy(), as_of))
    days = measured_days(observations, people["id"], young, catalogue)
    doubtful = pd.array([pd.NA] * len(people), dtype="boolean")
    for name, label, indicator, needed in _FEATURES:
        z, since, wrong = _latest(days, people, as_of, indicator, needed)
        judged = ~np.isnan(since)
        doubtful[judged] = doubtful[judged].fillna(False) | wrong[judged]
        yield (
            Feature(name, f"{label}, z-score", "number", "SD", (), "growth"),
            z,
        )
        yield (
            Feature(
                f"{name}_days_since", f"Days since: {label}", "number", "days", (), "growth", False
            ),
            since,
        )
    yield (
        Feature("growth_is_implausible", "A measurement cannot be true", "flag", group="growth"),
        doubtful,
    )


def _latest(
    days: MeasuredDays,
    people: pd.DataFrame,
    as_of: pd.Timestamp,
    indicator: Indicator,
    needed: tuple[str, ...],
) -> tuple[Numbers, Numbers, NDArray[np.bool_]]:
    """z of each child's latest day with all that is needed, days since, and if it is wrong."""
    n = len(people)
    z, since, wrong = np.full(n, np.nan), np.full(n, np.nan), np.zeros(n, dtype=bool)
    whole = np.logical_and.reduce([~np.isnan(days.measures[name]) for name in needed])
    last = _last_of_each(days.child, np.flatnonzero(whole))
    child = days.child[last]
    born = people["born_on"].to_numpy().astype("datetime64[D]")[child]
    found = compute_growth_z(
        indicator,
        sex=people["sex"].to_numpy(dtype=object)[child],
        age_days=(days.day[last] - born).astype("float64"),
        measure=days.measures[needed[0]][last],
        stature_cm=days.measures["height_cm"][last],
        lying=days.measures["lying"][last],
        oedema=days.measures["oedema"][last],
    )
    # WHO gives two decimals, and decides by them.
    z[child] = np.round(found.valid, 2)
    since[child] = np.subtract(np.datetime64(as_of.date(), "D"), days.day[last]).astype("float64")
    wrong[child] = ~np.isnan(found.z) & ~found.is_plausible
    since[np.isnan(z) & ~wrong] = np.nan
    return z, since, wrong


def _last_of_each(child: NDArray[np.int64], rows: NDArray[np.intp]) -> NDArray[np.intp]:
    here = child[rows]
    last: NDArray[np.intp] = rows[np.append(here[1:] != here[:-1], True)[: len(rows)]]
    return last


def measured_days(
    observations: pd.DataFrame, ids: pd.Series, young: NDArray[np.bool_], catalogue: Catalogue
) -> MeasuredDays:
    """Every day on which a young child was measured, with what was measured.

    Parameters
    ----------
    observations : DataFrame
        As known on the day.
    ids : Series of str
        Keys of the people, whose places the answer names.
    young : ndarray of bool
        Whose measurements are wanted.
    catalogue : Catalogue
        What can be observed.
    """
    rows = _rows(observations, ids, young, catalogue)
    keys = ["child", "day"]
    wide = rows.pivot_table("value", index=keys, columns="name", aggfunc="last", observed=True)
    table = wide.reindex(columns=[*_MEASURES, "lying", "oedema"])
    index = table.index
    return MeasuredDays(
        index.get_level_values("child").to_numpy(dtype="int64"),
        index.get_level_values("day").to_numpy().astype("datetime64[D]"),
        {name: table[name].to_numpy(dtype="float64") for name in table},
    )


def _rows(
    observations: pd.DataFrame, ids: pd.Series, young: NDArray[np.bool_], catalogue: Catalogue
) -> pd.DataFrame:
    """child, day, name, value of the readings wanted; of one day the later id last."""
    wanted = {
        pair: entry.name
        for pair, entry in catalogue.by_code().items()
        if entry.name in (*_MEASURES, "oedema")
    }
    some = observations[observations["code"].isin([code for _, code in wanted])]
    child = positions_among(some["person_id"], ids)
    is_young = (child >= 0) & np.append(young, False)[child]
    some, child = some[is_young], child[is_young]
    number, systems, codes = distinct_codes(some["system"], some["code"])
    pairs = [Code(system, code) for system, code in zip(systems, codes, strict=True)]
    oedema = some["value_code"].map({"yes": 1.0, "no": 0.0}).to_numpy(dtype="float64")
    measured = some["value_number"].to_numpy(dtype="float64", na_value=np.nan)
    name = np.array([wanted.get(pair) for pair in pairs], dtype="O")[number]
    rows = pd.DataFrame(
        {
            "child": child,
            "day": some["observed_on"].to_numpy().astype("datetime64[s]"),
            "name": name,
            "value": np.where(name == "oedema", oedema, measured),
            "lying": np.array([pair == _LYING for pair in pairs], dtype=bool)[number],
            "id": some["id"].to_numpy(dtype=object),
        }
    )
    rows = rows[rows["name"].notna() & rows["value"].notna()].sort_values(["child", "day", "id"])
    # Only the height that counts tells how the child was measured.
    heights = rows[rows["name"] == "height_cm"]
    heights = heights.drop_duplicates(["child", "day"], keep="last")
    position = heights[heights["lying"]].assign(name="lying", value=1.0)
    return pd.concat([rows, position], ignore_index=True).drop(columns=["lying", "id"])
