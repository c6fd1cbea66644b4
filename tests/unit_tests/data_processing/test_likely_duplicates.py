"""Who may be one person twice: alike in name, sex, year of birth and place."""

from __future__ import annotations

import pandas as pd
import pytest

from chw_tools.data_processing.likely_duplicates import Likeness, sound_of
from chw_tools.records import TABLES, conform

FATUMA = {"given_name": "Fatuma", "family_name": "Mwangi", "sex": "female", "area_id": "v1",
          "born_on": pd.Timestamp("1990-05-01")}  # fmt: skip


def people(*rows: dict) -> pd.DataFrame:
    return conform(TABLES["people"], pd.DataFrame(list(rows)))


def pairs(*rows: dict, households=None):
    likeness = Likeness()
    if households is not None:
        likeness = likeness.with_households(conform(TABLES["households"], households))
    for row in rows:  # one batch each: the comparison is across batches
        likeness = likeness.with_people(people(row))
    return likeness.find().pairs


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"given_name": "FATOUMA"},
        {"given_name": "Mwangi", "family_name": "Fatuma"},
        {"born_on": pd.Timestamp("1990-11-30")},
        {"family_name": "Mwánge"},
    ],
)
def test_alike(other):
    assert pairs({"id": "a", **FATUMA}, {"id": "b", **FATUMA, **other}) == (("a", "b"),)


@pytest.mark.parametrize(
    "other",
    [
        {"given_name": "Mariam"},
        {"sex": "male"},
        {"area_id": "v2"},
        {"born_on": pd.Timestamp("1991-05-01")},
        {"born_on": pd.NaT},
        {"given_name": None, "family_name": None},
    ],
)
def test_not_alike(other):
    assert pairs({"id": "a", **FATUMA}, {"id": "b", **FATUMA, **other}) == ()


def test_the_village_may_come_from_the_household():
    households = pd.DataFrame({"id": ["h1", "h2", "h3"], "area_id": ["v1", "v1", "v2"]})
    rows = [{**FATUMA, "id": key, "area_id": None, "household_id": home}
            for key, home in [("a", "h1"), ("b", "h2"), ("c", "h3")]]  # fmt: skip
    assert pairs(*rows, households=households) == (("a", "b"),)
    mixed = [{**FATUMA, "id": "d"}, rows[0]]
    assert pairs(*mixed, households=households) == (("a", "d"),)


def test_without_a_village_the_day_of_birth_must_be_the_same():
    nowhere = {**FATUMA, "area_id": None}
    assert pairs({"id": "a", **nowhere}, {"id": "b", **nowhere}) == (("a", "b"),)
    later = {**nowhere, "born_on": pd.Timestamp("1990-05-02")}
    assert pairs({"id": "a", **nowhere}, {"id": "b", **later}) == ()


def test_every_pair_is_counted_and_nobody_is_a_pair_with_herself():
    likeness = Likeness()
    for key in ("a", "b", "c", "c"):
        likeness = likeness.with_people(people({"id": key, **FATUMA}))
    found = likeness.find()
    assert (found.n_compared, found.n_pairs) == (3, 3)
    assert set(found.pairs) == {("a", "b"), ("a", "c"), ("b", "c")}


@pytest.mark.parametrize(
    ("one", "other"),
    [("Wanjiru", "Wanjilu"), ("Joseph", "Jozef"), ("Émile", "Emile"), ("Catherine", "Cathrine")],
)
def test_spellings_of_one_name_sound_alike(one, other):
    assert sound_of(one) == sound_of(other)


def test_names_in_other_scripts_are_compared_letter_by_letter():
    assert sound_of("अनिता") != sound_of("सुनीता")
    assert sound_of("") == sound_of("123") == ""


def test_a_register_of_one_birthday_and_one_name_is_counted_and_not_spelt_out():
    one = people({"id": "a", **FATUMA})
    many = pd.concat([one] * 30_000, ignore_index=True)
    many["id"] = [f"p{n}" for n in range(len(many))]
    found = Likeness().with_people(many).find()
    assert found.n_compared == 30_000
    assert len(found.pairs) == 200
