"""An approval can be signed, and where keys are trusted it must be."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chw_tools.errors import ModelRefused, SettingsFault
from chw_tools.model_registry import approve_model, roll_back
from chw_tools.model_registry.signatures import (
    key_id,
    new_key,
    read_signing_key,
    read_trusted_keys,
)

_BY = {"by": "Dr Achieng", "at": datetime(2026, 2, 2, tzinfo=UTC)}


def _trusting(registry, *keys):
    return replace(registry, trusted_keys=keys)


def test_a_signed_approval_is_loaded_by_those_who_trust_the_key(registry, keep):
    keep()
    private, public = new_key()
    approve_model(registry, "fall", "v1", private_key=private, **_BY)
    assert _trusting(registry, public).load_model("fall").version == "v1"
    _, other = new_key()
    with pytest.raises(ModelRefused, match="no trusted key") as refused:
        _trusting(registry, other).load_model("fall")
    assert "CHW_SIGNING_KEY" in refused.value.cure
    assert registry.load_model("fall").version == "v1"


def test_an_approval_that_nobody_signed_is_not_trusted(registry, keep):
    keep()
    _, public = new_key()
    assert _trusting(registry, public).load_model("fall").version == "v1"  # a candidate
    approve_model(registry, "fall", "v1", **_BY)
    with pytest.raises(ModelRefused, match="no trusted key"):
        _trusting(registry, public).load_model("fall")


@pytest.mark.parametrize("changed", ["by", "why", "population", "value"])
def test_a_changed_approval_is_not_signed_any_more(registry, keep, changed):
    keep()
    private, public = new_key()
    approve_model(registry, "fall", "v1", why="it helps", private_key=private, **_BY)
    path = registry.root / "fall" / "history.jsonl"
    line = json.loads(path.read_text())
    if changed == "value":
        line["signature"]["value"] = "AAAA"
    else:
        line[changed] = "real"
    path.write_text(json.dumps(line, ensure_ascii=False) + "\n")
    with pytest.raises(ModelRefused, match="no trusted key"):
        _trusting(registry, public).load_model("fall")


def test_going_back_needs_no_second_signature(registry, keep):
    private, public = new_key()
    for version in ("v1", "v2"):
        keep(version)
        approve_model(registry, "fall", version, private_key=private, **_BY)
    trusting = _trusting(registry, public)
    assert roll_back(trusting, "fall", why="doubts", **_BY).version == "v1"
    assert trusting.load_model("fall").version == "v1"


def test_keys_are_read_from_files(tmp_path):
    private, public = new_key()
    keys = tmp_path / "trusted.txt"
    keys.write_text(f"# who may approve\n{public}  # Dr Achieng\n\n")
    assert read_trusted_keys(keys) == (public,)
    assert len(key_id(public)) == 16
    (tmp_path / "key.pem").write_bytes(private)
    assert read_signing_key(tmp_path / "key.pem") == private


@pytest.mark.parametrize("content", [b"", b"no key\n", b"AAAA\n", b"\xff\xfe"])
def test_what_is_no_key_is_said_without_being_shown(tmp_path, content):
    path = tmp_path / "key"
    path.write_bytes(content)
    for read in (read_trusted_keys, read_signing_key):
        with pytest.raises(SettingsFault, match="CHW_") as fault:
            read(path)
        assert "no key" not in str(fault.value)
    with pytest.raises(SettingsFault, match="cannot be read"):
        read_trusted_keys(tmp_path / "nothing")
    with pytest.raises(SettingsFault, match="cannot be read"):
        read_signing_key(tmp_path / "nothing")


def test_another_kind_of_key_is_refused(tmp_path):
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pem = X25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    (tmp_path / "key.pem").write_bytes(pem)
    with pytest.raises(SettingsFault, match="Ed25519"):
        read_signing_key(tmp_path / "key.pem")
