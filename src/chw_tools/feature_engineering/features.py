"""The one feature builder: the register as known on a day, one row per person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from chw_tools.data_processing import as_known_on
from chw_tools.feature_engineering.care import conditions, medicines, pregnancy, visits
from chw_tools.feature_engineering.child_growth import child_growth
from chw_tools.feature_engineering.declaration import Features, assemble
from chw_tools.feature_engineering.observed import ADULT_YEARS, observed
from chw_tools.feature_engineering.people import age_years, domestic, likely_births, local, personal
from chw_tools.records.catalogue import Catalogue, load_catalogue
from chw_tools.records.condition_groups import load_code_groups

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from chw_tools.feature_engineering.declaration import Built
    from chw_tools.records.register import Register


def build_features(
    register: Register,
    *,
    as_of: pd.Timestamp,
    catalogue: Catalogue | None = None,
    person_ids: Collection[str] | None = None,
) -> Features:
    """One row per living person of the programme, as known on a day.

    Parameters
    ----------
    register : Register
        All that was recorded; what was not known on ``as_of`` is left out here.
    as_of : Timestamp
        The day.
    catalogue : Catalogue, optional
        What can be observed; the shipped one by default.
    person_ids : collection of str, optional
        Rows wanted. The register should then hold :func:`people_needed` for them, since the
        size of a household depends on who else is in it.

    Returns
    -------
    Features
        Indexed by ``person_id``, sorted. Those who died, moved away or were merged into
        another entry have no row. Missing means not known; nothing is filled in.

    Examples
    --------
    >>> from chw_tools.records import Register
    >>> len(build_features(Register.of(), as_of=pd.Timestamp("2024-05-01")).frame)
    0
    """
    known = as_known_on(register, as_of)
    return features_as_known(known, as_of=as_of, catalogue=catalogue, person_ids=person_ids)


def features_as_known(
    known: Register,
    *,
    as_of: pd.Timestamp,
    catalogue: Catalogue | None = None,
    person_ids: Collection[str] | None = None,
) -> Features:
    """The features of a register that already is as known on the day."""
    people = known.people
    here = people["died_on"].isna() & people["moved_on"].isna()
    people = people[here].sort_values("id").reset_index(drop=True)
    people["born_on"] = likely_births(people, as_of).astype("datetime64[s]")
    index = pd.Index(people["id"], name="person_id")
    features = assemble(_columns(known, people, index, as_of, catalogue), index, as_of)
    if person_ids is None:
        return features
    wanted = index[index.isin(list(person_ids))]
    return Features(features.frame.loc[wanted], features.declaration, as_of)


def _columns(
    known: Register,
    people: pd.DataFrame,
    index: pd.Index,
    as_of: pd.Timestamp,
    catalogue: Catalogue | None,
) -> Iterator[Built]:
    groups = load_code_groups()
    adult = age_years(people["born_on"].to_numpy(), as_of) >= ADULT_YEARS
    yield from personal(people, as_of)
    catalogue = catalogue or load_catalogue()
    yield from observed(known.observations, index, as_of, catalogue, adult)
    yield from child_growth(known.observations, people, as_of, catalogue)
    yield from conditions(known, index, as_of, groups.conditions)
    yield from medicines(known, index, as_of, groups.medicines)
    yield from pregnancy(known, index, as_of)
    yield from visits(known, index, as_of)
    yield from domestic(known, people, as_of)
    yield from local(known, people)


def people_needed(register: Register, person_ids: Collection[str]) -> list[str]:
    """Whose records are needed to build the features of some people.

    The people themselves, entries merged into them, and everyone in their households:
    ``build_features(register.of_people(people_needed(register, ids)), person_ids=ids, ...)``
    gives the same rows as the whole register does.
    """
    merges = register.person_changes[register.person_changes["change"] == "merged"]
    people = register.people
    needed = set(person_ids)
    while True:
        merged = merges.loc[merges["into_person_id"].isin(needed), "person_id"]
        into = merges.loc[merges["person_id"].isin(needed), "into_person_id"].dropna()
        homes = people.loc[people["id"].isin(needed), "household_id"].dropna()
        mates = people.loc[people["household_id"].isin(homes), "id"]
        grown = needed.union(merged, into, mates)
        if grown == needed:
            return sorted(needed)
        needed = grown
