"""Experiments are read honestly: published counts, coverage, early looks, uneven arms."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from chw_tools.outreach.experiment_results import compare, read_results, srm_probability
from chw_tools.outreach.experiments import SEEN, Arm, Experiment
from chw_tools.outreach.messages import HOLDOUT
from chw_tools.records import conform
from chw_tools.records.contacting import EXPOSURES

TRIAL = Experiment(
    "t",
    "Do reminders help?",
    "visit_reminder",
    (Arm("reminded", 0.5), Arm(HOLDOUT, 0.5, withholds=("reminders",))),
    SEEN,
    14,
    400,
    date(2026, 1, 1),
)
BEGIN = pd.Timestamp("2026-01-01")
END = pd.Timestamp("2026-03-01")


def test_the_published_reminder_trial_comes_out():
    # Return to care 26.5 % against 20.7 % of 12,708 overdue people, equal arms assumed.
    n = 12708 // 2
    found = compare((round(0.265 * n), n), (round(0.207 * n), n))
    ratio = found.risk_ratio
    assert round(ratio.value, 2) == 1.28
    assert (round(ratio.low, 2), round(ratio.high, 2)) == (1.20, 1.36)
    assert found.z == pytest.approx(7.7, abs=0.05)
    assert found.p < 1e-13


@pytest.mark.parametrize(("share", "share_other", "n", "n_other"), [(0.26, 0.2, 450, 150)])
def test_intervals_cover_the_truth_in_93_of_100_trials(share, share_other, n, n_other):
    rng = np.random.default_rng(7)
    ratio = difference = 0
    for events, other in zip(
        rng.binomial(n, share, 2000), rng.binomial(n_other, share_other, 2000), strict=True
    ):
        found = compare((int(events), n), (int(other), n_other))
        ratio += found.risk_ratio.low <= share / share_other <= found.risk_ratio.high
        difference += found.difference.low <= share - share_other <= found.difference.high
    assert 0.93 <= ratio / 2000 <= 0.97
    assert 0.93 <= difference / 2000 <= 0.97


def test_looking_often_raises_no_false_alarm_where_the_design_is_sequential():
    rng = np.random.default_rng(11)
    alarms = {"sequential": 0, "fixed": 0}
    n_trials, looks = 150, range(60, 601, 60)
    for _ in range(n_trials):
        counts = (rng.random((2, 600)) < 0.3).cumsum(axis=1)
        for design in alarms:
            told = [
                compare(
                    (int(counts[0, n - 1]), n), (int(counts[1, n - 1]), n),
                    design=design, n_planned=1200,
                ).difference
                for n in looks
            ]  # fmt: skip
            alarms[design] += any(not one.low <= 0 <= one.high for one in told)
    assert alarms["sequential"] <= 0.05 * n_trials
    # What is to be read once and is read at every look cries wolf: the reason for two designs.
    assert alarms["fixed"] > 0.12 * n_trials


def test_a_sequential_reading_has_no_p_and_nothing_is_estimated_from_nothing():
    found = compare((30, 100), (20, 100), design="sequential")
    assert found.p is None
    assert found.risk_ratio.low < 1.5 < found.risk_ratio.high
    for counts, against in (((0, 100), (20, 100)), ((5, 100), (0, 100)), ((0, 0), (1, 2))):
        empty = compare(counts, against)
        assert empty.risk_ratio is None
        assert empty.difference is None


def exposed(n=400, share=0.5, day=BEGIN):
    arms = np.where(np.arange(n) < n * share, "reminded", HOLDOUT)
    people = [f"p{i:04d}" for i in range(n)]
    rows = {"dedupe_key": people, "experiment": "t", "person_id": people, "arm": arms}
    return conform(EXPOSURES, pd.DataFrame({**rows, "exposed_on": day}))


def events_of(people, days_after=5):
    on = BEGIN + pd.Timedelta(days=days_after)
    return pd.DataFrame({"person_id": people, "on": on})


def of_arm(rows, arm, n):
    return rows.loc[rows["arm"] == arm, "person_id"].head(n).tolist()


def test_everybody_counts_as_drawn_and_beside_it_as_received():
    rows = exposed()
    events = events_of(of_arm(rows, "reminded", 80) + of_arm(rows, HOLDOUT, 40))
    got = of_arm(rows, "reminded", 100)
    found = read_results(TRIAL, rows, events, as_of=END, treated=got)
    (drawn,) = found.comparisons
    assert (drawn.events, drawn.n, drawn.events_against, drawn.n_against) == (80, 200, 40, 200)
    assert drawn.risk_ratio.value == pytest.approx(2.0)
    (received,) = found.per_protocol
    assert (received.events, received.n, received.n_against) == (80, 100, 200)


@pytest.mark.parametrize(("days", "counts"), [(0, 0), (1, 1), (14, 1), (15, 0)])
def test_only_the_window_declared_counts(days, counts):
    rows = exposed()
    found = read_results(TRIAL, rows, events_of(["p0000"], days), as_of=END)
    assert found.arms[0].events == counts


def test_whose_window_is_not_over_does_not_count_yet():
    found = read_results(
        TRIAL, exposed(), events_of(["p0000"]), as_of=BEGIN + pd.Timedelta(days=13)
    )
    assert [arm.n_mature for arm in found.arms] == [0, 0]
    assert [arm.n_exposed for arm in found.arms] == [200, 200]


def test_a_fixed_design_is_not_read_before_its_number_and_a_sequential_one_is():
    rows = exposed(398)
    events = events_of(of_arm(rows, "reminded", 80) + of_arm(rows, HOLDOUT, 40))
    early = read_results(TRIAL, rows, events, as_of=END)
    assert not early.is_final
    assert not early.comparisons
    assert "398 of 400" in early.note
    looked = read_results(replace(TRIAL, design="sequential"), rows, events, as_of=END)
    assert looked.is_final
    assert looked.comparisons[0].p is None


def test_uneven_arms_stop_the_reading():
    rows = exposed(share=0.6)
    found = read_results(TRIAL, rows, events_of(["p0000"]), as_of=END)
    assert found.is_srm
    assert found.srm_p < 0.001
    assert not found.comparisons
    assert srm_probability([200, 200], [0.5, 0.5]) == pytest.approx(1.0)
    assert srm_probability([0, 0], [0.5, 0.5]) == 1.0
    assert srm_probability([215, 185], [0.5, 0.5]) > 0.001
