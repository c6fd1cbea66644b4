"""Net benefit is that of the published R implementation, for every kind of data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from chw_tools.model_evaluation.net_benefit import (
    compute_event_share,
    compute_net_benefit,
    compute_survival_net_benefit,
    draw_net_benefit,
)
from chw_tools.model_evaluation.resampling import Resampling


def _people(n=600, seed=0):
    generator = np.random.default_rng(seed)
    risks = np.clip(generator.beta(1, 6, n), 0.001, 0.999)
    return (generator.random(n) < risks).astype(float), risks


def _published(shared, name):
    table = pd.read_csv(shared / "vectors/dca" / name)
    return table[table["threshold"] > 0]


def _compare(found, table, variable):
    rows = table[table["variable"] == variable]
    assert len(rows) == 99
    assert found["threshold"].to_numpy() == pytest.approx(rows["threshold"].to_numpy(), abs=1e-12)
    published = rows["net_benefit"].to_numpy()
    told = ~np.isnan(published)  # R tells nothing where all who are called had the event
    assert told.sum() > 70
    assert found["model"].to_numpy()[told] == pytest.approx(published[told], abs=1e-9)
    everybody = table[table["variable"] == "all"]["net_benefit"].to_numpy()
    assert found["everybody"].to_numpy() == pytest.approx(everybody, abs=1e-9)


def _thresholds(table):
    return table.loc[table["variable"] == "all", "threshold"].to_numpy()


@pytest.mark.shared
@pytest.mark.parametrize("name", ["r_case1_results.csv", "r_dca_famhistory.csv"])
def test_it_equals_r_for_yes_or_no_at_every_threshold_above_0(shared, name):
    people = pd.read_csv(shared / "vectors/dca/df_binary.csv")
    table = _published(shared, name)
    found = compute_net_benefit(
        people["cancer"].to_numpy(float),
        people["famhistory"].to_numpy(float),
        thresholds=_thresholds(table),
    )
    _compare(found, table, "famhistory")


@pytest.mark.shared
def test_it_equals_r_for_a_marker_that_a_logistic_regression_turned_into_risk(shared):
    from sklearn.linear_model import LogisticRegression

    people = pd.read_csv(shared / "vectors/dca/df_binary.csv")
    table = _published(shared, "r_simple_binary_dca_result_df.csv")
    labels, age = people["cancer"].to_numpy(float), people[["age"]].to_numpy()
    model = LogisticRegression(C=np.inf, tol=1e-12, max_iter=1000, solver="newton-cholesky")
    risks = model.fit(age, labels).predict_proba(age)[:, 1]
    found = compute_net_benefit(labels, risks, thresholds=_thresholds(table))
    _compare(found, table, "age")


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("r_case2_results.csv", "cancerpredmarker"),
        ("r_simple_surv_dca_result_df.csv", "famhistory"),
    ],
)
def test_it_equals_r_for_time_to_an_event(shared, name, variable):
    people = pd.read_csv(shared / "vectors/dca/df_surv.csv")
    table = _published(shared, name)
    share = table.loc[table["variable"] == "all", "pos_rate"].iloc[0]
    times, events = people["ttcancer"].to_numpy(), people["cancer"].to_numpy(bool)
    horizon = next(
        h
        for h in (1.0, 1.5, 2.0)
        if compute_event_share(times, events, horizon=h) == pytest.approx(share, abs=1e-12)
    )
    found = compute_survival_net_benefit(
        times,
        events,
        people[variable].to_numpy(float),
        thresholds=_thresholds(table),
        horizon=horizon,
    )
    _compare(found, table, variable)


@pytest.mark.shared
def test_cases_and_controls_count_as_in_the_population(shared):
    people = pd.read_csv(shared / "vectors/dca/df_case_control.csv")
    labels = people["casecontrol"].to_numpy(float)
    risks = people["cancerpredmarker"].to_numpy(float)
    thresholds = np.array([0.05, 0.2, 0.5])
    found = compute_net_benefit(labels, risks, thresholds=thresholds, prevalence=0.2)
    # The same people with cases repeated until a fifth are cases.
    cases, controls = int(labels.sum()), int((1 - labels).sum())
    rows = np.repeat(np.arange(len(labels)), np.where(labels == 1, controls, 4 * cases))
    repeated = compute_net_benefit(labels[rows], risks[rows], thresholds=thresholds)
    pd.testing.assert_frame_equal(found, repeated, rtol=1e-12)


def test_everybody_lost_before_the_event_or_followed_to_the_end():
    times = np.array([1.0, 2.0, 3.0, 4.0])
    risks = np.array([0.9, 0.6, 0.3, 0.1])
    events = np.array([True, True, False, False])
    # Followed to the end, time to the event is yes or no.
    thresholds = np.array([0.2, 0.5, 0.95])
    whole = compute_survival_net_benefit(times, events, risks, thresholds=thresholds, horizon=2.5)
    plain = compute_net_benefit(events.astype(float), risks, thresholds=thresholds)
    pd.testing.assert_frame_equal(whole, plain)
    assert np.isnan(compute_event_share(times, np.zeros(4, bool), horizon=9))
    assert compute_event_share(times, np.ones(4, bool), horizon=9) == 1


def test_calling_everybody_is_worth_the_prevalence_at_no_threshold():
    labels, risks = _people()
    found = compute_net_benefit(labels, risks, thresholds=np.array([1e-9]))
    assert found["everybody"].iloc[0] == pytest.approx(labels.mean())
    assert found["model"].iloc[0] == pytest.approx(labels.mean())


def test_the_band_holds_the_curve_and_a_useless_model_gains_nothing():
    labels, risks = _people()
    thresholds = np.linspace(0.05, 0.4, 8)
    drawn = Resampling(len(labels), seed=1)
    table = draw_net_benefit(labels, risks, drawn, thresholds=thresholds)
    pd.testing.assert_frame_equal(
        table[["threshold", "model", "everybody", "nobody"]],
        compute_net_benefit(labels, risks, thresholds=thresholds),
    )
    assert (table["low"] <= table["model"]).all()
    assert (table["model"] <= table["high"]).all()
    lot = np.random.default_rng(4).uniform(0, 0.5, len(labels))
    useless = draw_net_benefit(labels, lot, drawn, thresholds=thresholds)
    assert (useless["gain_low"] <= 0).all()
    assert (table["gain_low"] > 0).any()
