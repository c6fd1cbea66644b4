"""Measurements in order of days: one reading of a measure for each person and day."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from chw_tools.feature_engineering.child_growth import measured_days
from chw_tools.feature_engineering.growth import compute_growth_z
from chw_tools.programme.monitoring import WEIGHT_FOR_AGE
from chw_tools.records.codes import Code
from chw_tools.records.condition_groups import distinct_codes

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from chw_tools.monitoring.evidence import Days, Evidence, Places
    from chw_tools.records.catalogue import Catalogue

#: More than the days of any calendar here, so that person and day make one sortable number.
_MANY_DAYS = 1_000_000
_ERA = 500_000


class Readings(NamedTuple):
    """Values by place of the person and day, both rising; one a person and day."""

    place: Places
    day: Days
    value: NDArray[np.float64]


def read_measures(
    evidence: Evidence, names: Collection[str], catalogue: Catalogue
) -> Mapping[str, Readings]:
    """The readings of some measures of the catalogue, and of weight for age.

    Of two readings on one day that with the later ``id`` counts, of blood pressures too: how
    well a programme treats is told by where a day ended, while advice goes by its highest.
    """
    found = _observed(evidence, [name for name in names if name != WEIGHT_FOR_AGE], catalogue)
    if WEIGHT_FOR_AGE in names:
        found[WEIGHT_FOR_AGE] = _weight_for_age(evidence, catalogue)
    return found


def _observed(
    evidence: Evidence, names: Collection[str], catalogue: Catalogue
) -> dict[str, Readings]:
    rows = evidence.known.observations
    wanted = {pair: e.name for pair, e in catalogue.by_code().items() if e.name in set(names)}
    rows = rows[rows["code"].isin([code for _, code in wanted]) & rows["value_number"].notna()]
    number, systems, codes = distinct_codes(rows["system"], rows["code"])
    pairs = zip(systems, codes, strict=True)
    named = np.array([wanted.get(Code(*pair), "") for pair in pairs] or [""])
    place = evidence.place(rows["person_id"])
    return {
        name: _in_order(rows, place, np.isin(number, np.flatnonzero(named == name)))
        for name in names
    }


def _in_order(rows: pd.DataFrame, place: Places, which: NDArray[np.bool_]) -> Readings:
    at = np.flatnonzero(which & (place >= 0))
    day = rows["observed_on"].to_numpy()[at].astype("datetime64[D]").astype("int64")
    key = place[at] * _MANY_DAYS + day + _ERA
    order = np.argsort(key, kind="stable")
    at, key = at[order], key[order]
    last = np.append(key[1:] != key[:-1], True)[: len(key)]
    winner = at[last]
    tied = ~last
    tied[1:] |= ~last[:-1]
    if tied.any():
        # Only readings of one day are compared by id: sorting all ids would cost the most.
        several = pd.DataFrame({"key": key[tied], "id": rows["id"].to_numpy()[at[tied]]})
        best = (
            several.assign(at=at[tied])
            .sort_values(["key", "id"])
            .drop_duplicates("key", keep="last")
        )
        winner[np.searchsorted(key[last], best["key"].to_numpy())] = best["at"].to_numpy()
    value = rows["value_number"].to_numpy(dtype="float64")[winner]
    return Readings(place[winner], (key[last] % _MANY_DAYS - _ERA).astype("datetime64[D]"), value)


def _weight_for_age(evidence: Evidence, catalogue: Catalogue) -> Readings:
    """z-scores of weight for age of children under five on the day of each weighing."""
    people = evidence.people
    born = people["born_on"].to_numpy().astype("datetime64[D]")
    young = evidence.today - born < np.timedelta64(5 * 366, "D")
    days = measured_days(evidence.known.observations, evidence.people["id"], young, catalogue)
    weighed = ~np.isnan(days.measures["weight_kg"])
    child, day = days.child[weighed], days.day[weighed]
    found = compute_growth_z(
        "weight_for_age",
        sex=people["sex"].to_numpy(dtype=object)[child],
        age_days=(day - born[child]).astype("float64"),
        measure=days.measures["weight_kg"][weighed],
        oedema=days.measures["oedema"][weighed],
    )
    z = np.round(found.valid, 2)  # WHO gives two decimals, and decides by them
    known = ~np.isnan(z)
    return Readings(child[known], day[known].astype("datetime64[D]"), z[known])


class Newest(NamedTuple):
    """The newest ``k`` of each person's rows: who, and their row numbers, oldest first."""

    place: Places
    rows: NDArray[np.int64]  # person by k


def newest_of(place: Places, k: int) -> Newest:
    """The newest rows of whoever has so many, of rows in order of person and day."""
    last = np.flatnonzero(np.append(place[1:] != place[:-1], True)[: len(place)])
    rows = last[:, None] - np.arange(k - 1, -1, -1)
    first = np.maximum(rows[:, 0], 0)
    enough = (rows[:, 0] >= 0) & (place[first] == place[last])
    return Newest(place[last[enough]], rows[enough])
