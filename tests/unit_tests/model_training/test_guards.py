"""An input that was known only later, or that is the answer, is found and named."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from chw_tools.errors import LeakFound, NotTrainable
from chw_tools.feature_engineering import Feature, Features, build_features
from chw_tools.model_training import (
    Cohorts,
    check_known_at,
    check_no_answer,
    check_trainable,
    choose_index_days,
    make_cohorts,
    run_training,
)
from chw_tools.model_training.guards import (
    compute_telling,
    find_differing,
    with_later,
    without_later,
)
from chw_tools.programme import load_outcomes

DAY = pd.Timestamp("2024-07-09").as_unit("s")
_N = 600


@pytest.fixture
def drawn():
    rng = np.random.default_rng(4)
    happened = rng.random(_N) < 0.2
    return rng, happened


def _features(**columns) -> Features:
    index = pd.Index([f"p{i}" for i in range(_N)], name="person_id")
    frame = pd.DataFrame(columns).set_axis(index)
    declared = tuple(Feature(name, name, "number") for name in columns)
    return Features(frame, declared, DAY)


# ------------------------------------------------------------------ known too late


def test_every_column_rests_on_what_was_known_by_the_day(small_register):
    """No column changes with later rows, column by column: dropped, or told otherwise."""
    given = build_features(small_register, as_of=DAY).frame
    for changed in (without_later(small_register, DAY), with_later(small_register, DAY)):
        built = build_features(changed, as_of=DAY).frame
        for name in given:
            pd.testing.assert_series_equal(given[name], built[name])


def test_the_register_told_again_later_would_change_columns_had_it_been_known(small_register):
    """The planted rows do reach the features of the next day: the guard can fail."""
    later = DAY + pd.Timedelta(days=1)
    given = build_features(small_register, as_of=later).frame
    told = build_features(with_later(small_register, DAY), as_of=later).frame
    differing = set(find_differing(given, told))
    assert {"systolic_mmhg", "n_active_medicines", "gravidity", "weight_kg"} <= differing


def test_a_feature_from_the_future_is_named(small_register):
    sound = build_features(small_register, as_of=DAY)
    check_known_at(small_register, sound)
    ahead = build_features(small_register, as_of=DAY + pd.Timedelta(days=200)).frame
    late = ahead["n_visits_365d"].reindex(sound.frame.index)
    kept = sound.frame.drop(columns="n_visits_365d")
    frame = pd.concat([kept, late, pd.Series(1.0, kept.index, name="invented")], axis=1)
    with pytest.raises(LeakFound, match="invented, n_visits_365d"):
        check_known_at(small_register, dataclasses.replace(sound, frame=frame))


# ------------------------------------------------------------------ the answer itself


@pytest.mark.parametrize(
    "plant",
    [
        lambda rng, y: y.astype(float),
        lambda rng, y: 5.0 - 2.0 * y,
        lambda rng, y: np.where(y, rng.normal(0, 0.1, _N), rng.normal(0, 9.0, _N).round() * 7 + 3),
        lambda rng, y: np.where(y, 1.0, np.nan),  # known only of those it befell
        lambda rng, y: np.where(y, "yes", "no"),
        lambda rng, y: pd.array(y, dtype="boolean"),
        lambda rng, y: rng.uniform(0, 1, _N) + 3.0 * y,
    ],
)
def test_a_planted_answer_is_found_and_named(drawn, plant):
    rng, happened = drawn
    features = _features(age_years=rng.uniform(20, 80, _N), planted=plant(rng, happened))
    with pytest.raises(LeakFound, match=r"fall: planted alone.*exclude_features"):
        check_no_answer(features, pd.Series(happened), outcome="fall")
    check_no_answer(features, pd.Series(happened), trusted=("planted",))


@pytest.mark.parametrize(
    "fair",
    [
        lambda rng, y: rng.normal(2.2 * y, 1.0),  # an AUC of 0.94
        lambda rng, y: np.where(rng.random(_N) < 0.95, y, ~y).astype(float),
        lambda rng, y: np.array([f"name {i}" for i in range(_N)], dtype=object),
        lambda rng, y: np.arange(_N, dtype=float),
        lambda rng, y: rng.integers(0, 300, _N).astype(str),
        lambda rng, y: np.full(_N, np.nan),
    ],
)
def test_strong_and_strange_inputs_pass(drawn, fair):
    rng, happened = drawn
    features = _features(fair=fair(rng, happened))
    check_no_answer(features, pd.Series(happened))


def test_with_few_events_a_perfect_order_may_be_chance():
    happened = np.arange(100) < 19
    assert compute_telling(pd.Series(happened.astype(float)), happened) == 0.5


def test_rows_without_a_label_are_not_asked(drawn):
    rng, happened = drawn
    labels = pd.Series(pd.array(happened, dtype="boolean"))
    labels[:300] = pd.NA
    told = rng.normal(0, 1, _N)
    told[:300] = happened[:300]  # where no label is known it may be anything
    check_no_answer(_features(told=told), labels)


def test_training_refuses_a_planted_future_column(drawn):
    rng, happened = drawn
    features = _features(age_years=rng.uniform(20, 80, _N), seen_after=happened.astype(float))
    index = features.frame.index
    cohorts = Cohorts(
        outcome="fall",
        features=features,
        labels=pd.Series(happened, index, dtype="boolean"),
        as_of=pd.Series(DAY, index),
        households=pd.Series(index, index, dtype="str"),
        judged_by=pd.DataFrame(index=index),
        horizon_days=0,
    )
    definition = dataclasses.replace(load_outcomes()["diabetes"], name="fall")
    with pytest.raises(LeakFound, match="seen_after"):
        run_training(
            cohorts, definition=definition, recipe="logistic", seed=1, population="simulated"
        )


def test_what_a_formula_foresees_is_not_trained():
    outcomes = load_outcomes()
    with pytest.raises(NotTrainable, match=r"cardiovascular_10y.*who_cvd.*chw score --with"):
        check_trainable(outcomes["cardiovascular_10y"])
    check_trainable(outcomes["diabetes"])


# ------------------------------------------------------------------ rows of visits


def test_rows_of_visits_are_settled_before_judging_begins(small_register):
    definition = load_outcomes()["missed_follow_up"]
    last = pd.Timestamp("2025-12-31").as_unit("s")
    days = choose_index_days(last, definition)
    assert days[-1] + pd.Timedelta(days=definition.settle_days) == last
    cohorts = make_cohorts(small_register, definition, index_days=days)
    periods = sorted(cohorts.periods.unique())
    assert len(periods) == 5
    judged = (cohorts.periods == periods[-1]).to_numpy()
    assert cohorts.settled_on[~judged].max() <= cohorts.as_of[judged].min()
    assert (cohorts.as_of <= cohorts.settled_on).all()
    assert "settled only after judging begins" in cohorts.describe_counts()
    assert cohorts.counts["n"].sum() >= len(cohorts.labels)


def test_a_row_of_many_decision_days_is_the_row_of_its_own_day(small_register):
    definition = load_outcomes()["missed_follow_up"]
    days = choose_index_days(pd.Timestamp("2025-12-31").as_unit("s"), definition)[-3:]
    many = make_cohorts(small_register, definition, index_days=days)
    day = days[1]
    alone = make_cohorts(small_register, definition, index_days=[day])
    mine = (many.as_of == day).to_numpy()
    pd.testing.assert_frame_equal(many.features.frame[mine], alone.features.frame)
    pd.testing.assert_series_equal(many.labels[mine], alone.labels)
    pd.testing.assert_series_equal(many.subjects[mine], alone.subjects)
    whole = build_features(small_register, as_of=day).frame.loc[alone.features.frame.index]
    pd.testing.assert_frame_equal(whole[list(alone.features.frame)], alone.features.frame)
