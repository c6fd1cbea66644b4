"""The report says what it must: population, baselines, subgroups, truth, and no person."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from chw_tools.model_evaluation import (
    About,
    compute_drift,
    compute_stability,
    evaluate,
    summarise_inputs,
    write_card,
    write_report,
)
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


class _Seen(HTMLParser):
    """Pictures, headings and links of a page, as somebody who does not see it meets them."""

    def __init__(self):
        super().__init__()
        self.images, self.headings, self.targets, self.links = [], [], set(), []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag == "img":
            self.images.append(found)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if "id" in found:
            self.targets.add(found["id"])
        if tag == "a":
            self.links.append(found["href"])


def test_the_page_stands_alone_and_escapes_what_it_is_given(files):
    page = files["report.html"].decode()
    assert "&lt;within&gt;" in page
    assert "<within>" not in page
    for outside in ('src="http', "<script", "<link", "@import", "url("):
        assert outside not in page


def test_every_picture_is_on_the_page_whole_and_in_words(files):
    seen = _Seen()
    seen.feed(files["report.html"].decode())
    pictures = {name: content for name, content in files.items() if name.endswith(".png")}
    held = [base64.b64decode(image["src"].split(",", 1)[1]) for image in seen.images]
    assert sorted(held) == sorted(pictures.values())
    for image in seen.images:
        assert len(image["alt"]) > 30
    in_markdown = set(re.findall(r"!\[.+\]\((.+?)\)", files["report.md"].decode()))
    assert in_markdown == set(pictures)


def test_headings_follow_one_another_and_links_lead_somewhere(files):
    seen = _Seen()
    seen.feed(files["report.html"].decode())
    assert seen.headings[0] == 1
    assert seen.headings.count(1) == 1
    assert (np.diff(seen.headings) <= 1).all()
    assert {link.removeprefix("#") for link in seen.links} <= seen.targets


def test_what_it_beats_and_what_it_does_not_comes_first(files):
    opening = files["report.md"].decode().split("\n## ")[0]
    assert "Orders people better than the same risk for everybody" in opening
    assert "of all events are found by a list of the 10%" in opening
    assert "may be shown to people" in opening or "may not be shown to people" in opening


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
    assert "Orders people worse than age alone" in (
        write_report(useless, _about())["report.md"].decode()
    )
    good = write_report(evaluation, _about())["report.md"].decode()
    assert "Not shown to order people better" not in good


def test_the_truth_is_the_most_a_model_can_reach(evaluation):
    truth = evaluation.truth
    assert truth.loc["auc", "truth"] >= truth.loc["auc", "model"]
    assert truth.loc["rank_correlation", "model"] == pytest.approx(1.0)
    assert 0.9 < truth.loc["net_benefit_reached", "model"] <= 1
    curve = evaluation.truth_curve
    assert curve["n"].sum() == 2_000
    assert np.abs(curve["mean_truth"] - (curve["mean_risk"] - 0.01) / 0.9).max() < 1e-9


def test_a_truth_that_is_known_of_nobody_is_left_out():
    labels = np.repeat([0.0, 1.0], 20)
    judged = evaluate(labels, np.linspace(0.1, 0.9, 40), seed=1, truth=np.full(40, np.nan))
    assert judged.truth is None
    assert judged.truth_curve is None
    assert judged.recall_threshold is None
    assert "too few events" in write_report(judged, _about())["report.md"].decode()


def test_machines_find_what_promotion_is_decided_by(files, evaluation):
    read = json.loads(files["metrics.json"])
    assert read["ece_null_p95"] == pytest.approx(evaluation.chance.p95)
    assert {"value", "low", "high"} <= set(read["metrics"][0])
    group = read["subgroups"][0]
    assert {"observed_to_expected_low", "observed_to_expected_high", "n_events"} <= set(group)
    assert {"auc_gain_low", "recall_gain_low", "auc"} <= set(read["comparisons"][1])
    assert read["recall_threshold"]["target"] == 0.9


def test_changes_since_training_and_the_list_over_days_are_told_where_they_are_known(evaluation):
    generator = np.random.default_rng(8)
    inputs = pd.DataFrame({"age": generator.normal(50, 10, 2_000), "sex": ["f", "m"] * 1_000})
    labels = (generator.random(2_000) < 0.3).astype(float)
    risks = np.full(2_000, 0.1) + generator.uniform(0, 0.05, 2_000)
    kept = {"metrics": json.loads(_records(evaluation)), "inputs": summarise_inputs(inputs)}
    drift = compute_drift(
        kept, labels=labels, risks=risks, inputs=inputs.assign(age=inputs["age"] + 20), seed=1
    )
    days = {d: pd.Series(generator.random(50), [f"p{i}" for i in range(50)]) for d in "ab"}
    written = write_report(
        replace(evaluation, drift=drift, stability=compute_stability(days)), _about()
    )
    page = written["report.md"].decode()
    assert "What changed since it was trained" in page
    assert drift.advice in page
    assert {"drift.png", "stability.png"} <= set(written)
    assert json.loads(written["metrics.json"])["drift"]["advice"] == drift.advice


def _records(evaluation):
    return evaluation.metrics.rename_axis("name").reset_index().to_json(orient="records")


def test_the_card_tells_what_was_changed_by_hand_and_what_competes():
    about = replace(_about(), edits=("Flattened age above 80, by A.",), competing_events=("death",))
    card = write_card(about, None)
    assert "Flattened age above 80" in card
    assert "Competing events: death" in card
    assert "- n rows: 10" in card


def test_a_card_without_a_judgement_says_so():
    assert "may not be approved" in write_card(_about(), None)
