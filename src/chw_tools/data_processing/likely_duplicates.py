"""Entries that may be one person twice: same sex, year of birth, place, and a like name.

Only a list to look at: nobody is merged by a rule. People are kept as a few numbers each,
so that a register of a million can be compared in memory.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from itertools import combinations, islice
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.data_processing.parsing import by_spelling

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Pairs named in a report; the rest are counted.
MOST_PAIRS = 200
# Letters that ears and clerks confuse, as in Soundex (US National Archives, 1918 patent),
# with r and l together, which many Bantu languages do not tell apart.
_SOUNDS = {
    letter: str(number)
    for number, letters in enumerate(("bfpvw", "cgjkqsxz", "dt", "lr", "mn"), start=1)
    for letter in letters
}


@dataclass(frozen=True)
class LikelyDuplicates:
    """What the comparison found.

    Parameters
    ----------
    n_compared : int
        People who have a name, a sex and a year of birth.
    n_pairs : int
        Pairs that may be one person.
    pairs : tuple of (str, str)
        The ids of the first of them.
    """

    n_compared: int
    n_pairs: int
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Likeness:
    """What is kept of the people read so far: keys, and hashes of what is compared."""

    people: tuple[pd.DataFrame, ...] = field(default=())
    households: tuple[pd.Series, ...] = field(default=())

    def with_people(self, people: pd.DataFrame) -> Likeness:
        """With some more people, in declared columns."""
        part = _compact(people)
        return Likeness((*self.people, part), self.households) if len(part) else self

    def with_households(self, households: pd.DataFrame) -> Likeness:
        """With some more households, which say in which area people live."""
        placed = households[households["area_id"].notna()]
        areas = pd.Series(_hashed(placed["area_id"]), index=_hashed(placed["id"]))
        return Likeness(self.people, (*self.households, areas))

    def find(self) -> LikelyDuplicates:
        """The pairs among all people so far."""
        if not self.people:
            return LikelyDuplicates(0, 0, ())
        people = pd.concat(self.people, ignore_index=True).drop_duplicates("id", keep="last")
        people["place"] = self._places(people)
        blocks = people.groupby(["who", "place"], sort=False)["id"]
        sizes = blocks.transform("size")
        n_pairs = int((sizes - 1).sum() // 2)
        likely = people[sizes > 1].sort_values(["who", "place", "id"], kind="stable")
        return LikelyDuplicates(len(people), n_pairs, _pairs(likely))

    def _places(self, people: pd.DataFrame) -> pd.Series:
        place = people["area"]
        if self.households:
            areas = pd.concat(self.households)
            areas = areas[~areas.index.duplicated(keep="last")]
            at_home = areas.reindex(people["household"], fill_value=0).to_numpy()
            place = place.mask(place == 0, pd.Series(at_home, index=people.index))
        # Without a village the exact day of birth must do in its place.
        return place.mask(place == 0, people["born"])


def sound_of(name: str) -> str:
    """A key under which spellings of one name meet, in any script.

    >>> sound_of("Fatuma") == sound_of("Fatouma"), sound_of("Mariam") == sound_of("Martha")
    (True, False)
    """
    plain = unicodedata.normalize("NFKD", name.casefold())
    letters = [letter for letter in plain if letter.isalpha()]
    key = letters[:1]
    for letter in letters[1:]:
        sound = _SOUNDS.get(letter, "" if letter.isascii() else letter)
        if sound and sound != key[-1]:
            key.append(sound)
    return "".join(key)


def _compact(people: pd.DataFrame) -> pd.DataFrame:
    is_named = people["given_name"].notna() | people["family_name"].notna()
    people = people[is_named & people["born_on"].notna() & (people["sex"] != "unknown")]
    # Registers differ in which name comes first.
    names = np.sort([_sounds(people["given_name"]), _sounds(people["family_name"])], axis=0)
    year = people["born_on"].dt.year.astype("str")
    who = people["sex"].to_numpy(dtype=object) + "|" + year.to_numpy(dtype=object)
    return pd.DataFrame(
        {
            "id": people["id"].to_numpy(),
            "who": pd.util.hash_array(who + "|" + names[0] + "|" + names[1]),
            "area": _hashed(people["area_id"]),
            "household": _hashed(people["household_id"]),
            "born": people["born_on"].to_numpy().astype("int64").astype("uint64"),
        }
    )


def _sounds(names: pd.Series) -> NDArray[np.object_]:
    sounds: NDArray[np.object_] = by_spelling(names.fillna(""), sound_of).to_numpy()
    return sounds


def _hashed(ids: pd.Series) -> NDArray[np.uint64]:
    """A number for each id; 0 where there is none."""
    hashed: NDArray[np.uint64] = pd.util.hash_array(ids.fillna("").to_numpy(dtype=object))
    hashed[ids.isna().to_numpy()] = 0
    return hashed


def _pairs(likely: pd.DataFrame) -> tuple[tuple[str, str], ...]:
    pairs: list[tuple[str, str]] = []
    for _, ids in likely.groupby(["who", "place"], sort=False)["id"]:
        # Of a block of many (everybody "born on 1 January") no more than are shown.
        pairs += islice(combinations(ids, 2), MOST_PAIRS - len(pairs))
        if len(pairs) >= MOST_PAIRS:
            break
    return tuple(pairs)
