"""Canonical bytes, digests and signatures of model files."""

from __future__ import annotations

import json
import math
import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from chw_tools.errors import ModelRefused
from chw_tools.risk_prediction import check_signature, public_key_of, read_portable, sign_model
from chw_tools.risk_prediction.signing import (
    canonical_bytes,
    content_digest,
    number_text,
    sealed,
    write_text,
)

KEY, OTHER = bytes(range(32)), bytes(32)
CONTENT = {
    "format": "chw-model/2",
    "name": "Small",
    "version": "v1",
    "outcome": "fall",
    "population": "simulated",
    "intercept": -2.0,
    "features": [{"name": "bmi", "label": "Body mass index", "kind": "number"}],
    "terms": [
        {"feature": "bmi", "kind": "steps", "cuts": [25.0], "scores": [-0.1, 0.3], "missing": 0.0}
    ],
    "calibration": {"slope": 1.0, "intercept": 0.0},
}
TEXT = write_text(sealed(CONTENT))


def test_a_signed_file_is_read_where_its_key_is_trusted():
    signed = sign_model(TEXT, KEY)
    model = read_portable(signed, trusted_keys=[public_key_of(OTHER), public_key_of(KEY)])
    assert model.signed_by == check_signature(signed, [public_key_of(KEY)])
    assert model.digest == read_portable(TEXT).digest  # a signature changes no score


def test_signing_again_replaces_the_signature():
    again = sign_model(sign_model(TEXT, OTHER), KEY)
    assert again == sign_model(TEXT, KEY)


@pytest.mark.parametrize(
    ("text", "keys", "said"),
    [
        (TEXT, [KEY], "carries no signature"),
        (sign_model(TEXT, OTHER), [KEY], "key that is not trusted"),
        (sign_model(TEXT, KEY), [], "key that is not trusted"),
    ],
)
def test_unsigned_or_signed_by_a_stranger_is_refused_with_the_cure(text, keys, said):
    with pytest.raises(ModelRefused, match=said) as refusal:
        read_portable(text, trusted_keys=[public_key_of(key) for key in keys])
    assert "Have it signed" in refusal.value.cure


def test_a_changed_file_is_refused_signed_or_not():
    for text, keys in ((TEXT, None), (sign_model(TEXT, KEY), [public_key_of(KEY)])):
        with pytest.raises(ModelRefused, match="changed after it was"):
            read_portable(text.replace("0.3", "0.2"), trusted_keys=keys)


def test_who_changes_and_seals_anew_still_lacks_the_signature():
    content = json.loads(sign_model(TEXT, KEY))
    content["intercept"] = -3.0
    forged = write_text({**sealed(content), "signature": content["signature"]})
    read_portable(forged)  # without trusted keys the digest is all there is
    with pytest.raises(ModelRefused, match="changed after it was signed"):
        read_portable(forged, trusted_keys=[public_key_of(KEY)])


@pytest.mark.parametrize("value", ["", "no base64!", "AAAA"])
def test_a_broken_signature_is_refused(value):
    content = json.loads(sign_model(TEXT, KEY))
    content["signature"]["value"] = value
    with pytest.raises(ModelRefused, match="does not fit"):
        read_portable(write_text(content), trusted_keys=[public_key_of(KEY)])


def test_a_file_without_its_digest_is_refused():
    with pytest.raises(ModelRefused, match="digest"):
        read_portable(json.dumps(CONTENT))
    with pytest.raises(ModelRefused, match="digest"):
        sign_model(TEXT.replace("-2.0", "-1.0"), KEY)


def test_layout_and_order_of_keys_do_not_matter():
    turned = dict(reversed(json.loads(sign_model(TEXT, KEY)).items()))
    assert read_portable(json.dumps(turned), trusted_keys=[public_key_of(KEY)]).signed_by


def test_keys_may_be_pem():
    made = Ed25519PrivateKey.from_private_bytes(KEY)
    private = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = sign_model(TEXT, private)
    assert signed == sign_model(TEXT, KEY)
    raw = made.public_key().public_bytes_raw()
    for key in (public, public.decode(), raw):
        assert check_signature(signed, [key])


def test_keys_of_another_kind_are_told():
    made = ec.generate_private_key(ec.SECP256R1())
    private = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(ValueError, match="no Ed25519"):
        sign_model(TEXT, private)
    with pytest.raises(ValueError, match="no Ed25519"):
        check_signature(TEXT, [public])


@pytest.mark.parametrize("number", [math.nan, math.inf, 10**400])
def test_numbers_that_are_not_finite_are_not_written(number):
    with pytest.raises(ValueError, match="not finite"):
        canonical_bytes([number])


def test_a_whole_number_too_large_is_refused_on_reading():
    content = sealed(CONTENT) | {"trained_on": {"n": 10**400}}
    with pytest.raises(ModelRefused, match="not finite"):
        read_portable(json.dumps(content))


@settings(max_examples=25, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_reads_back_the_same(number):
    assert float(number_text(number)) == number


VALUES = st.recursive(
    st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_javascript_writes_the_same_bytes():
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed, by which the phone's evaluator is run")
    examples = [5e-324, 1.7976931348623157e308, 1e21, 1e-7, 1e-6, 123456.789, -0.0, 1 / 3, 1e20]
    texts = ["é", "€", "\u2028", "\x7f", '"\\\n\x01', "𝒳", "\ufb33"]
    content = {**{text: n for n, text in enumerate(texts)}, "numbers": examples, "texts": texts}
    script = (
        "const { readFileSync } = await import('node:fs');"
        "const canonical = (v) => Array.isArray(v) ? `[${v.map(canonical)}]` : v && typeof v === "
        "'object' ? `{${Object.keys(v).sort().map((k) => JSON.stringify(k) + ':' + "
        "canonical(v[k]))}}` : JSON.stringify(v);"
        "process.stdout.write(canonical(JSON.parse(readFileSync(0, 'utf-8'))));"
    )
    said = subprocess.run(
        [node, "--input-type=module", "--eval", script],
        input=json.dumps(content).encode(),
        capture_output=True,
        check=True,
    )
    assert said.stdout == canonical_bytes(content)


@settings(max_examples=25, deadline=None)
@given(VALUES)
def test_canonical_bytes_are_json_of_the_same_value(value):
    written = canonical_bytes(value)
    assert json.loads(written, parse_int=float) == value
    assert canonical_bytes(json.loads(written)) == written


def test_the_digest_leaves_out_itself_and_the_signature():
    content = json.loads(sign_model(TEXT, KEY))
    assert content_digest(content) == content_digest(CONTENT | {"digests": {}})
