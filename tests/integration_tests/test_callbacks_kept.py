"""From a provider's signed callback over HTTP to a stopped number in the store, and no further."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from chw_tools.api.app import build_app
from chw_tools.messaging.signing import sign_twilio
from chw_tools.settings import read_settings
from chw_tools.store.tables import WORK
from chw_tools.web.acts import Acts
from chw_tools.wiring import build_parts

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PUBLIC = "https://chw.example/callbacks/twilio"
GATEWAYS = """
public_url = "https://chw.example"
[sms]
provider = "twilio"
account = "AC1"
token = "file:{token}"
sender = "+15005550006"
"""


@pytest.fixture
def acts(tmp_path: Path) -> Iterator[Acts]:
    (tmp_path / "token").write_text("the-token", encoding="utf-8")
    gateways = tmp_path / "gateways.toml"
    gateways.write_text(GATEWAYS.format(token=tmp_path / "token"), encoding="utf-8")
    environ = {"CHW_HOME": str(tmp_path / "home"), "CHW_MODELS": str(tmp_path / "models")}
    parts = build_parts(read_settings(environ | {"CHW_GATEWAYS": str(gateways)}))
    yield Acts(parts)
    parts.close()


def tell(acts: Acts, **fields: str) -> int:
    browser = TestClient(build_app(acts), client=("127.0.0.1", 5000), base_url="http://tunnel")
    signature = sign_twilio("the-token", PUBLIC, list(fields.items()))
    answer = browser.post(
        "/callbacks/twilio",
        content=urlencode(fields),
        headers={
            "content-type": "application/x-www-form-urlencoded",
            "x-twilio-signature": signature,
        },
    )
    return answer.status_code


def stopped(acts: Acts) -> list[bool]:
    with acts.parts.store.working() as connection:
        rows = connection.execute(WORK["contact_points"].select())
        return [bool(row._mapping["is_opted_out"]) for row in rows]


def test_stop_is_done_when_the_answer_is_out(acts: Acts) -> None:
    message = {"MessageSid": "SM1", "From": "+254712345678", "To": "+1", "Body": "ACHA"}
    assert tell(acts, **message) == 200
    assert stopped(acts) == [True]
    assert [one.state for one in acts.inbox.letters()] == ["opted_out"]


def test_a_replay_and_an_unknown_report_change_nothing(acts: Acts, caplog) -> None:
    message = {"MessageSid": "SM1", "From": "+254712345678", "To": "+1", "Body": "hello there"}
    for _ in range(3):
        assert tell(acts, **message) == 200
    assert tell(acts, MessageSid="SM9", MessageStatus="delivered", To="+254712345678") == 200
    assert [one.state for one in acts.inbox.letters()] == ["to_a_human"]
    assert acts.reported.status(now=acts.inbox.letters()[0].received_at).n_unmatched_receipts == 1
    # Neither number nor words were logged.
    assert "254712345678" not in caplog.text
    assert "hello" not in caplog.text


def test_a_wrong_signature_leaves_no_trace(acts: Acts) -> None:
    browser = TestClient(build_app(acts), client=("127.0.0.1", 5000), base_url="http://tunnel")
    body = urlencode({"MessageSid": "SM1", "From": "+254712345678", "Body": "STOP"})
    assert browser.post("/callbacks/twilio", content=body).status_code == 403
    assert acts.inbox.letters() == []
