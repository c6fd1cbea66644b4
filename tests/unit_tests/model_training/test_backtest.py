"""Nothing known later enters an earlier list, and a rule is what its name says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from chw_tools.errors import NotEnoughData
from chw_tools.feature_engineering import Feature, Features
from chw_tools.feature_engineering.outcomes import last_known_day
from chw_tools.model_evaluation import About, say_backtest, write_backtest_report
from chw_tools.model_training.backtest import (
    SIMPLE_RULES,
    _draw_households,
    _learn,
    backtest,
    choose_origins,
    cut_to_known,
    rank_by,
    rank_by_model,
    rank_most_overdue,
    rank_oldest,
)
from chw_tools.programme.outcomes import load_outcomes
from chw_tools.testing import simulate_programme


@pytest.fixture(scope="module")
def register():
    return simulate_programme(people=1_200, seed=5).register


@pytest.fixture(scope="module")
def definition():
    return load_outcomes()["hospital_admission_180d"]


@pytest.fixture(scope="module")
def origins(register, definition):
    last = last_known_day(register) - pd.Timedelta(days=60)
    return choose_origins(last, definition, n_origins=2)


@pytest.fixture(scope="module")
def tested(register, definition, origins):
    rules = {
        "random": SIMPLE_RULES["random"],
        "oldest": rank_oldest,
        "score": rank_by_model(lambda frame: frame["age_years"].astype(float).to_numpy() / 200),
    }
    return backtest(
        register, definition, recipe="logistic", seed=1, origins=origins, rules=rules, n_refits=2
    )


def _features(**columns):
    frame = pd.DataFrame(columns)
    declared = tuple(Feature(name, name, "number") for name in frame)
    return Features(frame, declared, pd.Timestamp("2024-01-01"))


def test_each_origin_and_rule_has_a_row_with_intervals(tested, origins):
    table = tested.table
    assert sorted(table["origin"].unique()) == [f"{day:%Y-%m-%d}" for day in origins]
    assert table["rule"].tolist()[:5] == ["logistic", "prevalence", "random", "oldest", "score"]
    assert len(table) == 10
    assert (table["auc_low"] <= table["auc"]).all()
    model = table[table["rule"] == "logistic"]
    assert (model["auc"] > 0.55).all()
    assert (model["n_trained_events"] >= 50).all()
    assert model["calibration_slope"].notna().all()
    assert table.loc[table["rule"] == "oldest", "brier"].isna().all()


def test_a_score_that_orders_by_age_finds_what_the_oldest_first_do(tested):
    by_rule = tested.table.set_index("rule")
    assert by_rule.loc["score", "auc"].tolist() == by_rule.loc["oldest", "auc"].tolist()
    assert by_rule.loc["score", "recall"].tolist() == by_rule.loc["oldest", "recall"].tolist()


def test_lists_of_consecutive_origins_and_of_refits_are_compared(tested, origins):
    assert len(tested.stability) == 1
    assert tested.stability["first"].iloc[0] == f"{origins[0]:%Y-%m-%d}"
    assert tested.refits["second"].tolist() == ["refit 1", "refit 2"]
    assert (tested.refits["retained"] > tested.refits["retained_by_chance"]).all()
    assert any("30 of reporting" in note for note in tested.notes)


def test_what_is_learnt_is_what_was_known(register, definition, origins):
    origin = origins[-1]
    learnt = _learn(register, definition, origin, 2, 30)
    alone = _learn(cut_to_known(register, origin), definition, origin, 2, 30)
    pd.testing.assert_frame_equal(learnt.features.frame, alone.features.frame)
    pd.testing.assert_series_equal(learnt.labels, alone.labels)
    gap = pd.Timedelta(days=definition.horizon_days + 30)
    assert learnt.as_of.max() + gap == origin
    assert learnt.as_of.nunique() == 2


def test_a_cut_register_holds_nothing_that_became_known_later(register, origins):
    cut = cut_to_known(register, origins[0])
    for name, frame in cut.tables():
        assert (frame["known_on"] <= origins[0]).all(), name
    assert 0 < len(cut.visits) < len(register.visits)


def test_an_outcome_reported_late_is_not_learnt_from(register, definition, origins):
    origin = origins[-1]
    after = origin + pd.Timedelta(days=1)
    held = {
        name: getattr(register, name).assign(known_on=after)
        for name in ("outcomes", "visits", "person_changes")
    }
    late = replace(register, people=register.people.assign(died_on=pd.NaT), **held)
    assert not _learn(late, definition, origin, 2, 30).labels.astype(bool).any()
    assert _learn(register, definition, origin, 2, 30).labels.astype(bool).any()


def test_households_drawn_again_stay_whole(register, definition, origins):
    learnt = _learn(register, definition, origins[0], 1, 30)
    drawn = _draw_households(learnt, seed=1)
    counts = drawn.households.value_counts()
    sizes = learnt.households.value_counts()
    assert ((counts % sizes.loc[counts.index]) == 0).all()
    assert 0.5 < counts.index.nunique() / sizes.index.nunique() < 0.75  # 1 - 1/e
    assert len(drawn.labels) == len(drawn.features.frame) == len(drawn.judged_by)


def test_rules_put_first_whom_their_name_says():
    features = _features(
        age_years=[30.0, np.nan, 80.0], days_since_visit=[10.0, np.nan, 200.0], bmi=[20.0, 30, 25]
    )

    def order(rule):
        return np.argsort(-rule(features, seed=1)).tolist()

    assert order(rank_oldest) == [2, 0, 1]
    assert order(rank_most_overdue) == [1, 2, 0]
    assert order(rank_by("bmi")) == [1, 2, 0]
    assert order(rank_by("bmi", lowest_first=True)) == [0, 2, 1]
    nothing = _features(age_years=[np.nan, np.nan], days_since_visit=[np.nan, np.nan])
    assert rank_oldest(nothing, seed=1).tolist() == [0, 0]
    assert rank_most_overdue(nothing, seed=1).tolist() == [0, 0]
    by_lot = SIMPLE_RULES["random"]
    assert by_lot(features, seed=1).tolist() == by_lot(features, seed=1).tolist()
    assert by_lot(features, seed=1).tolist() != by_lot(features, seed=2).tolist()


def test_a_status_and_a_short_record_are_refused(register, definition):
    with pytest.raises(NotEnoughData, match="no before and after"):
        choose_origins(pd.Timestamp("2025-01-01"), load_outcomes()["diabetes"])
    early = [pd.Timestamp("2023-02-01")]
    with pytest.raises(NotEnoughData, match="at no origin"):
        backtest(register, definition, recipe="logistic", seed=1, origins=early)


def test_an_origin_that_is_too_early_is_left_out_and_said(register, definition, origins):
    tested = backtest(
        register,
        definition,
        recipe="logistic",
        seed=1,
        origins=[pd.Timestamp("2023-02-01"), origins[-1]],
        rules={},
        n_refits=0,
    )
    assert set(tested.table["origin"]) == {f"{origins[-1]:%Y-%m-%d}"}
    assert tested.refits.empty
    assert tested.stability.empty
    assert any("2023-02-01 is left out" in note for note in tested.notes)
    about = About("a", "A", "logistic", "v1", "logistic", "real")
    files = write_backtest_report(
        tested.table, stability=tested.stability, refits=tested.refits, about=about
    )
    assert "stability.png" not in files
    assert "Simulated" not in files["report.md"].decode()


def test_the_report_says_what_was_found_beside_each_rule(tested):
    about = About("a", "An admission", "logistic", "v1", "logistic", "simulated", source="here")
    files = write_backtest_report(
        tested.table,
        stability=tested.stability,
        refits=tested.refits,
        about=about,
        notes=tested.notes,
    )
    page = files["report.md"].decode()
    assert "Simulated people" in page
    for line in say_backtest(tested.table):
        assert line in page
    assert files["backtest.csv"].decode().count("\n") == 11
    assert files["report.html"].decode().count("data:image/png") == 4
