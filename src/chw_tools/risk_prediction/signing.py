"""Whether a model file is the one that was written, and who vouches for it.

The digest and the signature are made over the canonical bytes of the content (RFC 8785:
keys sorted, no white space, numbers as JavaScript writes them), so that layout does not
matter and a phone computes the same bytes with ``JSON.stringify``. A signature is Ed25519.

>>> canonical_bytes({"b": 1.0, "a": [1e-7, "é"]})
b'{"a":[1e-7,"\\xc3\\xa9"],"b":1}'
"""

from __future__ import annotations

import base64
import json
import math
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from chw_tools.errors import ModelRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

    from chw_tools.feature_engineering import Feature

ALGORITHM = "Ed25519"
_PLACE = "model file"


def canonical_bytes(content: Any) -> bytes:
    """The one way to write a JSON value (RFC 8785, JSON Canonicalization Scheme).

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    return _written(content).encode("utf-8")


def _written(content: Any) -> str:
    if isinstance(content, dict):
        # Keys in the order of UTF-16 units, which is that of JavaScript's sort.
        keys = sorted(content, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{_text(key)}:{_written(content[key])}" for key in keys) + "}"
    if isinstance(content, list | tuple):
        return "[" + ",".join(map(_written, content)) + "]"
    if isinstance(content, bool) or content is None:
        return json.dumps(content)
    if isinstance(content, int | float):
        return number_text(content)
    return _text(content)


def _text(content: str) -> str:
    return json.dumps(content, ensure_ascii=False)


def number_text(number: float) -> str:
    """A number as ECMAScript writes it: the shortest digits that read back the same.

    >>> [number_text(x) for x in (1.0, -0.0, 1e21, 1.5e-7, 123456789012345680000.0)]
    ['1', '0', '1e+21', '1.5e-7', '123456789012345680000']
    """
    try:
        value = float(number)  # a number is what a double holds, as JavaScript reads it
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise ValueError("it holds a number that is not finite")
    if value == 0:
        return "0"
    sign, magnitude = ("-" if value < 0 else ""), abs(value)
    mantissa, _, power = f"{magnitude!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    if fraction == "0":
        fraction = ""
    digits = (whole + fraction).lstrip("0")
    # Where the point stands, counted from before the first digit that is not nought.
    point = len(whole) + int(power or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    return sign + _placed(digits, point)


def _placed(digits: str, point: int) -> str:
    n = len(digits)
    if n <= point <= 21:
        return digits + "0" * (point - n)
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    power = point - 1
    exponent = f"e{'+' if power > 0 else '-'}{abs(power)}"
    return digits[0] + (f".{digits[1:]}" if n > 1 else "") + exponent


def content_digest(content: Mapping[str, Any]) -> str:
    """SHA-256 of the content without its signature and without this digest itself."""
    return sha256(canonical_bytes(_unsealed(content))).hexdigest()


def feature_digest(features: Iterable[Feature]) -> str:
    """SHA-256 of what must agree between features and a model: names, kinds, units, answers."""
    contract = [
        {"name": f.name, "kind": f.kind, "unit": f.unit, "allowed": list(f.allowed)}
        for f in features
    ]
    return sha256(canonical_bytes(contract)).hexdigest()


def _unsealed(content: Mapping[str, Any]) -> dict[str, Any]:
    bare = {key: value for key, value in content.items() if key != "signature"}
    digests = bare.get("digests")
    others = digests.items() if isinstance(digests, dict) else ()
    return bare | {"digests": {k: v for k, v in others if k != "content"}}


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content with its digest under ``digests.content``, and without a signature."""
    bare = {key: value for key, value in content.items() if key != "signature"}
    return bare | {"digests": {**bare.get("digests", {}), "content": content_digest(bare)}}


def write_text(content: Mapping[str, Any]) -> str:
    """The text of a model file: readable, and the same for the same content."""
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def sign_model(text: str, private_key: bytes) -> str:
    """The model file with an Ed25519 signature.

    Parameters
    ----------
    text : str
        A ``chw-model/2`` file; an earlier signature is replaced.
    private_key : bytes
        32 bytes, or a PEM file's content such as ``openssl genpkey -algorithm ed25519``
        writes.

    Raises
    ------
    ModelRefused
        If the text is no model file, or was changed after it was written.
    ValueError
        If the key is no Ed25519 key.
    """
    from chw_tools.risk_prediction.portable_format import parse

    content = parse(text)
    check_digest(content)
    key = _private(private_key)
    public = _raw(key.public_key())
    bare = sealed(content)
    signature = {
        "algorithm": ALGORITHM,
        "key_id": key_id_of(public),
        "value": base64.b64encode(key.sign(canonical_bytes(bare))).decode(),
    }
    return write_text({**bare, "signature": signature})


def check_digest(content: Mapping[str, Any]) -> None:
    """Refuse a content that is not the one its digest was made of.

    Raises
    ------
    ModelRefused
        If it was changed, or carries no digest.
    """
    found = content.get("digests")
    stated = found.get("content") if isinstance(found, dict) else None
    try:
        actual = content_digest(content)
    except (ValueError, RecursionError) as error:
        raise ModelRefused(f"{error}", where=_PLACE, cure="Restore the file.") from error
    if stated != actual:
        raise ModelRefused(
            "its content is not what its digest says: it was changed after it was written",
            where=_PLACE,
            cure="Restore the file, or export the model again.",
        )


def check_signature(text: str, trusted_keys: Iterable[bytes | str]) -> str:
    """The id of the trusted key that signed the file.

    Parameters
    ----------
    text : str
        The model file.
    trusted_keys : iterable of bytes or str
        Public keys: 32 bytes, their base64 as :func:`public_key_of` gives, or PEM.

    Raises
    ------
    ModelRefused
        If it is not signed, signed by another key, or changed since.
    """
    from chw_tools.risk_prediction.portable_format import parse

    return check_signed(parse(text), trusted_keys)


def check_signed(content: Mapping[str, Any], trusted_keys: Iterable[bytes | str]) -> str:
    """As :func:`check_signature`, of a content that was parsed already."""
    from cryptography.exceptions import InvalidSignature

    trusted = {key_id_of(_raw(key)): key for key in map(_public, trusted_keys)}
    signature = content.get("signature")
    if not isinstance(signature, dict):
        raise _unsigned("it carries no signature, and only signed models are trusted here")
    key = trusted.get(str(signature.get("key_id")))
    if signature.get("algorithm") != ALGORITHM or key is None:
        raise _unsigned("it is signed by a key that is not trusted here")
    bare = {name: value for name, value in content.items() if name != "signature"}
    try:
        key.verify(base64.b64decode(str(signature.get("value")), validate=True), _canonical(bare))
    except (InvalidSignature, ValueError) as error:
        raise ModelRefused(
            "its signature does not fit: it was changed after it was signed",
            where=_PLACE,
            cure="Restore the file from whoever signed it.",
        ) from error
    return key_id_of(_raw(key))


def _canonical(content: Mapping[str, Any]) -> bytes:
    return canonical_bytes(dict(content))


def _unsigned(what: str) -> ModelRefused:
    return ModelRefused(
        what, where=_PLACE, cure="Have it signed, or add the signer's public key to the trusted."
    )


def public_key_of(private_key: bytes) -> str:
    """The public key of a private one, in base64.

    >>> public_key_of(bytes(32))
    'O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik='
    """
    return base64.b64encode(_raw(_private(private_key).public_key())).decode()


def key_id_of(public_key: bytes) -> str:
    """The short name of a public key: the first 16 digits of its SHA-256."""
    return sha256(public_key).hexdigest()[:16]


def _private(key: bytes) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if not key.lstrip().startswith(b"-----BEGIN"):
        return Ed25519PrivateKey.from_private_bytes(key)
    read = load_pem_private_key(key, password=None)
    if not isinstance(read, Ed25519PrivateKey):
        raise ValueError("the private key is no Ed25519 key")
    return read


def _public(key: bytes | str) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    given = key.encode() if isinstance(key, str) else key
    if given.lstrip().startswith(b"-----BEGIN"):
        read = load_pem_public_key(given)
        if not isinstance(read, Ed25519PublicKey):
            raise ValueError("a trusted key is no Ed25519 key")
        return read
    raw = given if len(given) == 32 else base64.b64decode(given, validate=True)
    return Ed25519PublicKey.from_public_bytes(raw)


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes_raw()
