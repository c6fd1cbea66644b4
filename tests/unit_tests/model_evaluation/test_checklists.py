"""Every item stands in its checklist once, is answered from facts, or is left to people."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from chw_tools.model_evaluation import About, evaluate
from chw_tools.model_evaluation.checklist_items import (
    PROBAST_DEVELOPMENT,
    PROBAST_EVALUATION,
    TRIPOD,
)
from chw_tools.model_evaluation.checklists import (
    BY_PROGRAMME,
    find_answers,
    write_probast_ai,
    write_tripod_ai,
)

_ABOUT = About(
    "fall",
    "A fall",
    "additive",
    "v1",
    "additive",
    "simulated",
    source="the simulator",
    intended_use="visits",
    not_for="insurance",
    caveats=("One district.",),
    trained_on={
        "n_events": 200,
        "n_people": 2000,
        "parameters": {"depth": 3},
        "calibrated_on": "one fold",
        "data_digest": "0" * 64,
        "is_temporal_split": True,
        "trained_as_of": ["2024-01-01"],
        "judged_as_of": "2024-07-01",
    },
    competing_events=("moving away",),
    edits=("None.",),
    versions={"scikit-learn": "1.8"},
)


@pytest.fixture(scope="module")
def evaluation():
    generator = np.random.default_rng(1)
    risks = generator.beta(1, 8, 900)
    return evaluate(
        (generator.random(900) < risks).astype(float),
        risks,
        seed=1,
        judged_by=pd.DataFrame({"sex": ["f", "m", "f"] * 300}),
        groups=np.arange(900) // 3,
    )


def test_the_numbers_of_items_are_those_of_the_papers():
    assert sorted({int(re.match(r"\d+", item.number)[0]) for item in TRIPOD}) == list(range(1, 28))
    assert len(PROBAST_DEVELOPMENT) == 16
    assert len(PROBAST_EVALUATION) == 18
    for items in (TRIPOD, PROBAST_DEVELOPMENT, PROBAST_EVALUATION):
        assert len({item.number for item in items}) == len(items)
    for items in (PROBAST_DEVELOPMENT, PROBAST_EVALUATION):
        assert len({item.topic for item in items}) == 4


def test_every_fact_is_asked_for_and_every_question_asks_for_facts_there_are(evaluation):
    asked = {
        key
        for items in (TRIPOD, PROBAST_DEVELOPMENT, PROBAST_EVALUATION)
        for item in items
        for key in item.answers
    }
    assert asked >= set(find_answers(_ABOUT, evaluation))


def test_each_item_stands_on_one_line_with_an_answer_or_whose_it_is(evaluation):
    page = write_tripod_ai(_ABOUT, evaluation)
    for item in TRIPOD:
        (line,) = [line for line in page.splitlines() if line.startswith(f"| {item.number} |")]
        assert (BY_PROGRAMME in line) == (not item.answers or item.number == "23b")
    assert "BMJ 2024;385:e078378" in page
    assert "Simulated people" in page
    assert "moving away" in page
    bias = write_probast_ai(_ABOUT, evaluation)
    assert "BMJ 2025;388:e082505" in bias
    assert "to be confirmed" in bias
    assert sum(line.startswith(("| D", "| E")) for line in bias.splitlines()) == 34


def test_what_is_not_known_is_not_made_up():
    labels, risks = np.repeat([0.0, 1.0], 50), np.linspace(0.01, 0.6, 100)
    bare = About("fall", "A fall", "additive", "v1", "additive", "real")
    judged = evaluate(labels, risks, seed=1)
    known = find_answers(bare, judged)
    assert not {"use", "dates", "split", "fairness", "clustering", "updating", "edits"} & set(known)
    page = write_tripod_ai(bare, judged)
    (line,) = [line for line in page.splitlines() if line.startswith("| 5b |")]
    assert BY_PROGRAMME in line
    assert "Simulated" not in page
