"""The registry in MLflow: the same however often, whole after a fault, and nobody's values."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from chw_tools.errors import MissingExtra, TrackingFailed
from chw_tools.feature_engineering import Feature, Features
from chw_tools.model_registry import ModelRegistry, approve_model, roll_back, shadow_model
from chw_tools.model_registry.tracking import MlflowMirror
from chw_tools.model_training import train
from chw_tools.workflows.train import _track

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("mlflow", reason="the track extra is not installed")
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

_AT = datetime(2026, 1, 1, tzinfo=UTC)
_CANARY_ID, _CANARY_AGE = "zqx-canary-person", 73.123456789
_BY = {"by": "Dr Achieng", "at": _AT}
_DESPITE = {"despite": ["calibration", "subgroups", "baseline", "sample_size"], "why": "a test"}
_JUDGED = {"n": 90, "metrics": [{"name": "auc", "value": 0.7, "low": 0.6, "high": None}]}


@pytest.fixture(scope="module")
def fall_model() -> tuple[Any, pd.DataFrame]:
    generator, n = np.random.default_rng(0), 400
    index = pd.Index([_CANARY_ID, *(f"p{i}" for i in range(1, n))], name="person_id")
    ages = generator.uniform(0, 90, n)
    ages[0] = _CANARY_AGE
    frame = pd.DataFrame({"age_years": ages}, index)
    features = Features(frame, (Feature("age_years", "Age", "number"),), pd.Timestamp("2025-01-01"))
    labels = pd.Series(generator.random(n) < 0.3, index, dtype="boolean")
    return train(features, labels, recipe="additive", seed=1, outcome="fall"), frame


@pytest.fixture
def mirror(tmp_path: Path, fall_model: tuple[Any, pd.DataFrame]) -> MlflowMirror:
    registry = ModelRegistry(tmp_path / "trained_models")
    model, frame = fall_model
    for version in ("v1", "v2"):
        registry.save_model(
            model,
            version=version,
            created_at=_AT,
            report={"card.md": b"# Card", "metrics.json": json.dumps(_JUDGED).encode()},
            probe=frame,
            run_id=f"run {version}",
        )
    report = tmp_path / "reports" / "fall" / "v1"
    report.mkdir(parents=True)
    (report / "roc_curve.png").write_bytes(b"picture")
    uri = f"sqlite:///{tmp_path / 'mlflow' / 'mlflow.db'}"
    return MlflowMirror(uri, registry, tmp_path / "reports")


def _client(mirror: MlflowMirror) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=mirror.uri, registry_uri=mirror.uri)


def _state(mirror: MlflowMirror) -> tuple[Any, ...]:
    client = _client(mirror)
    experiment = client.get_experiment_by_name("chw-tools")
    runs = client.search_runs([experiment.experiment_id])
    versions = client.search_model_versions("name = 'fall'")
    return (
        sorted((r.info.run_id, r.info.status, *sorted(r.data.metrics.items())) for r in runs),
        sorted((v.version, v.run_id, v.tags["chw.version"], v.tags["chw.stage"]) for v in versions),
        client.get_registered_model("fall").aliases,
    )


def _version_of(mirror: MlflowMirror, alias: str) -> str:
    found = _client(mirror).get_model_version_by_alias("fall", alias)
    return str(found.tags["chw.version"])


def test_a_run_holds_what_the_folder_does(mirror: MlflowMirror) -> None:
    assert mirror.mirror().n_new == 2
    client = _client(mirror)
    experiment = client.get_experiment_by_name("chw-tools")
    run = next(
        r
        for r in client.search_runs([experiment.experiment_id])
        if r.data.tags["chw.version"] == "v1"
    )
    assert run.info.status == "FINISHED"
    assert run.data.metrics["auc"] == 0.7
    assert run.data.metrics["auc_low"] == 0.6
    assert "auc_high" not in run.data.metrics
    assert run.data.params["recipe"] == "additive"
    assert run.data.params["data_digest"]
    tags = run.data.tags
    assert (tags["chw.simulated"], tags["chw.run_id"]) == ("true", "run v1")
    names = {f.path for f in client.list_artifacts(run.info.run_id, "model")}
    assert {"model/model.json", "model/card.md", "model/manifest.json"} <= names
    assert [f.path for f in client.list_artifacts(run.info.run_id, "report")] == [
        "report/roc_curve.png"
    ]


def test_doing_it_twice_changes_nothing(mirror: MlflowMirror) -> None:
    mirror.mirror("fall", "v1")
    assert (mirror.mirror().n_new, mirror.mirror().n_there) == (1, 2)
    before = _state(mirror)
    assert mirror.mirror().n_new == 0
    assert _state(mirror) == before


def test_decisions_are_mirrored_as_stages_and_aliases(mirror: MlflowMirror) -> None:
    registry = mirror.registry
    approve_model(registry, "fall", "v1", **_BY, **_DESPITE)
    shadow_model(registry, "fall", "v2", why="try", **_BY)
    mirror.mirror()
    assert (_version_of(mirror, "champion"), _version_of(mirror, "shadow")) == ("v1", "v2")
    approve_model(registry, "fall", "v2", **_BY, **_DESPITE)
    mirror.mirror()
    assert _version_of(mirror, "champion") == "v2"
    _, versions, aliases = _state(mirror)
    assert set(aliases) == {"champion"}
    assert {v[2]: v[3] for v in versions} == {"v1": "retired", "v2": "approved"}
    roll_back(registry, "fall", why="doubts", to_rules=True, **_BY)
    mirror.mirror()
    assert _state(mirror)[2] == {}


def test_a_run_that_was_cut_off_is_made_whole(
    mirror: MlflowMirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "log_artifacts", full)
        with pytest.raises(TrackingFailed, match="mirror them later") as failed:
            mirror.mirror()
        assert "OSError" in str(failed.value)
    assert mirror.mirror().n_new == 2
    runs, versions, _ = _state(mirror)
    assert len(runs) == len(versions) == 2


def test_a_changed_model_is_not_mirrored_and_stops_no_other(mirror: MlflowMirror) -> None:
    (mirror.registry.root / "fall" / "v1" / "card.md").write_text("# Better")
    done = mirror.mirror()
    assert (done.n_new, done.n_refused) == (1, 1)


def test_a_training_is_never_lost_to_its_tracking(mirror: MlflowMirror, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    down = MlflowMirror(f"sqlite:///{tmp_path}/file/mlflow.db", mirror.registry, tmp_path)
    notes = _track(down, "fall", "v1")
    assert len(notes) == 1
    assert "kept" in notes[0]
    assert "chw models mirror" in notes[0]
    assert _track(None, "fall", "v1") == ()
    assert mirror.registry.load_model("fall", "v1")


def test_without_the_extra_it_says_which(
    mirror: MlflowMirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingExtra, match=r"chw-tools\[track\]"):
        mirror.mirror()
    assert "track" in _track(mirror, "fall", "v1")[0]


def test_nobodys_values_go_there(mirror: MlflowMirror, tmp_path: Path) -> None:
    mirror.mirror()
    written = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert b"mlflow" in written
    assert b"Dr Achieng" not in written
    for canary in (_CANARY_ID, str(_CANARY_AGE), repr(_CANARY_AGE)[:9]):
        assert canary.encode() not in written


def test_mlflow_is_not_imported_until_it_is_asked() -> None:
    code = "import sys, chw_tools.wiring, chw_tools.cli.main, chw_tools.model_registry.tracking\n"
    code += "sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
