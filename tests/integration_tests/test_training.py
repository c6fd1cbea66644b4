"""From a simulated register, and from public data, to a kept, judged and used model."""

from __future__ import annotations

import importlib.util
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from chw_tools.errors import ModelRefused
from chw_tools.feature_engineering import build_features
from chw_tools.feature_engineering.outcomes import last_known_day
from chw_tools.model_evaluation import METRICS, write_report
from chw_tools.model_registry import ModelRegistry, save_report
from chw_tools.model_training import choose_index_days, make_cohorts, run_training
from chw_tools.programme import load_programme
from chw_tools.programme.outcomes import load_outcomes
from chw_tools.risk_prediction import estimate_risk

_ROOT = Path(__file__).resolve().parents[2]
_AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def simulated():
    from chw_tools.testing import simulate_programme

    return simulate_programme(people=1_500, seed=11)


@pytest.fixture(scope="module")
def definition():
    return load_outcomes()["hospital_admission_180d"]


@pytest.fixture(scope="module")
def run(simulated, definition):
    register = simulated.register
    days = choose_index_days(last_known_day(register), definition)
    return run_training(
        make_cohorts(register, definition, index_days=days),
        definition=definition,
        recipe="additive",
        seed=1,
        population="simulated",
        source="simulated programme",
    )


def test_training_is_split_by_person_and_by_time(run):
    facts = run.model.trained_on
    assert facts["is_temporal_split"]
    assert max(facts["trained_as_of"]) < facts["judged_as_of"]
    assert run.evaluation.n_events > 0
    assert "age_only" in run.evaluation.comparisons.index


def test_what_later_days_bring_does_not_reach_earlier_cohorts(simulated, definition):
    register = simulated.register
    last = last_known_day(register)
    day = choose_index_days(last, definition)[0]
    later = make_cohorts(register, definition, index_days=[day, day + pd.Timedelta(days=180)])
    alone = make_cohorts(register, definition, index_days=[day])
    first = (later.as_of == day).to_numpy()
    pd.testing.assert_frame_equal(later.features.frame[first], alone.features.frame)
    pd.testing.assert_series_equal(later.labels[first], alone.labels)


def test_the_kept_model_scores_the_register_with_reasons(run, simulated, tmp_path):
    registry = ModelRegistry(tmp_path / "trained_models")
    version = registry.next_version(run.model.outcome)
    report = write_report(run.evaluation, run.about(version))
    registry.save_model(run.model, version=version, created_at=_AT, report=report, probe=run.probe)
    folder = save_report(
        tmp_path / "model_evaluation", outcome=run.model.outcome, version=version, report=report
    )
    assert json.loads((folder / "metrics.json").read_text())["population"] == "simulated"
    people = set(simulated.register.people["id"])
    text = b"".join(p.read_bytes() for p in folder.iterdir() if p.suffix != ".png").decode()
    assert not any(person in text for person in people)
    register = simulated.register
    features = build_features(register, as_of=last_known_day(register))
    model = registry.load_model(run.model.outcome)
    bands = load_programme().bands_for(run.model.outcome)
    risks = estimate_risk(model, features, bands=bands, population="simulated")
    with pytest.raises(ModelRefused):
        estimate_risk(model, features, bands=bands, population="real")
    estimated = risks[risks["state"] == "estimated"]
    assert len(estimated) > 1_000
    assert estimated["risk"].between(0, 1).all()
    assert estimated["reasons"].map(len).gt(0).mean() > 0.9


@pytest.mark.parametrize("script", ["train_model", "complex_model"])
def test_the_two_scripts_of_the_brief_run_on_the_mock_data(script, tmp_path, capsys):
    spec = importlib.util.spec_from_file_location(script, _ROOT / f"{script}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    quick = {"grid": module.QUICK_GRID} if script == "complex_model" else {}
    folder = module.main(_ROOT / "data/raw/mock_data.csv", tmp_path, **quick)
    said = capsys.readouterr().out
    assert "AUC" in said
    assert "proves the plumbing" in said
    assert (folder / "model.skops").is_file()
    name = "mock_model" if script == "train_model" else script
    frame = pd.read_csv(_ROOT / "data/raw/mock_data.csv")
    risks = ModelRegistry(tmp_path).load_model(name).predict(frame)
    event = frame["target_column"] == 1
    assert risks[event].mean() > risks[~event].mean()


def test_the_full_grid_is_that_of_the_brief():
    from chw_tools import FULL_BOOSTING_GRID

    assert FULL_BOOSTING_GRID == {
        "model__n_estimators": (100, 200, 300),
        "model__learning_rate": (0.05, 0.1, 0.2),
        "model__max_depth": (3, 4, 5),
    }


@pytest.mark.shared
@pytest.mark.parametrize(("outcome", "least_auc"), [("death_5y", 0.82), ("diabetes", 0.76)])
def test_nhanes_goes_from_file_to_judged_model(shared, outcome, least_auc):
    from chw_tools.exchange import load_mapping, open_intake
    from chw_tools.records import load_catalogue
    from chw_tools.workflows.ingest import read_register

    records = open_intake(
        shared / "data/nhanes_2009_2012_mortality2019.csv.gz",
        mapping=load_mapping(_ROOT / "examples/nhanes_2009_2012.toml"),
    )
    register, _ = read_register(
        records=[records], catalogue=load_catalogue(), today=date(2026, 1, 1)
    )
    definition = load_outcomes()[outcome]
    cohorts = make_cohorts(
        register,
        definition,
        index_days=choose_index_days(last_known_day(register), definition),
    )
    names = {feature.name for feature in cohorts.features.declaration}
    if outcome == "diabetes":
        assert not names & {"has_diabetes", "cholesterol_mmol_l", "hba1c_percent", "hdl_mmol_l"}
    run = run_training(cohorts, definition=definition, recipe="logistic", seed=1, population="real")
    assert run.evaluation.metrics.loc["auc", "value"] > least_auc
    assert run.evaluation.metrics.loc["calibration_slope", "low"] < 1.05
    assert "validation over time was impossible" in " ".join(run.about("v1").caveats)
    assert "simulated" not in write_report(run.evaluation, run.about("v1"))["card.md"].decode()


def test_the_page_on_measures_has_the_words_of_each_measure():
    page = (_ROOT / "docs/model_evaluation.md").read_text(encoding="utf-8")
    for metric in METRICS:
        assert f"| {metric.label} | {metric.meaning} | {metric.better} |" in page
