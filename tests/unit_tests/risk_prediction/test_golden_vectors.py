"""The golden vectors: Python, and a phone's evaluator under node, give the same numbers."""

from __future__ import annotations

import importlib.resources
import json
import shutil
import subprocess
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest

from chw_tools.errors import ModelRefused
from chw_tools.feature_engineering import Features
from chw_tools.programme import RiskBands
from chw_tools.risk_prediction import (
    check_signature,
    estimate_risk,
    public_key_of,
    read_portable,
    reason_text,
)

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "docs" / "model_vectors"
EVALUATOR = ROOT / "src" / "chw_tools" / "web" / "static" / "risk_model.js"
KNOWN_KEY = bytes(range(32))
NAMES = ("additive", "logistic_splines")

#: Reads a model and people from standard input, and prints what the phone says of them.
SCRIPT = """
import { readFileSync } from "node:fs";
const { checkDigest, checkSignature, estimate, readModel } = await import(process.argv[1]);
const given = JSON.parse(readFileSync(0, "utf-8"));
const model = readModel(given.text);
await checkDigest(model);
await checkSignature(model, given.keys);
const refused = [];
for (const attempt of given.spoilt) {
  const spoilt = readModel(attempt);
  await checkDigest(spoilt).catch((error) => refused.push(error.message));
  await checkSignature(spoilt, given.keys).catch((error) => refused.push(error.message));
}
console.log(JSON.stringify({ found: given.people.map((one) => estimate(model, one)), refused }));
"""


@pytest.fixture(scope="module", params=NAMES)
def case(request):
    text = (FOLDER / f"{request.param}.json").read_text(encoding="utf-8")
    vectors = json.loads((FOLDER / f"{request.param}_vectors.json").read_text(encoding="utf-8"))
    return text, vectors


def features_of(model, vectors) -> Features:
    columns = {}
    for feature in model.features:
        values = [one["inputs"][feature.name] for one in vectors]
        dtype = {"number": "float64", "flag": "boolean", "choice": "object"}[feature.kind]
        columns[feature.name] = pd.array(values, dtype=dtype)
    index = pd.Index([f"made-up-{at}" for at in range(len(vectors))], name="person_id")
    return Features(pd.DataFrame(columns, index), model.features, pd.Timestamp("2025-06-30"))


def test_python_gives_the_golden_numbers(case):
    text, vectors = case
    model = read_portable(text)
    features = features_of(model, vectors)
    risks = estimate_risk(model, features, bands=RiskBands(0.05, 0.1, 0.2))
    effects = model.contributions(features.frame)
    for at, wanted in enumerate(vectors):
        row = risks.iloc[at]
        assert (row["state"], _none(row["note"])) == (wanted["state"], wanted["note"])
        assert _none(row["risk"]) == pytest.approx(wanted["risk"], abs=1e-12)
        assert _none(row["band"]) == wanted["band"]
        assert effects.iloc[at].to_dict() == pytest.approx(wanted["contributions"], abs=1e-12)
        _same_reasons(row["reasons"], wanted["reasons"])


def test_the_vectors_meet_every_state_and_kind_of_value(case):
    _, vectors = case
    assert {one["state"] for one in vectors} == {"estimated", "not_valid", "not_known"}
    assert {one["band"] for one in vectors} >= {"low", "very_high", None}
    notes = [one["note"] or "" for one in vectors]
    for said in ("Was it written down in mg/dL?", "holds from 18 to 95", "Not known: Age"):
        assert any(said in note for note in notes), said


def test_the_phone_gives_the_same_numbers(case):
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed, by which the phone's evaluator is run")
    text, vectors = case
    said = _run(
        node,
        {
            "text": text,
            "keys": [public_key_of(KNOWN_KEY)],
            "people": [one["inputs"] for one in vectors],
            "spoilt": [text.replace('"v1"', '"v2"')],
        },
    )
    assert len(said["refused"]) == 2
    model = read_portable(text)
    for found, wanted in zip(said["found"], vectors, strict=True):
        assert (found["state"], found["note"]) == (wanted["state"], wanted["note"])
        assert found["risk"] == pytest.approx(wanted["risk"], abs=1e-12)
        assert found["band"] == wanted["band"]
        assert found["contributions"] == pytest.approx(wanted["contributions"], abs=1e-12)
        assert found["constant"] == pytest.approx(model.constant, abs=1e-12)
        _same_reasons(found["reasons"], wanted["reasons"])
        for reason in found["reasons"]:
            assert reason["text"] == reason_text(reason, model.texts)


def test_the_phone_words_numbers_as_python_does():
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed, by which the phone's evaluator is run")
    rng = np.random.default_rng(0)
    ties = [0.5, 2.5, 100.25, 100.75, 1000.5, 1001.5, -100.25, 999.95, 999.96, 0.03125]
    numbers = [*ties, 0.0, 1e-5, 12345.678, *(rng.normal(0, 300, 200).tolist())]
    script = (
        "const { numberText } = await import(process.argv[1]);"
        f"console.log(JSON.stringify({json.dumps(numbers)}.map(numberText)));"
    )
    said = json.loads(_node(node, script, ""))
    wanted = [f"{n:.4g}" if abs(n) < 1000 else f"{n:.0f}" for n in numbers]
    assert said == wanted


def _run(node: str, given: dict) -> dict:
    return json.loads(_node(node, SCRIPT, json.dumps(given)))


def _node(node: str, script: str, given: str) -> str:
    command = [node, "--input-type=module", "--eval", script, EVALUATOR.as_uri()]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_schema_holds_what_is_written(case):
    schema = importlib.resources.files("chw_tools.risk_prediction") / "chw_model_2.schema.json"
    held = json.loads(schema.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(held)
    content = json.loads(case[0])
    jsonschema.validate(content, held)
    content["terms"][0]["kind"] = "tree"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, held)


def test_the_signature_of_the_examples_is_of_the_known_key(case):
    text, _ = case
    key = public_key_of(KNOWN_KEY)
    assert read_portable(text, trusted_keys=[key]).signed_by == check_signature(text, [key])
    with pytest.raises(ModelRefused, match="not trusted"):
        read_portable(text, trusted_keys=[public_key_of(bytes(32))])


def _none(value):
    return None if pd.isna(value) else value


def _same_reasons(found, wanted):
    assert [{k: r[k] for k in ("feature", "label", "value")} for r in found] == [
        {k: r[k] for k in ("feature", "label", "value")} for r in wanted
    ]
    effects = [reason["effect"] for reason in wanted]
    assert [reason["effect"] for reason in found] == pytest.approx(effects, abs=1e-12)
