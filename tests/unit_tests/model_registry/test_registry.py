"""What is kept is what is loaded, or it is refused; approval is a person's act."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from chw_tools.errors import ModelNotFound, ModelRefused
from chw_tools.model_registry import ModelRegistry, approve_model, retire_model, save_report
from chw_tools.model_registry.entries import version_number
from chw_tools.model_training import RECIPES, train

_AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
_LATER = datetime(2026, 2, 2, tzinfo=UTC)
_REPORT = {"card.md": b"# Card", "report.md": b"# Report"}


@pytest.fixture(scope="module", params=[r for r in RECIPES if r != "full_gradient_boosting"])
def any_model(request, fall_features):
    return train(*fall_features, recipe=request.param, seed=1, outcome="fall")


def test_every_recipe_is_kept_without_pickle_and_scores_the_same(
    registry, keep, any_model, fall_features
):
    folder = keep(model=any_model)
    loaded = registry.load_model("fall")
    frame = fall_features[0].frame
    assert loaded.predict(frame) == pytest.approx(any_model.predict(frame), abs=1e-9)
    assert (loaded.outcome, loaded.population) == ("fall", "simulated")
    for path in folder.iterdir():
        content = path.read_bytes()
        assert not content.startswith((b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"))
        assert path.suffix in {".json", ".md", ".skops"}
        if path.suffix == ".skops":
            _check_no_pickle_within(path)


def _check_no_pickle_within(path):
    from zipfile import ZipFile

    with ZipFile(path) as archive:
        for name in archive.namelist():
            held = archive.read(name)
            assert not held.startswith((b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")), name
            assert name == "schema.json" or name.endswith((".npy", ".npz")), name


def test_the_manifest_says_where_it_came_from(keep, fall_model):
    folder = keep("v2", parent="v1", run_id="r")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["created_at"] == "2026-01-02T03:04:00+00:00"
    assert manifest["data_digest"] == fall_model.trained_on["data_digest"]
    assert manifest["libraries"]["scikit-learn"]
    assert (manifest["parent"], manifest["run_id"]) == ("v1", "r")
    assert set(manifest["files"]) == {
        "model.json",
        "features.json",
        "golden.json",
        "card.md",
        "metrics.json",
    }


def test_nothing_kept_is_overwritten(registry, keep):
    keep()
    with pytest.raises(ModelRefused, match="kept already"):
        keep()


@pytest.mark.parametrize("name", ["model.json", "card.md", "features.json"])
def test_a_changed_file_is_refused(registry, keep, name):
    folder = keep()
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    with pytest.raises(ModelRefused, match=name):
        registry.load_model("fall")


def test_a_missing_or_added_file_is_refused(registry, keep):
    folder = keep()
    (folder / "extra.txt").write_text("x")
    with pytest.raises(ModelRefused, match=r"extra\.txt"):
        registry.load_model("fall")
    (folder / "extra.txt").unlink()
    (folder / "card.md").unlink()
    with pytest.raises(ModelRefused, match=r"card\.md"):
        registry.load_model("fall")


def test_a_manifest_changed_after_approval_is_refused(registry, keep):
    folder = keep()
    approve_model(registry, "fall", "v1", by="Dr Achieng", at=_LATER)
    manifest = json.loads((folder / "manifest.json").read_text()) | {"population": "real"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelRefused, match="after it was approved"):
        registry.load_model("fall")


def test_the_approved_model_is_used_and_else_the_newest_by_number(registry, keep):
    for version in ("v2", "v10", "v9"):
        keep(version)
    assert registry.load_model("fall").version == "v10"
    approve_model(registry, "fall", "v2", by="Dr Achieng", at=_LATER)
    assert registry.load_model("fall").version == "v2"
    approve_model(registry, "fall", "v9", by="Dr Achieng", at=_LATER)
    stages = {entry.version: entry.stage for entry in registry.list_models("fall")}
    assert stages == {"v2": "retired", "v9": "approved", "v10": "candidate"}
    retire_model(registry, "fall", "v9", by="Dr Achieng", at=_LATER)
    assert registry.load_model("fall").version == "v10"
    assert registry.load_model("fall", "v9").version == "v9"
    assert registry.next_version("fall") == "v11"


def test_who_approved_it_and_when_is_kept(registry, keep):
    keep()
    entry = approve_model(registry, "fall", "v1", by="Dr Achieng", at=_LATER)
    assert (entry.stage, entry.by, entry.at) == ("approved", "Dr Achieng", _LATER.isoformat())


def test_what_was_never_judged_cannot_be_approved(registry, keep):
    keep(report={})
    with pytest.raises(ModelRefused, match="report: lacks card"):
        approve_model(registry, "fall", "v1", by="Dr Achieng", at=_LATER)


def test_what_is_not_there_is_not_found(registry, keep):
    with pytest.raises(ModelNotFound):
        registry.load_model("fall")
    keep()
    with pytest.raises(ModelNotFound):
        registry.load_model("fall", "v7")


@pytest.mark.parametrize("name", ["../fall", "Fall", "", "a/b", "a" * 99])
def test_a_name_cannot_climb_out_of_the_registry(registry, name):
    with pytest.raises(ValueError, match="small letters"):
        registry.list_models(name)


@pytest.mark.parametrize("version", ["1", "v0", "v1/..", "v01", "latest"])
def test_a_version_is_v_and_a_number(version):
    with pytest.raises(ValueError, match="a version is"):
        version_number(version)


def test_types_that_are_not_ours_are_refused(registry, tmp_path):
    from skops.io import dumps

    from chw_tools.model_registry.formats import load_estimator

    with pytest.raises(ModelRefused, match="not trusted"):
        load_estimator(dumps({"f": ModelRegistry(tmp_path)}))
    for broken in (b"", b"no zip", b"\x80\x04."):
        with pytest.raises(ModelRefused):
            load_estimator(broken)


def test_another_scikit_learn_is_refused(keep, fall_features):
    model = train(*fall_features, recipe="random_forest", seed=1, outcome="fall")
    keep(model=model)
    from chw_tools.model_registry.formats import read_model, write_model

    files = write_model(model, version="v1")
    with pytest.raises(ModelRefused, match="scikit-learn"):
        read_model(files, libraries={"scikit-learn": "0.1.0"}, digest="")


def test_a_form_that_scores_otherwise_is_not_kept(registry, keep, fall_model, fall_features):
    from dataclasses import replace

    from chw_tools.model_registry.formats import check_parity
    from chw_tools.model_training.calibration import Calibration
    from chw_tools.risk_prediction import read_portable

    keep()
    saved = registry.load_model("fall")
    assert isinstance(
        saved, type(read_portable((registry.root / "fall/v1/model.json").read_text()))
    )
    other = replace(fall_model, calibration=Calibration(2.0, 0.1))
    with pytest.raises(ModelRefused, match="does not score"):
        check_parity(other, saved, fall_features[0].frame)


def test_a_report_is_kept_once(tmp_path):
    folder = save_report(tmp_path, outcome="fall", version="v1", report=_REPORT)
    assert {path.name for path in folder.iterdir()} == set(_REPORT)
    with pytest.raises(ModelRefused, match="kept already"):
        save_report(tmp_path, outcome="fall", version="v1", report=_REPORT)


@pytest.mark.parametrize(
    ("judged", "shown"),
    [
        (b'{"probability": {"shown": true, "why": "Fits."}}', True),
        (b'{"probability": {"shown": false, "why": "Does not fit."}}', False),
        (b'{"probability": {"shown": "true", "why": "Not a yes."}}', False),
        (b"{}", False),
    ],
)
def test_the_manifest_keeps_whether_the_number_may_be_shown(registry, keep, judged, shown):
    keep(report={"card.md": b"# Card", "metrics.json": judged})
    kept = registry.find("fall").manifest["probability"]
    assert kept["shown"] is shown
    assert kept["why"]


def test_a_model_without_a_judgement_shows_no_number(registry, keep):
    keep(report=None)
    assert registry.find("fall").manifest["probability"]["shown"] is False


def test_a_broken_folder_takes_no_other_model_away(registry, keep):
    keep()
    broken = keep("v2")
    approve_model(registry, "fall", "v1", by="a reviewer", at=_LATER)
    (broken / "manifest.json").write_text("{")
    assert registry.find("fall").version == "v1"
    assert registry.load_model("fall", "v1").outcome == "fall"
    with pytest.raises(ModelRefused):
        registry.find("fall", "v2")
