"""The cheapest remedy is named first; chance is not drift; nothing unsettled is judged."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from chw_tools.model_evaluation import compute_drift, compute_metrics, summarise_inputs
from chw_tools.model_evaluation.calibration import compute_logit, compute_probability
from chw_tools.model_evaluation.drift import compute_input_drift, compute_psi


def _period(seed, n=6_000):
    generator = np.random.default_rng(seed)
    age = generator.normal(50, 15, n)
    sex = generator.choice(["female", "male"], n)
    risks = compute_probability(-3 + 0.05 * (age - 50))
    inputs = pd.DataFrame(
        {
            "age": age,
            "sex": pd.Categorical(sex),
            "smokes": sex == "male",
            "visits": np.floor(age / 20),
        }
    )
    return generator, inputs, risks


def _kept(seed=1):
    generator, inputs, risks = _period(seed)
    labels = (generator.random(len(risks)) < risks).astype(float)
    metrics = compute_metrics(labels, risks, seed=1).rename_axis("name").reset_index()
    return json.loads(
        json.dumps({"metrics": metrics.to_dict("records"), "inputs": summarise_inputs(inputs)})
    )


@pytest.fixture(scope="module")
def kept():
    return _kept()


def _later(kept, truth, *, seed=2):
    generator, inputs, risks = _period(seed)
    labels = (generator.random(len(risks)) < truth(risks)).astype(float)
    return compute_drift(kept, labels=labels, risks=risks, inputs=inputs, seed=1)


def test_where_nothing_changed_nothing_is_advised(kept):
    drift = _later(kept, lambda risks: risks)
    assert "leave it be" in drift.advice
    change = drift.performance
    assert (change["change_low"] < 0).all()
    assert (change["change_high"] > 0).all()
    assert drift.matured_share == 1
    assert (drift.inputs["psi_excess"] < 0.01).all()
    assert (drift.inputs["moved"] == "").all()


@pytest.mark.parametrize(
    ("bend", "said"),
    [
        (lambda logit: logit + 0.7, "More events happen"),
        (lambda logit: logit - 0.7, "Fewer events happen"),
        (lambda logit: -1.2 + 0.6 * logit, "recalibrate slope"),
        (lambda logit: np.full_like(logit, -2.5), "The order is worse"),
    ],
)
def test_the_remedy_is_the_cheapest_that_mends_it(kept, bend, said):
    drift = _later(kept, lambda risks: compute_probability(bend(compute_logit(risks))))
    assert said in drift.advice
    assert next(iter(drift.performance.index)) == "calibration_in_the_large"


def test_unsettled_outcomes_are_not_judged_by(kept):
    generator, inputs, risks = _period(3)
    labels = (generator.random(len(risks)) < risks).astype(float)
    unsettled = labels.copy()
    unsettled[: len(labels) // 4] = np.nan
    drift = compute_drift(
        kept, labels=unsettled, risks=risks, inputs=inputs, seed=1, groups=np.arange(6_000) // 3
    )
    part = slice(len(labels) // 4, None)
    alone = compute_metrics(labels[part], risks[part], seed=1, n_resamples=0)
    assert drift.performance.loc["auc", "current"] == pytest.approx(alone.loc["auc", "value"])
    assert drift.matured_share == 0.75


def test_the_index_less_chance_is_about_nothing_where_nothing_moved():
    psi, excess = [], []
    for seed in range(40):
        generator = np.random.default_rng(seed)
        before = pd.DataFrame({"x": generator.normal(size=800)})
        after = pd.DataFrame({"x": generator.normal(size=600)})
        row = compute_input_drift(summarise_inputs(before), after).iloc[0]
        psi.append(row["psi"])
        excess.append(row["psi"] - row["psi_by_chance"])
    assert row["psi_by_chance"] == pytest.approx(9 * (1 / 800 + 1 / 600))
    assert np.mean(psi) == pytest.approx(9 * (1 / 800 + 1 / 600), rel=0.2)
    assert abs(np.mean(excess)) < 0.005


def test_a_shift_a_new_level_and_gaps_are_seen():
    generator, before, _ = _period(1)
    _, after, _ = _period(2)
    after["age"] += 25
    after["sex"] = np.where(generator.random(len(after)) < 0.4, "other", after["sex"].astype(str))
    after["smokes"] = after["smokes"].astype(object).where(generator.random(len(after)) < 0.7, None)
    found = compute_input_drift(summarise_inputs(before), after).set_index("input")
    assert found.loc["age", "moved"] == "much"
    assert "much" in found.loc["sex", "moved"]
    assert found.loc["smokes", "moved"] == "missing more often"
    assert found.loc["smokes", "missing_current"] == pytest.approx(0.3, abs=0.03)
    assert found.loc["smokes", "missing_change_low"] > 0.2
    back = compute_input_drift(summarise_inputs(after), before).set_index("input")
    assert back.loc["smokes", "moved"] == "missing less often"


def test_a_small_shift_moves_somewhat():
    _, before, _ = _period(1)
    _, after, _ = _period(2)
    found = compute_input_drift(summarise_inputs(before), after.assign(age=after["age"] + 6))
    assert found.set_index("input").loc["age", "moved"] == "somewhat"


def test_few_people_say_nothing_and_none_are_kept():
    _, inputs, _ = _period(1, n=499)
    summary = summarise_inputs(inputs)
    assert not any({"cuts", "levels", "shares"} & set(one) for one in summary)
    _, enough, _ = _period(1, n=500)
    assert compute_input_drift(summary, enough)["psi"].isna().all()
    assert compute_input_drift(summarise_inputs(enough), inputs)["psi"].isna().all()
    assert compute_input_drift(summarise_inputs(enough), enough[["sex"]])["input"].tolist() == [
        "sex"
    ]
    assert summarise_inputs(enough.iloc[:0])[0]["missing"] == 0


def test_a_model_that_was_never_judged_has_no_reference(kept):
    generator, inputs, risks = _period(2)
    labels = (generator.random(len(risks)) < risks).astype(float)
    drift = compute_drift({}, labels=labels, risks=risks, inputs=inputs, seed=1)
    assert drift.performance["reference"].isna().all()
    assert drift.inputs.empty


def test_an_empty_bin_counts_as_half_a_person():
    one = compute_psi(np.array([1.0, 0.0]), np.array([0.5, 0.5]), n=1000, m=1000)
    assert one == pytest.approx(-0.5 * np.log(0.5) + (0.5 - 0.0005) * np.log(0.5 / 0.0005))


def test_a_flag_is_the_same_however_it_is_stored_and_its_shift_is_seen():
    generator = np.random.default_rng(1)
    before = pd.DataFrame({"smokes": generator.random(2_000) < 0.03})
    same = before.assign(smokes=before["smokes"].astype("boolean").astype("Float64"))
    assert compute_input_drift(summarise_inputs(before), same)["psi"].iloc[0] == 0
    more = pd.DataFrame({"smokes": (generator.random(2_000) < 0.3).astype(float)})
    assert compute_input_drift(summarise_inputs(before), more)["moved"].iloc[0] == "much"


def test_a_bin_that_is_empty_in_both_periods_does_not_count():
    heaped = pd.DataFrame({"n": np.append(np.zeros(900), np.arange(1, 101))})
    row = compute_input_drift(summarise_inputs(heaped), heaped).iloc[0]
    assert row["psi"] == 0
    assert row["psi_by_chance"] == pytest.approx(1 * 2 / 1000)  # two bins hold somebody
