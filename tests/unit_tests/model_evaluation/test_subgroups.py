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


def test_it_is_what_fairlearn_measures():
    from fairlearn.metrics import MetricFrame
    from sklearn.metrics import precision_score, recall_score, roc_auc_score

    generator = np.random.default_rng(2)
    sex = generator.choice(["female", "male"], 800)
    risks = generator.beta(1, 5, 800)
    labels = (generator.random(800) < risks).astype(int)
    ours = compute_subgroups(
        labels.astype(float), risks, pd.DataFrame({"sex": sex}), threshold=0.2, seed=1
    ).set_index("group")
    called = (risks >= 0.2).astype(int)
    counted = MetricFrame(
        metrics={"recall": recall_score, "precision": precision_score},
        y_true=labels,
        y_pred=called,
        sensitive_features=sex,
    )
    ordered = MetricFrame(
        metrics={
            "auc": roc_auc_score,
            "observed_to_expected": lambda happened, risk: happened.sum() / risk.sum(),
        },
        y_true=labels,
        y_pred=risks,
        sensitive_features=sex,
    )
    for frame in (counted, ordered):
        for name, theirs in frame.by_group.items():
            assert ours.loc[theirs.index, name].to_numpy() == pytest.approx(theirs.to_numpy())
    reference = ours.index[ours["is_reference"]][0]
    (other,) = set(ours.index) - {reference}
    gap = abs(ours.loc[other, "auc_difference"])
    assert gap == pytest.approx(ordered.difference(method="between_groups")["auc"])
    ratio = ours.loc[other, "observed_to_expected_ratio"]
    theirs = ordered.ratio(method="between_groups")["observed_to_expected"]
    assert min(ratio, 1 / ratio) == pytest.approx(theirs)


def test_a_difference_between_groups_has_an_interval_and_the_largest_none():
    generator = np.random.default_rng(0)
    sex = np.repeat(["female", "male"], [3_000, 2_500])
    risks = generator.beta(2, 8, 5_500)
    true = np.where(sex == "male", np.minimum(1, 2 * risks), risks)
    labels = (generator.random(5_500) < true).astype(float)
    table = compute_subgroups(
        labels, risks, pd.DataFrame({"sex": sex}), threshold=0.3, seed=1
    ).set_index("group")
    assert table.loc["female", "is_reference"]
    assert np.isnan(table.loc["female", "auc_difference"])
    assert table.loc["male", "observed_to_expected_ratio_low"] > 1.5
    assert table.loc["male", "observed_to_expected_ratio_high"] < 2.5
    low, high = table.loc["male", ["auc_difference_low", "auc_difference_high"]]
    assert low < table.loc["male", "auc_difference"] < high


def test_small_areas_are_judged_together():
    generator = np.random.default_rng(1)
    areas = np.repeat([f"area-{i:02d}" for i in range(12)], np.arange(60, 0, -5))
    labels = (generator.random(len(areas)) < 0.4).astype(float)
    table = compute_subgroups(
        labels, np.full(len(areas), 0.4), pd.DataFrame({"area": areas}), threshold=0.5, seed=1
    )
    assert set(table["by"]) == {"Area"}
    assert table["group"].tolist() == [f"area-{i:02d}" for i in range(8)] + ["smaller areas"]
    assert table["n"].sum() == len(areas)
    few = compute_subgroups(
        labels[:20], np.full(20, 0.4), pd.DataFrame({"area": ["x"] * 20}), threshold=0.5, seed=1
    )
    assert few["group"].tolist() == ["x"]


def test_no_groups_give_an_empty_table():
    assert compute_subgroups(
        np.array([0.0, 1.0]),
        np.array([0.1, 0.2]),
        pd.DataFrame(index=range(2)),
        threshold=0.1,
        seed=1,
    ).empty
