"""The manifests: built by kubectl, held to Kubernetes' own schemas, and to each other."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from chw_tools.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).resolve().parents[2] / "deployment/infrastructure/kubernetes"
OVERLAYS = ("district", "ministry")
VERSION = "1.31"
#: Made by hand or by the cluster, as deployment_instructions.md says; never in git.
SECRETS = {
    "chw-secrets": {"database_url", "proxy_secret", "metrics_secret"},
    "chw-migration-secrets": {"database_url", "proxy_secret", "metrics_secret"},
    "chw-accounts": {"accounts"},
    "chw-database": {"password"},
    "chw-sso": {"client_secret", "cookie_secret"},
    "chw-tls": set(),
}
#: Made only where messages are to reach people; pods start without it.
OPTIONAL_SECRETS = {"chw-gateways"}
#: Read by the proxy's configuration.
OF_THE_PROXY = {
    "CHW_SITE", "CHW_UPSTREAM", "CHW_ACCOUNTS", "CHW_SSO", "CHW_PROXY_SECRET", "CHW_TRUSTED_PROXIES"
}  # fmt: skip


@cache
def _built(overlay: str) -> tuple[dict[str, Any], ...]:
    import yaml

    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not on this machine")
    command = [kubectl, "kustomize", str(FOLDER / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


@pytest.fixture(params=OVERLAYS)
def built(request: pytest.FixtureRequest) -> tuple[dict[str, Any], ...]:
    return _built(request.param)


def _named(built: tuple[dict[str, Any], ...], kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in built if one["kind"] == kind}


def _templates(built: tuple[dict[str, Any], ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    for one in built:
        spec = one.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            yield one["metadata"]["name"], spec["template"]


def _validate(document: dict[str, Any]) -> None:
    validator = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is missing")
    validator.validate(document, VERSION, strict=True)


def test_every_document_is_what_kubernetes_takes(built):
    for document in built:
        _validate(document)
    kinds = {one["kind"] for one in built}
    assert kinds >= {
        "Deployment", "Service", "Ingress", "HorizontalPodAutoscaler", "PodDisruptionBudget",
        "NetworkPolicy", "Job", "CronJob", "ConfigMap", "PersistentVolumeClaim"
    }  # fmt: skip


def test_a_typing_error_would_be_found(built):
    import copy

    server = copy.deepcopy(_named(built, "Deployment")["chw"])
    container = server["spec"]["template"]["spec"]["containers"][0]
    container["readynessProbe"] = container.pop("readinessProbe")
    with pytest.raises(Exception, match="readynessProbe"):
        _validate(server)


def test_every_container_is_confined(built):
    for name, template in _templates(built):
        pod = template["spec"]
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in pod["containers"]:
            limits = container["securityContext"]
            assert limits["readOnlyRootFilesystem"] is True, name
            assert limits["allowPrivilegeEscalation"] is False, name
            assert limits["capabilities"]["drop"] == ["ALL"], name
            assert set(limits["capabilities"].get("add", [])) <= {"NET_BIND_SERVICE"}, name
            assert container["resources"]["requests"].keys() >= {"cpu", "memory"}, name
            assert "memory" in container["resources"]["limits"], name
            assert ":" in container["image"], name
            assert not container["image"].endswith(":latest"), name


def test_what_serves_is_probed(built):
    for name, one in (_named(built, "Deployment") | _named(built, "StatefulSet")).items():
        for container in one["spec"]["template"]["spec"]["containers"]:
            assert "readinessProbe" in container, name
            ports = {port["name"] for port in container["ports"]}
            for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
                asked = container.get(probe, {}).get("httpGet")
                assert asked is None or asked["port"] in ports, name
    server = _named(built, "Deployment")["chw"]["spec"]["template"]["spec"]["containers"][0]
    assert server["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert server["livenessProbe"]["httpGet"]["path"] == "/healthz"


def test_whatever_is_referred_to_is_there(built):
    there = {kind: set(_named(built, kind)) for kind in ("ConfigMap", "PersistentVolumeClaim")}
    there["Secret"] = set(SECRETS)
    for name, template in _templates(built):
        pod = template["spec"]
        volumes = {one["name"]: one for one in pod.get("volumes", [])}
        claims = _claims_of(built, name)
        for volume in volumes.values():
            for kind, found in _references(volume):
                is_there = found in there[kind]
                assert is_there or found in OPTIONAL_SECRETS, (name, found)
                assert is_there != bool(volume.get("secret", {}).get("optional")), (name, found)
        for container in pod["containers"]:
            mounted = {mount["name"] for mount in container["volumeMounts"]} if (
                "volumeMounts" in container
            ) else set()  # fmt: skip
            assert mounted <= volumes.keys() | claims, name
            for source in container.get("envFrom", []):
                assert source["configMapRef"]["name"] in there["ConfigMap"], name
            for variable in container.get("env", []):
                if secret := variable.get("valueFrom", {}).get("secretKeyRef"):
                    assert secret["key"] in SECRETS[secret["name"]], name


def _claims_of(built: tuple[dict[str, Any], ...], name: str) -> set[str]:
    stateful = _named(built, "StatefulSet").get(name, {})
    templates = stateful.get("spec", {}).get("volumeClaimTemplates", [])
    return {claim["metadata"]["name"] for claim in templates}


def _references(volume: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "configMap" in volume:
        yield "ConfigMap", volume["configMap"]["name"]
    if "secret" in volume:
        yield "Secret", volume["secret"]["secretName"]
    if "persistentVolumeClaim" in volume:
        yield "PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]


def test_services_and_policies_find_their_pods(built):
    labels = [template["metadata"]["labels"] for _, template in _templates(built)]

    def is_found(selector: dict[str, str]) -> bool:
        return any(selector.items() <= one.items() for one in labels)

    for service in _named(built, "Service").values():
        assert is_found(service["spec"]["selector"])
    for budget in _named(built, "PodDisruptionBudget").values():
        assert is_found(budget["spec"]["selector"]["matchLabels"])
    for policy in _named(built, "NetworkPolicy").values():
        assert is_found(policy["spec"]["podSelector"].get("matchLabels", {}))
        rules = policy["spec"].get("ingress", []) + policy["spec"].get("egress", [])
        for rule in rules:
            for peer in rule.get("from", []) + rule.get("to", []):
                assert is_found(peer.get("podSelector", {}).get("matchLabels", {}))


def test_people_come_in_through_the_proxy_alone(built):
    (ingress,) = _named(built, "Ingress").values()
    backends = [
        path["backend"]["service"]["name"]
        for rule in ingress["spec"]["rules"]
        for path in rule["http"]["paths"]
    ]
    assert backends == ["proxy"]
    assert ingress["spec"]["tls"]
    policies = _named(built, "NetworkPolicy")
    assert policies["nothing-else"]["spec"] == {
        "podSelector": {}, "policyTypes": ["Ingress", "Egress"]
    }  # fmt: skip
    (server,) = policies["server"]["spec"]["ingress"]
    assert [sorted(peer) for peer in server["from"]] == [["podSelector"], ["namespaceSelector"]]
    host = ingress["spec"]["rules"][0]["host"]
    assert ingress["spec"]["tls"][0]["hosts"] == [host]
    assert _named(built, "ConfigMap")["chw-settings"]["data"]["CHW_PUBLIC_HOSTS"] == host


def test_every_setting_is_one_that_the_program_reads(built):
    known = set(read_settings({}).shown()) | {"CHW_DATABASE_URL_FILE"}
    assert set(_named(built, "ConfigMap")["chw-settings"]["data"]) <= known
    for name, template in _templates(built):
        for container in template["spec"]["containers"]:
            given = {one["name"] for one in container.get("env", [])}
            named = {one for one in given if one.startswith("CHW_")}
            assert named <= known | OF_THE_PROXY, name


def test_every_command_is_one_of_ours(built):
    from chw_tools.cli.main import app

    ours = {command.name or command.callback.__name__ for command in app.registered_commands}
    used = [
        container["args"][0]
        for _, template in _templates(built)
        for container in template["spec"]["containers"]
        if container["name"] == "chw"
    ]
    assert sorted(used) == ["migrate", "plan", "serve", "worker"]
    groups = {group.name for group in app.registered_groups}
    assert set(used) <= ours | groups


def test_no_secret_is_in_git():
    for path in (FOLDER.parents[1]).rglob("*.y*ml"):
        assert "kind: Secret" not in path.read_text(encoding="utf-8"), path
