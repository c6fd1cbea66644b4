"""What watches the service: alert rules, dashboard, and a real Prometheus beside a real server."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from chw_tools.api.metrics import METRICS
from chw_tools.api.working import WORKER_METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).resolve().parents[2]
_FOLDER = _ROOT / "deployment/monitoring"
_DASHBOARD = json.loads((_FOLDER / "grafana/dashboard.json").read_text(encoding="utf-8"))
_QUERIES = [
    (panel["title"], target["expr"])
    for panel in _DASHBOARD["panels"]
    for target in panel["targets"]
]


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not on this machine")
    return found


def test_promtool_accepts_configuration_and_rules():
    promtool = _tool("promtool")
    for arguments in (
        ["check", "config", "prometheus.yml"],
        ["test", "rules", "alerts_test.yml"],
    ):
        done = subprocess.run(
            [promtool, *arguments], cwd=_FOLDER, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_made_to_fire_by_a_test_and_to_stay_silent_by_another():
    import yaml

    rules = yaml.safe_load((_FOLDER / "alerts.yml").read_text(encoding="utf-8"))
    tests = yaml.safe_load((_FOLDER / "alerts_test.yml").read_text(encoding="utf-8"))["tests"]
    asked = [case for test in tests for case in test["alert_rule_test"]]
    fired = {case["alertname"] for case in asked if case["exp_alerts"]}
    declared = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert fired == declared
    for group in rules["groups"]:
        for rule in group["rules"]:
            assert set(rule["annotations"]) == {"summary", "cure"}


def _series_in(text: str) -> set[str]:
    return set(re.findall(r"\bchw_[a-z_]+", text))


def _declared_series() -> set[str]:
    names = set()
    for metric in (*METRICS, *WORKER_METRICS):
        ends = ("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",)
        names |= {metric.name + end for end in ends}
    return names


def test_alerts_and_dashboard_name_only_series_that_the_service_has():
    alerts = (_FOLDER / "alerts.yml").read_text(encoding="utf-8")
    expressions = " ".join(re.findall(r"expr:(.*?)\n\s+(?:for|labels):", alerts, re.S))
    named = _series_in(expressions).union(*(_series_in(query) for _, query in _QUERIES))
    assert named <= _declared_series()
    assert len(_QUERIES) >= 12


def test_the_dashboard_is_the_one_its_script_writes():
    done = subprocess.run(
        [sys.executable, _ROOT / "scripts/write_dashboard.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_panels_do_not_overlap():
    taken: set[tuple[int, int]] = set()
    for panel in _DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running server over a small simulated district with a plan."""
    import os

    home = tmp_path_factory.mktemp("served")
    chw = [sys.executable, "-c", "from chw_tools.cli.main import run; run()"]
    environ = os.environ | {"CHW_HOME": str(home / ".chw"), "CHW_MODELS": str(home / "models")}

    def run(*arguments: str) -> None:
        subprocess.run([*chw, *arguments], env=environ, check=True, capture_output=True)

    run("simulate", str(home / "district"), "--people", "200", "--seed", "3")
    run("ingest", str(home / "district"))
    run("plan")
    command = [*chw, "serve", "--port", "0"]
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        line = ""
        while "http://" not in line:
            line = server.stdout.readline()
            assert line, "the server ended"
        yield re.search(r"http://127\.0\.0\.1:(\d+)", line).group(1)  # type: ignore[union-attr]
        server.terminate()
        server.communicate(timeout=20)


@pytest.fixture(scope="module")
def prometheus(served: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Prometheus that scrapes the server each second and judges the shipped rules."""
    folder = tmp_path_factory.mktemp("prometheus")
    config = (_FOLDER / "prometheus.yml").read_text(encoding="utf-8")
    config = config.replace("127.0.0.1:8000", f"127.0.0.1:{served}").replace("30s", "1s")
    (folder / "prometheus.yml").write_text(config, encoding="utf-8")
    # As shipped, but without waiting: minutes would have to pass for an alert to fire.
    rules = (_FOLDER / "alerts.yml").read_text(encoding="utf-8")
    (folder / "alerts.yml").write_text(re.sub(r"for: \w+", "for: 0s", rules), encoding="utf-8")
    port = _free_port()
    command = [
        _tool("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        process.wait(timeout=20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _ask(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310
        return json.load(answer)["data"]


def _wait_for(question: Any, *, seconds: float = 40) -> Any:
    """The first answer that is not empty; the last one when time is up."""
    until = time.monotonic() + seconds
    found = None
    while not found and time.monotonic() < until:
        try:
            found = question()
        except OSError:
            found = None
        time.sleep(0.25)
    return found


def _query(prometheus: str, expression: str) -> list[Any]:
    asked = urllib.parse.quote(expression)
    return _ask(f"{prometheus}/api/v1/query?query={asked}")["result"]


def test_a_real_prometheus_scrapes_the_server(prometheus):
    assert _wait_for(lambda: _query(prometheus, 'up{job="chw"} == 1'))
    people = _wait_for(lambda: _query(prometheus, 'chw_records{table="people"}'))
    assert float(people[0]["value"][1]) >= 200
    assert _query(prometheus, "chw_up == 1")


def test_every_panel_of_the_dashboard_gets_an_answer(prometheus, served):
    for path in ("readyz", "nowhere"):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{served}/{path}", timeout=10)
        except urllib.error.HTTPError as refused:
            assert refused.code == 404  # noqa: PT017 - an address that nothing serves
    silent = {"{{kind}} a second"}  # nothing broke
    for panel in _DASHBOARD["panels"]:
        for target in panel["targets"]:
            # A worker's series are held to their names above; none runs beside this server.
            is_worker = any(metric.name in target["expr"] for metric in WORKER_METRICS)
            if target["legendFormat"] not in silent and not is_worker:
                found = _wait_for(lambda query=target["expr"]: _query(prometheus, query))
                assert found, f"{panel['title']}: {target['expr']}"


def test_an_alert_fires_in_the_real_prometheus(prometheus):
    """The simulated records are years old, so the shipped rule must say that data are old."""

    def old() -> list[Any]:
        alerts = _ask(f"{prometheus}/api/v1/alerts")["alerts"]
        return [a for a in alerts if a["labels"]["alertname"] == "ChwDataOld"]

    fired = _wait_for(old)
    assert fired
    assert fired[0]["state"] == "firing"
