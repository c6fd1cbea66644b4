"""A model's life by commands: kept, judged by its gates, approved, on trial, taken back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from chw_tools.cli.main import main
from chw_tools.feature_engineering import Feature, Features
from chw_tools.model_registry import ModelRegistry
from chw_tools.model_training import train

_JUDGED = {
    "model": "additive",
    "n": 4000,
    "n_events": 400,
    "threshold": 0.2,
    "probability": {"shown": False, "why": "Shown as a band only: it did not fit."},
    "metrics": [
        {"name": "auc", "value": 0.80, "low": 0.78, "high": 0.82},
        {"name": "net_benefit", "value": 0.02, "low": 0.01, "high": 0.03},
    ],
    "subgroups": [
        {
            "by": "Sex",
            "group": "female",
            "n": 2000,
            "n_events": 200,
            "is_few": False,
            "observed_to_expected": 1.0,
            "observed_to_expected_low": 0.9,
            "observed_to_expected_high": 1.1,
        }
    ],
    "comparisons": [
        {"name": "additive", "auc": 0.80, "auc_low": 0.78, "auc_high": 0.82},
        {"name": "age_only", "auc": 0.7, "auc_low": 0.68, "auc_high": 0.72},
    ],
}


@pytest.fixture(scope="module")
def fall_model():
    generator, n = np.random.default_rng(0), 400
    index = pd.Index([f"p{i}" for i in range(n)], name="person_id")
    frame = pd.DataFrame({"age_years": generator.uniform(0, 90, n)}, index)
    features = Features(frame, (Feature("age_years", "Age", "number"),), pd.Timestamp("2025-01-01"))
    labels = pd.Series(generator.random(n) < 0.3, index, dtype="boolean")
    model = train(features, labels, recipe="additive", seed=1, outcome="fall")
    return replace(model, trained_on={**model.trained_on, "sample_size": "400 people: enough."})


@pytest.fixture
def environ(tmp_path, fall_model):
    registry = ModelRegistry(tmp_path / "models" / "trained_models")
    for version in ("v1", "v2"):
        registry.save_model(
            fall_model,
            version=version,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
            report={"card.md": b"# Card", "metrics.json": json.dumps(_JUDGED).encode()},
        )
    home = tmp_path / "home"
    return {
        "CHW_HOME": str(home),
        "CHW_MODELS": str(tmp_path / "models"),
        "CHW_TRACKING_URI": "off",
    }


@pytest.fixture
def chw(environ, capsys):
    def run(*words, code=0, **more):
        capsys.readouterr()
        assert main(words, environ | more) == code
        return capsys.readouterr()

    return run


_APPROVE = ("models", "approve", "fall", "v1", "--by", "Dr Achieng")


def test_the_life_of_a_model(chw):
    assert "candidate" in chw("models", "list").out
    assert "FAIL" in chw("models", "gates", "fall", "v1").out
    gates = json.loads(chw("models", "gates", "fall", "v1", "--json").out)
    assert [gate["name"] for gate in gates if gate["state"] == "fail"] == ["calibration"]
    refused = chw(*_APPROVE, code=1).err
    assert "calibration" in refused
    assert "recalibrate" in refused
    assert "no such gate" in chw(*_APPROVE, "--despite", "nothing", code=2).err
    said = chw(*_APPROVE, "--despite", "calibration", "--why", "bands are enough").out
    assert "fall v1 is approved" in said
    assert "bands are enough" in said
    chw("models", "shadow", "fall", "v2", "--by", "Dr Achieng", "--why", "try it")
    listed = json.loads(chw("models", "list", "--json").out)
    assert [row["aliases"] for row in listed] == [["champion"], ["shadow"]]
    assert listed[0]["measures"]["auc"] == {"value": 0.8, "low": 0.78, "high": 0.82}
    shown = chw("models", "show", "fall", "v1").out
    assert "0.800 (0.780 to 0.820)" in shown
    assert "Despite" in shown
    assert "Dr Achieng" in shown
    assert "net_benefit" in shown
    assert "0.800" in chw("models", "compare", "fall", "v1", "v2").out
    chw("models", "shadow", "fall", "--off", "--by", "Dr Achieng")
    chw("models", "approve", "fall", "v2", "--by", "B", "--despite", "calibration", "--why", "x")
    back = ("models", "rollback", "fall", "--by", "Dr Achieng", "--why", "missed falls")
    assert "fall v1 is approved" in chw(*back).out
    assert "guideline rules" in chw(*back, "--to", "rules").out
    assert "guideline rules without a model" in chw("models", "list").out
    assert "missed falls" in chw("models", "show", "fall", "v1").out
    chw(*back, "--to", "nowhere", code=2)
    chw("models", "shadow", "fall", code=2)
    chw("models", "retire", "fall", "v2", "--by", "Dr Achieng")


def test_a_changed_model_is_listed_with_its_fault(chw, environ):
    from pathlib import Path

    card = Path(environ["CHW_MODELS"]) / "trained_models/fall/v1/card.md"
    card.write_text("# Better")
    rows = json.loads(chw("models", "list", "--json").out)
    assert "files were changed (card.md)" in rows[0]["fault"]


def test_an_approval_is_signed_where_a_key_is_given(chw, tmp_path):
    folder = tmp_path / "keys"
    said = chw("models", "new-key", str(folder)).out
    assert "CHW_SIGNING_KEY" in said
    assert (folder / "signing_key.pem").stat().st_mode & 0o077 == 0
    chw("models", "new-key", str(folder), code=1)  # nothing is overwritten
    keys = {
        "CHW_SIGNING_KEY": str(folder / "signing_key.pem"),
        "CHW_TRUSTED_KEYS": str(folder / "trusted_keys.txt"),
    }
    words = (*_APPROVE, "--despite", "calibration", "--why", "bands")
    assert "Signed" in chw(*words, **keys).out
    history = json.loads(chw("models", "show", "fall", "v1", "--json").out)["history"]
    assert history[0]["signature"]["algorithm"] == "Ed25519"


def test_a_model_is_written_for_others(chw, tmp_path):
    out = tmp_path / "risk.json"
    said = chw("models", "export", "fall", "v1", "--output", str(out)).out
    assert "simulated people" in said
    assert json.loads(out.read_text())["outcome"] == "fall"
    words = ("models", "export", "fall", "v1", "--output", str(out), "--format")
    assert "json or onnx" in chw(*words, "joblib", code=1).err
    chw(*words, "pickle", code=2)


def test_tracking_that_is_off_says_so_in_one_line(chw):
    assert chw("models", "mirror").out == "Tracking is off (CHW_TRACKING_URI).\n"


def test_a_broken_folder_hides_no_other_model(chw, environ):
    folder = Path(environ["CHW_MODELS"]) / "trained_models/fall/v2"
    (folder / "manifest.json").write_text("{", encoding="utf-8")
    said = chw("models", "list").out
    assert "v1" in said
    assert "candidate" in said
    assert "Not listed: fall/v2" in said.replace("\n", " ")
