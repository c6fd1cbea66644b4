"""The proxy that signs people in, in front of a real server, over real HTTPS."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).resolve().parents[2] / "deployment/proxy"
SECRET = "0123456789abcdef" * 4
GATEWAYS = """
[sms]
provider = "webhook"
url = "https://gateway.example/send"
secret = "env:WEBHOOK_SECRET"
"""
SERVE = [sys.executable, "-c", "from chw_tools.cli.main import run; run()", "serve", "--port", "0"]


def _caddy() -> str:
    found = shutil.which("caddy")
    if found is None:
        pytest.skip("caddy is not on this machine")
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The proxy's address and the server's own."""
    caddy, home = _caddy(), tmp_path_factory.mktemp("proxied")
    (home / "secret").write_text(SECRET, encoding="ascii")
    hashed = subprocess.run(
        [caddy, "hash-password", "--plaintext", "a long word"],
        capture_output=True,
        text=True,
        check=True,
    )
    (home / "accounts").write_text(f"amina {hashed.stdout.strip()}\n", encoding="ascii")
    port = _free_port()
    (home / "gateways.toml").write_text(GATEWAYS, encoding="utf-8")
    environ = os.environ | {
        "CHW_GATEWAYS": str(home / "gateways.toml"),
        "WEBHOOK_SECRET": SECRET,
        "CHW_HOME": str(home / "home"),
        "CHW_MODELS": str(home / "models"),
        "CHW_HOST": "0.0.0.0",  # noqa: S104
        "CHW_PUBLIC_HOSTS": "localhost",
        "CHW_PROXY_SECRET_FILE": str(home / "secret"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "CHW_SITE": f"localhost:{port}",
        "CHW_PROXY_SECRET": SECRET,
        "CHW_ACCOUNTS": str(home / "accounts"),
    }
    # A certificate of its own, trusted by nobody: nothing is put into this machine's store.
    given = (FOLDER / "Caddyfile").read_text(encoding="utf-8")
    tame = "admin off\n\tskip_install_trust\n\tauto_https disable_redirects"
    (home / "Caddyfile").write_text(given.replace("admin off", tame), encoding="utf-8")
    with subprocess.Popen(SERVE, env=environ, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        line = next(one for one in server.stdout if one.startswith("Open "))
        own = line.split()[1].replace("0.0.0.0", "127.0.0.1").rstrip("/")  # noqa: S104
        environ["CHW_UPSTREAM"] = own.removeprefix("http://")
        command = [caddy, "run", "--config", str(home / "Caddyfile")]
        with subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL) as proxy:
            site = f"https://localhost:{port}"
            _wait_for(site)
            yield site, own
            proxy.terminate()
        server.terminate()


def _wait_for(site: str) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            if _get(f"{site}/healthz") == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the proxy did not start")


def _get(address: str, *, password: str = "", body: bytes | None = None, **headers: str) -> int:
    if password:
        headers["Authorization"] = (
            "Basic " + base64.b64encode(f"amina:{password}".encode()).decode()
        )
    # A name with a hyphen is no keyword.
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    blind = ssl.create_default_context()
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
    asked = urllib.request.Request(address, data=body, headers=sent)  # noqa: S310
    try:
        with urllib.request.urlopen(asked, context=blind, timeout=20) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


PAGE = "/api/v1/openapi.json"


def test_who_signs_in_is_served(addresses):
    site, _ = addresses
    assert _get(site + PAGE, password="a long word") == 200


def test_nobody_else_is(addresses):
    site, own = addresses
    assert _get(site + PAGE) == 401
    assert _get(site + PAGE, password="another word") == 401
    assert _get(own + PAGE) == 403
    # What a client says of itself is not taken for the proxy's word.
    assert _get(site + PAGE, x_chw_proxy_secret=SECRET) == 401
    assert _get(own + PAGE, x_forwarded_proto="https", host="localhost") == 403


def test_health_is_told_and_the_counters_are_not(addresses):
    site, own = addresses
    assert _get(site + "/readyz") == 200
    assert _get(site + "/metrics", password="a long word") == 404
    assert _get(own + "/metrics") == 403


def test_a_provider_needs_no_password_but_its_signature(addresses):
    from chw_tools.messaging.signing import sign_own

    site, own = addresses
    place, body = "/callbacks/webhook", b'{"id": "1", "from": "+254712345678", "text": "STOP"}'
    good = sign_own(SECRET, body, at_seconds=int(time.time()))
    assert _get(site + place, body=body, x_chw_signature=good) == 200
    assert _get(site + place, body=body, x_chw_signature="t=0,v1=0") == 403
    assert _get(site + place, body=body + b" ", x_chw_signature=good) == 403
    assert _get(own + place, body=body, x_chw_signature=good) == 403
    assert _get(site + "/callbacks/../people", body=body) in (401, 403)


@pytest.mark.parametrize("name", ["Caddyfile", "Caddyfile.sso"])
def test_caddy_accepts_the_configuration(tmp_path, name):
    (tmp_path / "accounts").write_text("amina $2a$14$" + "a" * 53, encoding="ascii")
    environ = os.environ | {"CHW_ACCOUNTS": str(tmp_path / "accounts"), "CHW_PROXY_SECRET": SECRET}
    command = [_caddy(), "validate", "--adapter", "caddyfile", "--config", str(FOLDER / name)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
