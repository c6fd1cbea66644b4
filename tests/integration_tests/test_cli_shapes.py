"""A clinician looks at a shape and puts it right: commands, the new candidate, what is recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chw_tools.cli.main import main

_EDIT = (
    "models", "edit", "hospital_admission_180d", "v1", "--feature", "age_years",
    "--action", "flatten", "--low", "80", "--by", "Dr Achieng", "--why", "hardly anybody is older",
)  # fmt: skip


@pytest.fixture(scope="module")
def environ(tmp_path_factory):
    home = tmp_path_factory.mktemp("shapes")
    environ = {
        "CHW_HOME": str(home / ".chw"),
        "CHW_MODELS": str(home / "models"),
        "CHW_TRACKING_URI": "off",
    }
    words = ("simulate", str(home / "district"), "--people", "700", "--seed", "3")
    assert main(words, environ) == 0
    assert main(("ingest", str(home / "district")), environ) == 0
    assert main(("train", "--recipe", "additive"), environ) == 0
    return environ


def _shape(environ, capsys, version):
    capsys.readouterr()
    words = ("models", "shape", "hospital_admission_180d", version, "--feature", "age_years")
    assert main((*words, "--json"), environ) == 0
    return [row for row in json.loads(capsys.readouterr().out) if row["part"] == "range"]


def test_an_edited_shape_is_a_new_candidate_that_tells_who_and_why(environ, capsys):
    assert main(_EDIT, environ) == 0
    before, after = (_shape(environ, capsys, version) for version in ("v1", "v2"))
    old = [row["score"] for row in after if (row["low"] or 0) >= 80]
    assert len(set(old)) <= 1
    young = {row["low"]: row["score"] for row in before if row["high"] and row["high"] <= 70}
    kept = {row["low"]: row["score"] for row in after if row["low"] in young}
    assert kept == pytest.approx(young)
    folder = Path(environ["CHW_MODELS"]) / "trained_models/hospital_admission_180d/v2"
    card = (folder / "card.md").read_text(encoding="utf-8")
    assert "Dr Achieng" in card
    assert "hardly anybody is older" in card
    assert "moved: left out" in card
    assert "Nothing." not in card
    assert "v1" in (folder / "manifest.json").read_text(encoding="utf-8")


def test_an_edit_of_no_such_input_is_refused_in_words(environ, capsys):
    words = [*_EDIT]
    words[words.index("age_years")] = "no_such"
    assert main(tuple(words), environ) == 2
    assert "age_years" in capsys.readouterr().err  # what there is


def test_a_shape_is_drawn(environ, tmp_path):
    place = tmp_path / "age.png"
    words = ("models", "shape", "hospital_admission_180d", "v1", "--feature", "age_years")
    assert main((*words, "--plot", str(place)), environ) == 0
    assert place.read_bytes().startswith(b"\x89PNG")
