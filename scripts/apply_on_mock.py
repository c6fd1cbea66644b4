"""Apply the Terraform files to a mock of the cloud on this machine; a second plan changes nothing.

``make terraform-mock`` calls this. The mock is moto, in an environment of its own (`.venv-mock`);
nothing leaves the loopback address, and no account of a cloud is needed. The provider is taken
from a mirror on this machine if ``TERRAFORM_PROVIDERS`` names one.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "deployment/infrastructure/terraform"
_SERVICES = (
    *("acm", "applicationautoscaling", "cloudwatch", "cloudwatchlogs", "ec2", "ecr", "ecs"),
    *("efs", "elbv2", "events", "iam", "kms", "rds", "s3", "secretsmanager", "sns", "sts"),
)
_VALUES = {
    "name": "chw",
    "region": "eu-west-1",
    "zones": ["eu-west-1a", "eu-west-1b"],
    "host_name": "chw.health.example.org",
    "image_tag": "0.1.0",
    "alarm_email": "on-call@health.example.org",
    "sign_in_secret": "a mock needs no secret",
    "sign_in": {
        "issuer": "https://sign-in.health.example.org",
        "authorization_endpoint": "https://sign-in.health.example.org/authorize",
        "token_endpoint": "https://sign-in.health.example.org/token",
        "user_info_endpoint": "https://sign-in.health.example.org/userinfo",
        "client_id": "chw-tools",
    },
    # A mock keeps no final snapshot.
    "deletion_protection": False,
}


def main() -> int:
    """Apply, plan again, destroy; 0 where the second plan is empty."""
    terraform, moto = shutil.which("terraform"), Path(sys.argv[1])
    if terraform is None:
        print("terraform is not on this machine")
        return 1
    port = _free_port()
    with (
        tempfile.TemporaryDirectory(prefix="chw-mock-") as made,
        subprocess.Popen(
            [moto, "-H", "127.0.0.1", "-p", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as mock,
    ):
        try:
            _wait_for(port)
            return run(terraform, Path(made) / "terraform", f"http://127.0.0.1:{port}")
        finally:
            mock.terminate()


def run(terraform: str, folder: Path, mock: str) -> int:
    """Apply to a mock, plan again, destroy."""
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns(".terraform*", "tests"))
    (folder / "mock_override.tf").write_text(override(mock), encoding="utf-8")
    for module, left_out in overrides().items():
        (folder / module / "mock_override.tf").write_text(left_out, encoding="utf-8")
    values = _VALUES | {"certificate_arn": certificate(mock)}
    (folder / "mock.auto.tfvars.json").write_text(json.dumps(values), encoding="utf-8")
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TF_"))}
    environ |= {
        "AWS_ACCESS_KEY_ID": "mock",
        "AWS_SECRET_ACCESS_KEY": "mock",
        "TF_IN_AUTOMATION": "1",
    }

    def act(*words: str, quiet: bool = True) -> int:
        out = subprocess.PIPE if quiet else None
        done = subprocess.run(
            [terraform, *words],
            cwd=folder,
            env=environ,
            stdout=out,
            stderr=out,
            text=True,
            check=False,
        )
        if quiet and done.returncode not in (0, 2):
            print((done.stdout or "")[-3000:], (done.stderr or "")[-6000:])
        return done.returncode

    providers = os.environ.get("TERRAFORM_PROVIDERS")
    mirror = [f"-plugin-dir={providers}"] if providers else []
    began = time.perf_counter()
    if act("init", "-input=false", "-no-color", *mirror):
        return 1
    if act("apply", "-auto-approve", "-input=false", "-no-color"):
        return 1
    listed = subprocess.run(
        [terraform, "state", "list"],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    print(f"applied {len(listed.stdout.split())} resources in {time.perf_counter() - began:.0f} s")
    again = act("plan", "-detailed-exitcode", "-input=false", "-no-color", quiet=True)
    if again == 2:
        act("plan", "-input=false", "-no-color", quiet=False)
    print(f"second plan: {'no changes' if again == 0 else 'CHANGES'}")
    return again


def override(mock: str) -> str:
    """The provider, pointed at the mock instead of the cloud."""
    endpoints = "\n".join(f'    {name} = "{mock}"' for name in _SERVICES)
    return f"""provider "aws" {{
  region                      = "eu-west-1"
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = false
  endpoints {{
{endpoints}
  }}
}}
"""


#: What the mock cannot do, and so is left out of its plan alone; `terraform test` covers it.
_LEFT_OUT = """
resource "aws_efs_backup_policy" "models" {
  count = 0
}
"""
_NOT_SCALED = """
resource "aws_appautoscaling_target" "this" {
  count = 0
}
resource "aws_appautoscaling_policy" "this" {
  count              = 0
  service_namespace  = "ecs"
  resource_id        = "service/chw/chw"
  scalable_dimension = "ecs:service:DesiredCount"
}
"""
#: What the mock takes and does not give back, so that a second plan could not see it.
_FORGOTTEN = {
    "modules/database": {("aws_db_parameter_group", "this"): "parameter"},
    "modules/service": {
        ("aws_ecs_service", "this"): (
            "desired_count, health_check_grace_period_seconds, availability_zone_rebalancing"
        ),
        ("aws_ecs_service", "worker"): "availability_zone_rebalancing",
    },
    "modules/network": {
        (f"aws_vpc_security_group_{way}_rule", name): "description"
        for way, name in (
            ("egress", "entry_to_service"),
            ("egress", "service_to_database"),
            ("egress", "service_to_files"),
            ("ingress", "service_from_entry"),
            ("ingress", "database_from_service"),
            ("ingress", "files_from_service"),
        )
    },
}


def overrides() -> dict[str, str]:
    """What stands in the way of a mock, by module; the files of the project are not changed."""
    made = {"modules/storage": _LEFT_OUT, "modules/service": _NOT_SCALED}
    for module, forgotten in _FORGOTTEN.items():
        made[module] = made.get(module, "") + "".join(
            f'resource "{kind}" "{name}" {{\n  lifecycle {{ ignore_changes = [{what}] }}\n}}\n'
            for (kind, name), what in forgotten.items()
        )
    return made


def certificate(mock: str) -> str:
    """A certificate that the mock knows, since a listener refuses one that nobody has."""
    asked = urllib.request.Request(  # noqa: S310 (the local mock)
        mock,
        data=json.dumps({"DomainName": "chw.health.example.org"}).encode(),
        headers={
            "X-Amz-Target": "CertificateManager.RequestCertificate",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": "AWS4-HMAC-SHA256 Credential=mock/20260101/eu-west-1/acm/aws4_request",
        },
    )
    with urllib.request.urlopen(asked, timeout=20) as answer:  # noqa: S310 (the local mock)
        return str(json.load(answer)["CertificateArn"])


def _wait_for(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/", timeout=2)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit("the mock did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
