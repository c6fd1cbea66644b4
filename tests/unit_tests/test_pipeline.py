"""The pipeline calls make verbs and nothing else, and each verb is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / ".github/workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def _steps(path):
    told = yaml.safe_load(path.read_text(encoding="utf-8"))
    for job in told["jobs"].values():
        assert "timeout-minutes" in job
        yield from job["steps"]


def test_the_brief_has_its_pipelines():
    assert [path.stem for path in FILES] == ["ci", "models", "release"]
    called = {step["run"] for path in FILES for step in _steps(path) if "run" in step}
    assert called >= {"make lint", "make test", "make image", "make model-gate", "make release"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_step_is_one_verb_of_the_makefile(path):
    for step in _steps(path):
        assert set(step) <= {"uses", "with", "run"}
        if "run" in step:
            verb = re.fullmatch(r"make ([a-z-]+)", step["run"])
            assert verb, step["run"]
            assert re.search(rf"^{verb.group(1)}:", MAKEFILE, re.M), verb.group(1)
        else:
            # A version, so that another's change is seen before it runs here.
            assert re.search(r"@v\d+$", step["uses"]), step["uses"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_pipeline_may_only_read(path):
    told = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert told["permissions"] == {"contents": "read"}


def test_every_verb_is_listed_told_and_leads_to_files_that_exist():
    phony = set(re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.M).group(1).split())
    verbs = set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.M))
    assert phony == verbs | ({"install-dev"} & phony)
    for script in re.findall(r"scripts/\w+\.py", MAKEFILE):
        assert (ROOT / script).is_file(), script


def test_make_itself_understands_the_file():
    done = subprocess.run(
        ["make", "--dry-run", "help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
