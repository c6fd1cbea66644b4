"""Serving others than this machine: only through a proxy that signs people in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chw_tools.api.app import build_app
from chw_tools.api.behind_proxy import SECRET_HEADER, Proxy, read_proxy
from chw_tools.api.serving import listen
from chw_tools.errors import SettingsFault
from chw_tools.settings import read_settings
from chw_tools.testing.acts import ADULT

SECRET = "s" * 64
METRICS = "m" * 64
PROXY = Proxy(secret=SECRET, hosts=frozenset({"chw.example.org"}), metrics_secret=METRICS)
HANDED_ON = {SECRET_HEADER: SECRET, "x-forwarded-proto": "https"}


@pytest.fixture
def proxied(client, acts):
    return type(client)(
        build_app(acts, proxy=PROXY),
        base_url="http://chw.example.org",
        client=("172.20.0.9", 4000),
        follow_redirects=False,
    )


def test_what_the_proxy_hands_on_is_answered(proxied):
    answer = proxied.get(f"/api/v1/people/{ADULT}", headers=HANDED_ON)
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"].startswith("max-age=31536000")


@pytest.mark.parametrize(
    "path", ["/", f"/people/{ADULT}", "/api/v1/day", "/metrics", "/static/app.css"]
)
@pytest.mark.parametrize("given", ["", SECRET[:-1], SECRET + "s", METRICS, "Ä" * 64])
def test_without_the_secret_nothing_but_health_is_answered(proxied, path, given):
    headers = {SECRET_HEADER: given.encode("latin-1"), "x-forwarded-proto": "https"}
    answer = proxied.get(path, headers=headers)
    assert answer.status_code == 403
    assert "Only the proxy" in answer.text


def test_this_machine_has_no_privilege_behind_a_proxy(acts, client):
    local = type(client)(
        build_app(acts, proxy=PROXY), base_url="http://127.0.0.1", client=("127.0.0.1", 4000)
    )
    assert local.get("/api/v1/day").status_code == 403
    assert local.get("/healthz").status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_told_to_whatever_keeps_the_service_running(proxied, path):
    assert proxied.get(path, headers={"host": "10.1.2.3:8000"}).status_code == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [(f"Bearer {METRICS}", 200), (f"bearer  {METRICS}", 200), (f"Basic {METRICS}", 403),
     (f"Bearer {SECRET}", 403), ("Bearer", 403)],
)  # fmt: skip
def test_prometheus_has_a_secret_of_its_own(proxied, sent, status):
    assert proxied.get("/metrics", headers={"authorization": sent}).status_code == status
    assert proxied.get("/api/v1/day", headers={"authorization": sent}).status_code == 403


def test_without_a_metrics_secret_no_bearer_is_prometheus(client, acts):
    app = build_app(acts, proxy=replace(PROXY, metrics_secret=""))
    one = type(client)(app, base_url="http://chw.example.org", client=("172.20.0.9", 1))
    assert one.get("/metrics", headers={"authorization": "Bearer "}).status_code == 403
    assert one.get("/metrics", headers=HANDED_ON).status_code == 200


def test_plain_http_is_refused_and_not_redirected(proxied):
    for proto in ("http", "", "HTTPS"):
        headers = HANDED_ON | {"x-forwarded-proto": proto}
        assert proxied.get("/", headers=headers).status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "chw.example.org.evil.example", "127.0.0.1"])
def test_another_host_name_is_refused(proxied, host):
    assert proxied.get("/", headers=HANDED_ON | {"host": host}).status_code == 421


def test_host_names_have_no_case(proxied):
    headers = HANDED_ON | {"host": "CHW.Example.org:443"}
    assert proxied.get("/api/v1/day", headers=headers).status_code == 200


def test_a_form_from_another_site_changes_nothing(proxied, acts):
    form, path = {"on": "2026-01-05"}, f"/people/{ADULT}/died"
    for more in ({"origin": "https://evil.example"}, {"sec-fetch-site": "same-site"}, {}):
        assert proxied.post(path, data=form, headers=HANDED_ON | more).status_code == 403
    assert acts.people[ADULT].status == "in the register"
    ours = HANDED_ON | {"origin": "https://chw.example.org"}
    assert proxied.post(path, data=form, headers=ours).status_code == 303
    assert acts.people[ADULT].status == "died"


def test_a_websocket_is_closed(proxied):
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), proxied.websocket_connect("/", headers=HANDED_ON):
        pass


def _settings(tmp_path, **more):
    (tmp_path / "secret").write_text(SECRET + "\n", encoding="ascii")
    (tmp_path / "metrics").write_text(METRICS + "\n", encoding="ascii")
    given = {
        "CHW_PROXY_SECRET_FILE": str(tmp_path / "secret"),
        "CHW_METRICS_SECRET_FILE": str(tmp_path / "metrics"),
        "CHW_PUBLIC_HOSTS": "chw.example.org",
    }
    return read_settings({k: v for k, v in (given | more).items() if v})


def test_settings_make_the_proxy(tmp_path):
    assert read_proxy(_settings(tmp_path)) == PROXY
    assert read_proxy(_settings(tmp_path, CHW_METRICS_SECRET_FILE="")).metrics_secret == ""
    assert read_proxy(read_settings({})) is None


def test_with_a_proxy_others_may_reach_the_port(tmp_path):
    with listen("0.0.0.0", 0, proxy=read_proxy(_settings(tmp_path))) as listening:  # noqa: S104
        assert listening.getsockname()[0] == "0.0.0.0"  # noqa: S104


@pytest.mark.parametrize(
    ("missing", "named"),
    [("CHW_PUBLIC_HOSTS", "CHW_PUBLIC_HOSTS"), ("CHW_PROXY_SECRET_FILE", "CHW_PROXY_SECRET_FILE")],
)
def test_half_a_proxy_is_refused(tmp_path, missing, named):
    with pytest.raises(SettingsFault, match="is missing") as refused:
        read_proxy(_settings(tmp_path, **{missing: ""}))
    assert refused.value.where == named
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"hunter2", b"a" * 31, b"\xff" * 40])
def test_a_weak_or_unreadable_secret_is_refused_and_not_shown(tmp_path, content):
    settings = _settings(tmp_path)
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(SettingsFault, match="openssl rand") as refused:
        read_proxy(settings)
    assert not content or content.decode("latin-1") not in str(refused.value)


def test_a_missing_secret_file_is_named(tmp_path):
    with pytest.raises(SettingsFault, match="No such file"):
        read_proxy(_settings(tmp_path, CHW_PROXY_SECRET_FILE=str(tmp_path / "none")))
