"""Every gate can fail; what may be overridden is recorded; what may not, stays shut."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chw_tools.errors import ModelRefused
from chw_tools.model_registry import approve_model
from chw_tools.model_registry.gates import _sample_size
from chw_tools.model_training.sample_size import compute_sample_size

_LATER = datetime(2026, 2, 2, tzinfo=UTC)
_BY = {"by": "Dr Achieng", "at": _LATER}
_NAMES = [
    "files",
    "parity",
    "population",
    "report",
    "calibration",
    "subgroups",
    "baseline",
    "net_benefit",
    "sample_size",
]


def _states(registry, **given):
    return {gate.name: gate.state for gate in registry.check_gates("fall", "v1", **given)}


def test_a_good_model_passes_every_gate(registry, keep):
    keep()
    gates = registry.check_gates("fall", "v1")
    assert [gate.name for gate in gates] == _NAMES
    assert all(gate.state == "pass" for gate in gates)
    assert all(gate.figure for gate in gates)


def _not_calibrated(metrics):
    metrics["probability"] = {"shown": False, "why": "The numbers did not fit."}


def _never_judged(metrics):
    metrics.clear()


def _off_in_women(metrics):
    metrics["subgroups"][0] |= {
        "observed_to_expected": 1.4,
        "observed_to_expected_low": 1.2,
        "observed_to_expected_high": 1.6,
    }


def _no_better_than_age(metrics):
    metrics["comparisons"][2]["auc"] = 0.79


def _nothing_to_compare(metrics):
    metrics["comparisons"] = metrics["comparisons"][:1]


def _difference_reaches_nought(metrics):
    metrics["comparisons"][2] |= {"auc_gain": 0.02, "auc_gain_low": -0.001}


def _no_benefit(metrics):
    metrics["metrics"][1] |= {"value": 0.0, "low": -0.01}


def _benefit_by_luck(metrics):
    metrics["metrics"][1] |= {"value": 0.02, "low": -0.01}


def _only_few(metrics):
    for group in metrics["subgroups"]:
        group["is_few"] = True


@pytest.mark.parametrize(
    ("spoil", "name", "said"),
    [
        (_not_calibrated, "calibration", "did not fit"),
        (_never_judged, "calibration", "never judged"),
        (_off_in_women, "subgroups", "Sex female: 1.40"),
        (_never_judged, "subgroups", "no subgroup"),
        (_no_better_than_age, "baseline", "does not beat age_only"),
        (_nothing_to_compare, "baseline", "no plain model"),
        (_difference_reaches_nought, "baseline", "age_only"),
        (_no_benefit, "net_benefit", "0.0000"),
        (_benefit_by_luck, "net_benefit", "at the least -0.0100"),
        (_only_few, "subgroups", "too few events to tell"),
    ],
)
def test_each_gate_can_fail_with_its_figure_and_its_cure(
    registry, keep, good_metrics, spoil, name, said
):
    spoil(good_metrics)
    keep(metrics=good_metrics)
    gate = {gate.name: gate for gate in registry.check_gates("fall", "v1")}[name]
    assert gate.state == "fail"
    assert said in gate.figure
    assert gate.cure
    with pytest.raises(ModelRefused, match=name):
        approve_model(registry, "fall", "v1", **_BY)
    assert registry.history("fall") == []


def test_the_size_of_the_training_is_judged_by_what_the_training_said():
    assert _sample_size("").state == "not_reported"
    assert _sample_size("Trained on 9,000 people: enough (Riley 2020).").state == "pass"
    assert _sample_size("Trained on 400 people: too few (Riley 2020).").state == "fail"


def test_the_words_are_those_of_the_training():
    needed = compute_sample_size(0.1, n_parameters=20)
    assert _sample_size(needed.describe(100)).state == "fail"
    assert _sample_size(needed.describe(1_000_000)).state == "pass"


def test_a_paired_difference_above_nought_is_enough(registry, keep, good_metrics):
    _no_better_than_age(good_metrics)
    good_metrics["comparisons"][2] |= {"auc_gain": 0.01, "auc_gain_low": 0.002}
    keep(metrics=good_metrics)
    assert _states(registry)["baseline"] == "pass"


def test_few_events_in_a_subgroup_do_not_stop_a_model(registry, keep):
    keep()
    gate = {gate.name: gate for gate in registry.check_gates("fall", "v1")}["subgroups"]
    assert "1 more with too few events" in gate.figure


def test_treating_all_may_be_better_than_the_model(registry, keep, good_metrics):
    good_metrics |= {"n_events": 2000, "threshold": 0.1}
    keep(metrics=good_metrics)
    assert _states(registry)["net_benefit"] == "fail"


def test_a_model_of_simulated_people_is_never_approved_for_real_ones(registry, keep):
    keep()
    assert _states(registry, population="real")["population"] == "fail"
    with pytest.raises(ModelRefused, match="population"):
        approve_model(registry, "fall", "v1", population="real", **_BY)
    with pytest.raises(ModelRefused, match="nobody may override population"):
        approve_model(
            registry, "fall", "v1", population="real", despite=["population"], why="!", **_BY
        )


def test_a_changed_file_shuts_its_gate_for_good(registry, keep):
    folder = keep()
    (folder / "card.md").write_text("# Better")
    assert _states(registry)["files"] == "fail"
    for despite in ([], ["files"], ["parity"]):
        with pytest.raises(ModelRefused):
            approve_model(registry, "fall", "v1", despite=despite, why="!", **_BY)


def test_an_override_needs_a_reason_and_is_recorded(registry, keep, good_metrics):
    _not_calibrated(good_metrics)
    keep(metrics=good_metrics)
    with pytest.raises(ModelRefused, match="needs a reason"):
        approve_model(registry, "fall", "v1", despite=["calibration"], **_BY)
    with pytest.raises(ModelRefused, match="calibration"):
        approve_model(registry, "fall", "v1", despite=["subgroups"], why="not this one", **_BY)
    entry = approve_model(
        registry, "fall", "v1", despite=["calibration"], why="bands are enough", **_BY
    )
    assert (entry.stage, entry.despite, entry.why) == (
        "approved",
        ("calibration",),
        "bands are enough",
    )
    decision = registry.history("fall")[0]
    assert decision.gates["calibration"]["state"] == "fail"
    assert decision.population == "simulated"


def test_files_that_cannot_be_read_are_not_called_lacking(registry, keep, good_metrics):
    folder = keep(metrics=good_metrics)
    (folder / "card.md").write_text("changed")
    report = next(g for g in registry.check_gates("fall", "v1") if g.name == "report")
    assert report.state == "fail"
    assert "lacks" not in report.figure
