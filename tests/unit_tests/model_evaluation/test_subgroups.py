"""Each group is judged on its own, none is left out, and small ones are marked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from chw_tools.model_evaluation.subgroups import FEW_EVENTS, compute_subgroups, name_groups


def test_a_fault_in_one_group_shows_in_that_group_only():
    generator = np.random.default_rng(0)
    sex = np.repeat(["female", "male"], 3_000)
    risks = generator.beta(2, 8, 6_000)
    true = np.where(sex == "male", np.minimum(1, 2 * risks), risks)  # men twice as likely
    labels = (generator.random(6_000) < true).astype(float)
    table = compute_subgroups(
        labels, risks, pd.DataFrame({"sex": sex}), threshold=0.3, seed=1
    ).set_index("group")
    assert table.loc["female", "observed_to_expected_low"] < 1
    assert table.loc["female", "observed_to_expected_high"] > 1
    assert table.loc["male", "observed_to_expected_low"] > 1.5


def test_everybody_stands_in_one_group_of_each_kind_and_the_unknown_in_their_own():
    labels = np.tile([0.0, 1.0], 100)
    judged_by = pd.DataFrame(
        {
            "age_years": np.append(np.linspace(0, 95, 199), np.nan),
            "wealth_fifth": pd.array([1, 2, 3, 5, None] * 40, dtype="Int64"),
            "is_rural": pd.array([True, False, None, True] * 50, dtype="boolean"),
        }
    )
    table = compute_subgroups(labels, np.full(200, 0.5), judged_by, threshold=0.5, seed=1)
    assert (table.groupby("by")["n"].sum() == 200).all()
    assert set(table.loc[table["group"] == "not known", "by"]) == {"Age", "Wealth fifth", "Rural"}


def test_few_events_are_marked_and_hardly_any_are_not_computed():
    labels = np.array([1.0] * 3 + [0.0] * 97 + [1.0] * 20 + [0.0] * 80)
    sex = pd.DataFrame({"sex": ["female"] * 100 + ["male"] * 100})
    risks = np.linspace(0.01, 0.6, 200)
    table = compute_subgroups(labels, risks, sex, threshold=0.5, seed=1).set_index("group")
    assert table["is_few"].all()
    assert FEW_EVENTS == 50
    assert np.isnan(table.loc["female", "auc"])
    assert not np.isnan(table.loc["male", "auc"])


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("age_years", 4.99, "0 to 4"),
        ("age_years", 5.0, "5 to 14"),
        ("facility_km", 12.0, "10 km and over"),
        ("wealth_fifth", 1.0, "1 (poorest)"),
        ("is_rural", False, "urban"),
        ("sex", "other", "other"),
    ],
)
def test_groups_have_names_that_a_reader_knows(name, value, expected):
    assert name_groups(name, pd.Series([value])).tolist() == [expected]
