"""The report says what it must: population, baselines, subgroups, truth, and no person."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from chw_tools.model_evaluation import About, evaluate, write_card, write_report
from chw_tools.model_evaluation.card import SIMULATED


def _about(population="simulated"):
    return About(
        outcome="fall",
        label="A fall <within> 90 days",
        model="additive",
        version="v1",
        recipe="additive",
        population=population,
        intended_use="visits",
        not_for="insurance",
        caveats=("Split by person only.",),
        features=[{"name": "age_years", "label": "Age", "kind": "number", "unit": "a"}],
        trained_on={"n_rows": 10},
    )


@pytest.fixture(scope="module")
def evaluation():
    generator = np.random.default_rng(1)
    true = generator.beta(1, 8, 2_000)
    labels = (generator.random(2_000) < true).astype(float)
    return evaluate(
        labels,
        np.clip(true * 0.9 + 0.01, 0, 1),
        seed=1,
        name="additive",
        judged_by=pd.DataFrame({"sex": np.repeat(["female", "male"], 1_000)}),
        baselines={"prevalence": np.full(2_000, labels.mean())},
        truth=true,
    )


@pytest.fixture(scope="module")
def files(evaluation):
    return write_report(evaluation, _about())


def test_the_files_of_the_brief_are_there(files):
    assert {
        "evaluation_metrics.txt",
        "confusion_matrix.png",
        "roc_curve.png",
        "precision_recall_curve.png",
        "calibration.png",
        "metrics.json",
        "report.md",
        "report.html",
        "card.md",
    } <= set(files)
    for name, content in files.items():
        if name.endswith(".png"):
            assert content.startswith(b"\x89PNG")
            assert len(content) > 5_000


def test_simulated_people_are_named_as_such_everywhere(files, evaluation):
    for name in ("report.md", "report.html", "card.md", "evaluation_metrics.txt"):
        assert SIMULATED in files[name].decode()
    assert json.loads(files["metrics.json"])["population"] == "simulated"
    real = write_report(evaluation, _about("real"))
    assert SIMULATED not in real["report.md"].decode()


def test_the_page_stands_alone_and_escapes_what_it_is_given(files):
    page = files["report.html"].decode()
    assert "&lt;within&gt;" in page
    assert "<within>" not in page
    assert page.count("data:image/png;base64,") == 5
    for outside in ('src="http', "<script", "<link", "@import"):
        assert outside not in page


def test_the_numbers_in_json_are_those_of_the_evaluation(files, evaluation):
    read = json.loads(files["metrics.json"])
    by_name = {row["name"]: row for row in read["metrics"]}
    assert by_name["auc"]["value"] == pytest.approx(evaluation.metrics.loc["auc", "value"])
    assert sum(read["confusion"].values()) == read["n"] == 2_000
    assert {row["group"] for row in read["subgroups"]} == {"female", "male"}


def test_a_model_no_better_than_a_baseline_is_told_so(evaluation):
    generator = np.random.default_rng(3)
    labels = (generator.random(1_000) < 0.2).astype(float)
    useless = evaluate(
        labels,
        generator.uniform(0.1, 0.3, 1_000),
        seed=1,
        baselines={"age_only": np.where(labels == 1, 0.3, 0.2)},
    )
    assert "Not shown to order people better than age only" in (
        write_report(useless, _about())["report.md"].decode()
    )
    good = write_report(evaluation, _about())["report.md"].decode()
    assert "Not shown to order people better" not in good


def test_the_truth_is_the_most_a_model_can_reach(evaluation):
    truth = evaluation.truth
    assert truth.loc["auc", "truth"] >= truth.loc["auc", "model"]
    assert truth.loc["rank_correlation", "model"] == pytest.approx(1.0)


def test_a_card_without_a_judgement_says_so():
    assert "may not be approved" in write_card(_about(), None)
