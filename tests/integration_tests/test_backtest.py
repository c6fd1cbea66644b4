"""From the command to the report: a backtest of the simulated programme says that it is one."""

from __future__ import annotations

import json

import pytest

from chw_tools.cli.main import main


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("backtest")
    environ = {"CHW_HOME": str(folder / "home"), "CHW_MODELS": str(folder / "models")}
    place = str(folder / "district")
    assert main(["simulate", place, "--people", "900", "--seed", "3"], environ) == 0
    assert main(["ingest", place], environ) == 0
    return environ


_QUICK = ["backtest", "--recipe", "logistic", "--origins", "1", "--refits", "1"]


def test_a_backtest_tells_its_rules_and_keeps_each_report(world, capsys):
    capsys.readouterr()
    words = [*_QUICK, "--feature", "n_admissions_365d", "--feature=-age_years", "--json"]
    assert main([*words, "--score", "framingham_bmi"], world) == 0
    said = json.loads(capsys.readouterr().out)
    rules = {row["rule"] for row in said["table"]}
    assert {"logistic", "prevalence", "random", "oldest", "most_overdue"} <= rules
    assert {"Admissions in the last year", "Age, lowest first"} <= rules
    assert len(rules) == 8
    assert said["population"] == "simulated"
    assert main(_QUICK, world) == 0
    spoken = capsys.readouterr().out
    assert "proves plumbing, not medicine" in spoken
    assert "v2" in spoken


def test_an_unknown_feature_or_score_is_refused(world, capsys):
    assert main([*_QUICK, "--feature", "no_such"], world) == 1
    assert "no_such" in capsys.readouterr().err
    assert main([*_QUICK, "--score", "no_such"], world) == 1
