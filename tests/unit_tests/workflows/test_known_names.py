"""Names as people write them: found in any case, refused with what is near."""

from __future__ import annotations

import pandas as pd
import pytest

from chw_tools.errors import InputError
from chw_tools.records import TABLES, conform
from chw_tools.resource_allocation.choice import Floor
from chw_tools.workflows.known_names import (
    find_floors,
    find_workers,
    people_names,
    with_names,
    worker_names,
)

KEYS = [f"00000000-0000-7000-8000-0000000000a{n}" for n in range(4)]
WORKERS = conform(
    TABLES["workers"],
    pd.DataFrame(
        {
            "id": KEYS,
            "name": ["Invented Akinyi", "Invented Otieno", " ", "invented otieno"],
            "source_id": ["W-1", "W-2", "W-3", None],
        }
    ),
)
AREAS = conform(TABLES["areas"], pd.DataFrame({"id": KEYS[:2], "name": ["Kambe", "Mombe"]}))


def test_a_worker_is_called_by_name_else_code_else_key():
    nameless = WORKERS.assign(name=None, source_id=None)
    assert list(worker_names(WORKERS).values())[:3] == ["Invented Akinyi", "Invented Otieno", "W-3"]
    assert worker_names(nameless)[KEYS[0]] == KEYS[0]


def test_workers_are_found_by_key_name_or_code_in_any_case():
    wanted = [KEYS[0], "invented  AKINYI", "w-1", "w-3"]
    assert find_workers(WORKERS, wanted, where="x") == [KEYS[0], KEYS[0], KEYS[0], KEYS[2]]
    assert find_workers(WORKERS, [], where="x") == []


@pytest.mark.parametrize(
    ("word", "what", "cure"),
    [
        ("Invented Akini", "no such worker", "Near to it: Invented Akinyi"),
        ("zzz", "no such worker", "There are Invented"),
        ("Invented Otieno", "2 are called so", "Give the key instead."),
    ],
)
def test_who_fits_nobody_or_two_is_refused_with_the_cure(word, what, cure):
    with pytest.raises(InputError) as refused:
        find_workers(WORKERS, [word], where="--worker")
    assert what in refused.value.what
    assert refused.value.cure.startswith(cure)
    assert refused.value.where == "--worker"


def test_where_there_is_nobody_that_is_said():
    with pytest.raises(InputError, match="There are none yet"):
        find_workers(WORKERS.iloc[:0], ["Akinyi"], where="--worker")


def test_an_area_of_a_floor_may_be_named_and_groups_must_exist():
    found = find_floors([Floor("area_id", "kambe", 3), Floor("sex", "female", 2)], AREAS)
    assert [(one.group, one.name, one.visits) for one in found] == [
        ("area_id", KEYS[0], 3),
        ("sex", "female", 2),
    ]
    assert find_floors([Floor("wealth_fifth", "5", 1)], AREAS)[0].name == "5"
    for group, name in (("area_id", "Kamb"), ("sex", "f"), ("wealth_fifth", "9")):
        with pytest.raises(InputError, match="there is no such"):
            find_floors([Floor(group, name, 1)], AREAS)


def test_keys_in_sentences_become_names_and_others_stay():
    assert with_names(f"worker {KEYS[0]}, {KEYS[1]}", {KEYS[0]: "Akinyi"}) == (
        f"worker Akinyi, {KEYS[1]}"
    )


def test_people_without_a_name_have_none():
    people = pd.DataFrame(
        {
            "id": ["a", "b", "c"],
            "given_name": ["Ama", None, None],
            "family_name": ["Ba", "Ce", None],
        }
    )
    assert people_names(people) == {"a": "Ama Ba", "b": "Ce"}
