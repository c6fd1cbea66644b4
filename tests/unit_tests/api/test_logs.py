"""A log line is made of allowed keys; nothing else that a record carries gets out."""

from __future__ import annotations

import io
import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chw_tools.api.logs import ALLOWED, AllowedOnly, set_up_logs

CANARY = "Canaria Zzyzx +255700123456"


def _line(**fields):
    record = logging.makeLogRecord({"name": "chw_tools.access", "msg": "request", **fields})
    return json.loads(AllowedOnly().format(record))


def test_a_line_holds_the_event_and_its_allowed_keys():
    line = _line(route="/people/{person_id}", status=200, milliseconds=1.5, method="GET")
    assert line["event"] == "request"
    assert {k: line[k] for k in ("route", "status", "milliseconds", "method")} == {
        "route": "/people/{person_id}",
        "status": 200,
        "milliseconds": 1.5,
        "method": "GET",
    }
    assert line["at"].endswith("+00:00")


@pytest.mark.parametrize("key", [*ALLOWED, "name_of_person", "query", "body"])
def test_a_value_of_another_form_is_left_out_under_every_key(key):
    assert CANARY not in json.dumps(_line(**{key: CANARY}))


@given(st.text(min_size=1), st.sampled_from(["uvicorn.error", "sqlalchemy.engine", "root"]))
def test_text_of_others_never_gets_out(text, logger):
    line = _line(name=logger, msg=text)
    assert line["event"] == "message"
    assert set(line) == {"at", "level", "logger", "event"}


@given(st.text())
def test_our_own_free_text_is_no_event(text):
    line = _line(msg=f"{text} {CANARY}")
    assert CANARY not in json.dumps(line, ensure_ascii=False)


def test_an_event_with_arguments_is_not_spelled_out():
    assert _line(msg="request", args=(CANARY,))["event"] == "message"


def test_an_error_is_told_by_kind_and_place_only():
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        set_up_logs(stream)
        try:
            raise RuntimeError(CANARY)
        except RuntimeError:
            logging.getLogger("uvicorn.error").exception("while serving %s", CANARY)
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    line = json.loads(stream.getvalue())
    assert line["kind"] == "RuntimeError"
    assert line["place"].split(":")[0].endswith("test_logs")
    assert CANARY not in stream.getvalue()
