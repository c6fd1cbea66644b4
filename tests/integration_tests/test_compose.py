"""The file that starts everything on one machine, held to what it starts."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from chw_tools.settings import read_settings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
DOCKERFILE = (ROOT / "deployment/api/Dockerfile").read_text(encoding="utf-8")


def test_only_the_proxy_can_be_reached_from_outside():
    for name, service in SERVICES.items():
        for port in service.get("ports", []):
            assert name == "proxy" or port.startswith("127.0.0.1:"), name
    for name in ("chw", "db", "migrate"):
        assert SERVICES[name]["networks"] == ["inside"]
        assert "ports" not in SERVICES[name]
    assert COMPOSE["networks"]["inside"] == {"internal": True}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_is_confined(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service["image"].endswith(":latest")


def test_whatever_is_mounted_or_waited_for_is_there():
    for name, service in SERVICES.items():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            known = source in COMPOSE["volumes"] or (ROOT / source).exists()
            assert known, (name, source)
        assert set(service.get("secrets", [])) <= COMPOSE["secrets"].keys(), name
        assert set(service.get("depends_on", {})) <= SERVICES.keys(), name


def test_settings_and_secrets_are_ones_that_the_program_reads():
    known = set(read_settings({}).shown()) | {"CHW_DATABASE_URL_FILE"}
    environment = SERVICES["chw"]["environment"]
    assert set(environment) <= known
    for name, value in environment.items():
        if name.endswith("_FILE"):
            assert value.removeprefix("/run/secrets/") in SERVICES["chw"]["secrets"]
    inside = set(re.findall(r"\b(CHW_[A-Z_]+)=", DOCKERFILE))
    assert inside <= known


def test_the_image_is_built_from_the_locked_packages_and_runs_without_rights():
    assert "--require-hashes" in DOCKERFILE
    assert "--no-deps" in DOCKERFILE
    assert DOCKERFILE.count("FROM ") == 2
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.M)
    assert "HEALTHCHECK" in DOCKERFILE
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    for path in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.M):
        for one in path.split():
            assert (ROOT / one).exists(), one
            assert f"!{one}" in ignored, one


def test_secrets_are_drawn_once_and_shown_to_nobody(tmp_path):
    folder = tmp_path / "secrets"
    write = [sys.executable, ROOT / "scripts/write_secrets.py", folder]
    first = subprocess.run(write, capture_output=True, text=True, check=True).stdout
    assert set(COMPOSE["secrets"]) == {path.name for path in folder.iterdir()}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    drawn = {path.name: path.read_text(encoding="ascii") for path in folder.iterdir()}
    assert len({drawn[n] for n in ("proxy_secret", "metrics_secret", "database_password")}) == 3
    assert drawn["database_password"] in drawn["database_url"]
    assert not [word for word in drawn.values() if word and word in first]
    again = subprocess.run(write, capture_output=True, text=True, check=True).stdout
    assert "nothing was missing" in again
    assert drawn == {path.name: path.read_text(encoding="ascii") for path in folder.iterdir()}
    for named in COMPOSE["secrets"].values():
        assert named["file"].startswith("./deployment/secrets/")
    assert "deployment/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8")


def test_prune_keeps_what_is_needed(tmp_path):
    packages = tmp_path / "lib/python3.11/site-packages"
    for name in (
        "pip/x.py",
        "numpy/tests/t.py",
        "numpy/a.py",
        "numpy/a.pyi",
        "chw_tools/tests/a.py",
    ):
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_text("x", encoding="ascii")
    script = ROOT / "deployment/api/prune_environment.py"
    subprocess.run([sys.executable, script, tmp_path], check=True, capture_output=True)
    left = sorted(str(p.relative_to(packages)) for p in packages.rglob("*") if p.is_file())
    assert left == ["chw_tools/tests/a.py", "numpy/a.py"]


def test_what_the_build_is_told_is_what_the_dockerfile_asks_for():
    script = (ROOT / "scripts/build_image.py").read_text(encoding="utf-8")
    told = set(re.findall(r"\b(BASE_IMAGE|PIP_[A-Z_]+)=", script))
    assert told == set(re.findall(r"^ARG ([A-Z_]+)", DOCKERFILE, re.M))
