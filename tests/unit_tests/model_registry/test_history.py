"""Decisions: a log that only grows; where it leads; nothing half made, nothing lost."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from chw_tools.errors import ModelNotFound, ModelRefused, RulesAlone
from chw_tools.model_registry import (
    approve_model,
    retire_model,
    roll_back,
    shadow_model,
)

_LATER = datetime(2026, 2, 2, tzinfo=UTC)
_BY = {"by": "Dr Achieng", "at": _LATER}


def _stages(registry):
    return {entry.version: entry.stage for entry in registry.list_models("fall")}


def test_going_back_leads_to_the_model_before_and_then_to_the_one_before_that(registry, keep):
    for version in ("v1", "v2", "v3"):
        keep(version)
        approve_model(registry, "fall", version, **_BY)
    assert registry.find("fall").version == "v3"
    entry = roll_back(registry, "fall", why="it missed falls", **_BY)
    assert (entry.version, entry.stage, entry.why) == ("v2", "approved", "it missed falls")
    assert roll_back(registry, "fall", why="so did this", **_BY).version == "v1"
    assert _stages(registry) == {"v1": "approved", "v2": "retired", "v3": "retired"}
    with pytest.raises(ModelRefused, match="no model was in use before"):
        roll_back(registry, "fall", why="again", **_BY)


def test_going_back_to_the_rules_leaves_no_model_until_one_is_approved(registry, keep):
    keep("v1")
    approve_model(registry, "fall", "v1", **_BY)
    assert roll_back(registry, "fall", why="doubts", to_rules=True, **_BY) is None
    with pytest.raises(RulesAlone, match="Dr Achieng, 2026-02-02: doubts"):
        registry.load_model("fall")
    assert registry.load_model("fall", "v1").version == "v1"
    keep("v2")
    with pytest.raises(RulesAlone):
        registry.find("fall")
    approve_model(registry, "fall", "v2", **_BY)
    assert registry.find("fall").version == "v2"


def test_a_retired_model_is_nothing_to_go_back_to(registry, keep):
    for version in ("v1", "v2"):
        keep(version)
        approve_model(registry, "fall", version, **_BY)
    retire_model(registry, "fall", "v1", **_BY)
    with pytest.raises(ModelRefused, match="before"):
        roll_back(registry, "fall", why="it missed falls", **_BY)


def test_going_back_needs_a_reason_and_everything_a_name(registry, keep):
    keep("v1")
    with pytest.raises(ModelRefused, match="reason"):
        roll_back(registry, "fall", why=" ", to_rules=True, **_BY)
    with pytest.raises(ModelRefused, match="answer for it"):
        approve_model(registry, "fall", "v1", by=" ", at=_LATER)


def test_a_shadow_is_on_trial_until_it_is_taken_off_or_approved(registry, keep):
    for version in ("v1", "v2"):
        keep(version)
    approve_model(registry, "fall", "v1", **_BY)
    assert registry.find_shadow("fall") is None
    shadow_model(registry, "fall", "v2", why="try it", **_BY)
    assert registry.find_shadow("fall").aliases == ("shadow",)
    assert registry.find("fall").aliases == ("champion",)
    assert registry.find_shadow("fall").stage == "candidate"
    with pytest.raises(ModelRefused, match="in use already"):
        shadow_model(registry, "fall", "v1", why="no", **_BY)
    shadow_model(registry, "fall", None, why="enough", **_BY)
    shadow_model(registry, "fall", None, why="enough", **_BY)
    assert registry.find_shadow("fall") is None
    shadow_model(registry, "fall", "v2", why="again", **_BY)
    approve_model(registry, "fall", "v2", **_BY)
    assert registry.find_shadow("fall") is None
    assert [d.act for d in registry.history("fall")] == [
        "approved",
        "shadowed",
        "unshadowed",
        "shadowed",
        "approved",
    ]


def test_an_approved_model_whose_folder_is_gone_is_not_replaced_in_silence(registry, keep):
    import shutil

    keep("v1")
    keep("v2")
    approve_model(registry, "fall", "v1", **_BY)
    shutil.rmtree(registry.root / "fall" / "v1")
    with pytest.raises(ModelNotFound):
        registry.load_model("fall")


@pytest.mark.parametrize("spoil", ["change", "remove", "no json", "other keys"])
def test_a_changed_history_is_refused(registry, keep, spoil):
    keep("v1")
    keep("v2")
    for version in ("v1", "v2"):
        approve_model(registry, "fall", version, **_BY)
    path = registry.root / "fall" / "history.jsonl"
    first, second = path.read_bytes().splitlines(keepends=True)
    spoiled = {
        "change": first.replace(b"Achieng", b"Nobody!") + second,
        "remove": second,
        "no json": b"{\n" + second,
        "other keys": first.replace(b'"act"', b'"acts"') + second,
    }[spoil]
    path.write_bytes(spoiled)
    with pytest.raises(ModelRefused, match="history of decisions was changed"):
        registry.find("fall")


def test_a_line_that_a_crash_cut_off_was_never_decided(registry, keep):
    keep("v1")
    keep("v2")
    approve_model(registry, "fall", "v1", **_BY)
    path = registry.root / "fall" / "history.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"act": "appro')
    assert _stages(registry) == {"v1": "approved", "v2": "candidate"}
    approve_model(registry, "fall", "v2", **_BY)
    assert path.read_bytes().startswith(whole)
    assert _stages(registry) == {"v1": "retired", "v2": "approved"}


def test_what_a_crash_left_of_a_folder_is_not_seen_and_stops_nothing(registry, keep):
    keep("v1")
    left = registry.root / "fall" / ".v2-1.partial"
    left.mkdir()
    (left / "model.json").write_text("{")
    assert registry.next_version("fall") == "v2"
    keep("v2")
    assert set(_stages(registry)) == {"v1", "v2"}


def test_a_stage_file_of_an_earlier_version_says_nothing(registry, keep):
    folder = keep("v1")
    (folder / "stage.json").write_text(json.dumps({"stage": "approved"}))
    assert _stages(registry) == {"v1": "candidate"}
    registry.load_model("fall")


def test_decisions_made_at_once_are_made_one_after_the_other(registry, keep):
    versions = ["v1", "v2", "v3", "v4"]
    for version in versions:
        keep(version)
    with ThreadPoolExecutor(4) as pool:
        entries = pool.map(lambda v: approve_model(registry, "fall", v, **_BY), versions)
        assert [entry.version for entry in entries] == versions
    _check_one_champion(registry, versions)


_APPROVE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from chw_tools.model_registry import ModelRegistry, approve_model
registry = ModelRegistry(Path(sys.argv[1]))
approve_model(registry, "fall", sys.argv[2], by="Dr Achieng", at=datetime(2026, 1, 1, tzinfo=UTC))
"""


def test_processes_wait_for_one_another_too(registry, keep):
    versions = ["v1", "v2"]
    for version in versions:
        keep(version)
    running = [
        subprocess.Popen([sys.executable, "-c", _APPROVE, str(registry.root), version])
        for version in versions
    ]
    assert [process.wait() for process in running] == [0, 0]
    _check_one_champion(registry, versions)


def _check_one_champion(registry, versions):
    history = registry.history("fall")
    assert sorted(decision.version for decision in history) == versions
    approved = [v for v, stage in _stages(registry).items() if stage == "approved"]
    assert approved == [history[-1].version]


def test_two_trainings_that_end_at_once_do_not_overwrite_each_other(registry, keep, monkeypatch):
    """The second finds the folder there when it renames, though it was not when it began."""
    from chw_tools.model_registry import registry as module

    real = module.write_folder

    def slow(folder, files):
        monkeypatch.setattr(module, "write_folder", real)
        keep("v1")
        return real(folder, files)

    monkeypatch.setattr(module, "write_folder", slow)
    with pytest.raises(ModelRefused, match="kept already"):
        keep("v1", parent="v0")
    assert registry.find("fall").manifest["parent"] is None
