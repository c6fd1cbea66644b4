"""Code groups: every code means what it should, once, and however it is written."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chw_tools.records.codes import ATC, CHW, ICD10, ICD10CM, RXNORM, SNOMED
from chw_tools.records.condition_groups import distinct_codes, group_members, load_code_groups

GROUPS = load_code_groups()


@pytest.mark.parametrize(
    ("system", "code", "groups"),
    [
        (ICD10, "I10", {"hypertension"}),
        (ICD10CM, "i11.0", {"hypertension", "heart_failure"}),
        (ICD10, "E119", {"diabetes"}),
        (ICD10, "O24.4", {"gestational_diabetes"}),
        (ICD10, "O24.1", {"diabetes"}),
        (ICD10, "O10.0", {"hypertension_in_pregnancy"}),
        (ICD10, "I1", set()),
        (ICD10, "D64.9", {"anaemia"}),
        (ICD10, "D45", set()),
        (SNOMED, "44054006", {"diabetes"}),
        (SNOMED, "440540", set()),
        (ICD10, "44054006", set()),
        (SNOMED, "I10", set()),
        ("", "", set()),
    ],
)
def test_a_code_means_its_groups_and_no_others(system, code, groups):
    assert {
        name for name, group in GROUPS.conditions.items() if group.holds(system, code)
    } == groups


def test_a_group_is_a_code_of_its_own_name():
    for name, group in {**GROUPS.conditions, **GROUPS.medicines}.items():
        assert group.holds(CHW, name)
        assert group.holds(CHW, name.replace("_", "-"))


def test_no_exact_code_stands_in_two_groups():
    for groups in (GROUPS.conditions, GROUPS.medicines):
        codes = [code for group in groups.values() for code in group.exact]
        assert len(codes) == len(set(codes))


def test_medicines_are_known_by_prefix_or_code_and_treat_known_conditions():
    assert GROUPS.medicines["antihypertensive"].holds(ATC, "C09AA02")
    assert GROUPS.medicines["diabetes_medicine"].holds(RXNORM, "860975")
    assert not GROUPS.medicines["statin"].holds(ATC, "C10AB04")
    for group in GROUPS.medicines.values():
        assert group.treats
        assert set(group.treats) <= set(GROUPS.conditions)


CODES = st.sampled_from(
    [(ICD10, "I10"), (ICD10, "E11.9"), (SNOMED, "38341003"), (SNOMED, "1"), (None, "I10")]
)


@settings(max_examples=25, deadline=None)
@given(st.lists(CODES, max_size=12))
def test_members_are_as_asked_one_by_one(pairs):
    systems = pd.Series([s for s, _ in pairs], dtype="str")
    codes = pd.Series([c for _, c in pairs], dtype="str")
    members = group_members(GROUPS.conditions.values(), systems, codes)
    for name, group in GROUPS.conditions.items():
        assert members[name].tolist() == [group.holds(s or "", c) for s, c in pairs]


def test_distinct_codes_number_the_rows():
    systems, codes = pd.Series(["a", "b", "a"]), pd.Series(["1", "1", "1"])
    number, of_system, of_code = distinct_codes(systems, codes)
    assert number.tolist() == [0, 1, 0]
    assert (of_system, of_code) == (["a", "b"], ["1", "1"])
    assert np.array_equal(distinct_codes(systems[:0], codes[:0])[0], [])
