"""The examples' public data go through the same reader, builder and training."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from chw_tools.exchange import load_mapping, open_intake
from chw_tools.feature_engineering import last_known_day
from chw_tools.model_training import choose_index_days, make_cohorts, run_training
from chw_tools.programme import load_outcomes
from chw_tools.records import load_catalogue
from chw_tools.workflows.ingest import read_register

_EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
pytestmark = pytest.mark.shared


def _cohorts(shared: Path, file: str, mapping: str, outcome: str):
    records = open_intake(
        shared / "data" / file, mapping=load_mapping(_EXAMPLES / f"{mapping}.toml")
    )
    register, _ = read_register(
        records=[records], catalogue=load_catalogue(), today=date(2026, 1, 1)
    )
    definition = load_outcomes(_EXAMPLES / "outcomes_of_surveys")[outcome]
    days = choose_index_days(last_known_day(register), definition)
    return definition, make_cohorts(register, definition, index_days=days)


def _inputs(run) -> set[str]:
    return {feature.name for feature in run.model.features}


def test_pregnancies_of_a_trial_are_foreseen_as_badly_as_baseline_data_allow(shared):
    definition, cohorts = _cohorts(
        shared, "opt_pregnancy_rct.csv.gz", "opt_pregnancy", "preterm_birth"
    )
    said = cohorts.describe_counts()
    # 103 of 814 pregnancies ended before 37 weeks; 82 of them in a live birth after enrolment.
    assert said.startswith("819 asked about: 82 with the outcome; 711 without; 17 something")
    assert "9 not observed" in said
    run = run_training(cohorts, definition=definition, recipe="logistic", seed=1, population="real")
    assert _inputs(run) <= {
        "age_years",
        "education",
        "bmi",
        "tobacco",
        "alcohol",
        "has_hypertension",
        "has_diabetes",
        "gravidity",
    }
    assert 0.35 < run.evaluation.metrics.loc["auc", "value"] < 0.75


def test_children_are_called_malnourished_by_the_rule_and_foreseen_by_age_sex_and_place(shared):
    definition, cohorts = _cohorts(
        shared,
        "mozambique_iof2019_child_anthropometry.csv",
        "mozambique_children",
        "acute_malnutrition",
    )
    assert cohorts.labels.sum() == 196
    run = run_training(cohorts, definition=definition, recipe="logistic", seed=1, population="real")
    assert _inputs(run) <= {"age_years", "age_months", "sex", "is_rural", "household_size"}
    assert 0.6 < run.evaluation.metrics.loc["auc", "value"] < 0.8


def test_repeated_rows_of_the_uci_file_come_as_they_are(shared):
    _, cohorts = _cohorts(
        shared, "uci863_maternal_health_risk.csv", "uci_maternal", "maternal_high_risk"
    )
    assert cohorts.labels.sum() == 272
    assert cohorts.features.frame.reset_index(drop=True).duplicated().sum() >= 500
