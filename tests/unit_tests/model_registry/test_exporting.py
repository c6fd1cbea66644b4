"""What goes out for other programs gives the same risks there, and says what it is."""

from __future__ import annotations

import io
import sys

import numpy as np
import pandas as pd
import pytest

from chw_tools.errors import MissingExtra, ModelRefused
from chw_tools.model_registry.exporting import export_model, run_onnx
from chw_tools.model_registry.golden import UNSEEN
from chw_tools.model_training import train
from chw_tools.risk_prediction import read_portable


@pytest.fixture(scope="module")
def boosted(fall_features):
    return train(*fall_features, recipe="gradient_boosting", seed=1, outcome="fall")


@pytest.mark.parametrize("recipe", ["additive", "logistic", "logistic_splines"])
def test_onnx_gives_the_same_risks_to_the_last_digits(registry, keep, fall_features, recipe):
    pytest.importorskip("onnxruntime", reason="the onnx extra is not installed")
    keep(model=train(*fall_features, recipe=recipe, seed=1, outcome="fall"))
    made = export_model(registry, "fall", "v1", form="onnx")
    model = registry.load_model("fall", "v1")
    borders = np.concatenate([getattr(t, "cuts", getattr(t, "knots", [])) for t in model.terms])
    ages = [*borders, *np.nextafter(borders, -1), *np.nextafter(borders, 200), np.nan, -5, 500]
    rows = pd.DataFrame({"age_years": ages})
    rows["sex"] = np.resize(["female", "male", UNSEEN, None], len(rows))
    rows = pd.concat([rows, fall_features[0].frame.astype({"sex": object})], ignore_index=True)
    apart = np.abs(run_onnx(made.content, model, rows) - model.predict(rows))
    assert apart.max() < 1e-12
    assert "largest distance" in made.notes[0]


def test_json_is_the_file_that_scores(registry, keep):
    folder = keep()
    made = export_model(registry, "fall", "v1", form="json")
    assert made.content == (folder / "model.json").read_bytes()
    assert read_portable(made.content.decode()).digest == registry.load_model("fall", "v1").digest


@pytest.mark.parametrize("form", ["skops", "joblib"])
def test_a_pipeline_is_read_by_its_own_library(registry, keep, boosted, fall_features, form):
    keep(model=boosted)
    made = export_model(registry, "fall", "v1", form=form)
    if form == "joblib":
        import joblib

        assert any(note.startswith("WARNING") for note in made.notes)
        estimator = joblib.load(io.BytesIO(made.content))
    else:
        from chw_tools.model_registry.formats import load_estimator

        estimator = load_estimator(made.content)
    model = registry.load_model("fall", "v1")
    inputs = model._inputs(fall_features[0].frame)
    raw = estimator.predict_proba(inputs)[:, 1]
    scaled = model.calibration_intercept + model.slope * np.log(raw / (1 - raw))
    assert 1 / (1 + np.exp(-scaled)) == pytest.approx(
        model.predict(fall_features[0].frame), abs=1e-12
    )


@pytest.mark.parametrize(("additive", "form"), [(True, "skops"), (False, "json"), (False, "onnx")])
def test_a_form_that_there_is_not_is_refused_with_those_there_are(
    registry, keep, boosted, additive, form
):
    if additive:
        keep()
    else:
        keep(model=boosted)
    with pytest.raises(ModelRefused, match=r"Choose \w+ or \w+"):
        export_model(registry, "fall", "v1", form=form)


def test_without_the_extra_it_says_which(registry, keep, monkeypatch):
    keep()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtra, match=r"chw-tools\[onnx\]"):
        export_model(registry, "fall", "v1", form="onnx")


def test_what_may_not_score_does_not_go_out(registry, keep):
    folder = keep()
    (folder / "card.md").write_text("# Better")
    with pytest.raises(ModelRefused, match="changed"):
        export_model(registry, "fall", "v1", form="json")
