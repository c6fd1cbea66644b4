"""The Terraform files: tidy, valid, and held to what must be true of every plan, with no cloud."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "deployment/infrastructure/terraform"
#: Where system administrators put mirrors of providers, so that none is fetched.
_MIRRORS = ("/usr/local/share/terraform", "/usr/share/terraform", "/opt")


def _mirror() -> str | None:
    """A folder that holds Terraform's aws provider, if there is one on this machine."""
    if named := os.environ.get("TERRAFORM_PROVIDERS"):
        return named
    aws = "*/registry.terraform.io/hashicorp/aws"
    found = (place for folder in _MIRRORS for place in Path(folder).glob(aws))
    return next((str(place.parents[2]) for place in found), None)


def _terraform() -> str:
    found = shutil.which("terraform")
    if found is None:
        pytest.skip("terraform is not on this machine")
    return found


@pytest.fixture(scope="module")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    mirror = _mirror()
    if mirror is None:
        pytest.skip("no mirror of Terraform's aws provider is on this machine")
    folder = tmp_path_factory.mktemp("terraform") / "terraform"
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns(".terraform*"))
    done = _run(folder, "init", "-backend=false", "-input=false", f"-plugin-dir={mirror}")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("TF_", "AWS_"))}
    return subprocess.run(
        [_terraform(), *words, *(["-no-color"] if words[0] != "fmt" else [])],
        cwd=folder, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_files_are_tidy():
    done = _run(SOURCE, "fmt", "-check", "-recursive")
    assert done.returncode == 0, done.stdout


def test_what_must_hold_of_every_plan_holds(initialised):
    """`terraform test` with a mocked provider; it validates the files too."""
    done = _run(initialised, "test")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "0 failed" in done.stdout


def test_no_state_no_values_and_no_secret_are_in_git():
    tracked = {path.name for path in SOURCE.rglob("*") if ".terraform" not in path.parts}
    assert not [name for name in tracked if name.endswith((".tfstate", ".tfvars"))]
    for path in SOURCE.rglob("*.tf"):
        text = path.read_text(encoding="utf-8")
        assert "password =" not in text.replace("manage_master_user_password =", ""), path
        assert "secret_string" not in text, path
