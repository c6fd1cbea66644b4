"""Who vouches for an approval: Ed25519 signatures of decisions, and the keys for them.

What is signed is the decision with the digest of the model's manifest, which holds the digest
of each file: whoever changes a model, its judgement or who approved it breaks the signature.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chw_tools.errors import ModelRefused, SettingsFault
from chw_tools.risk_prediction.signing import ALGORITHM, canonical_bytes, key_id_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from chw_tools.model_registry.entries import Entry
    from chw_tools.model_registry.history import Decision


def new_key() -> tuple[bytes, str]:
    """A new key: the private one as PEM, to be kept secret, and the public one in base64."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem, _public_text(key)


def sign_decision(decision: Decision, *, outcome: str, private_key: bytes) -> Decision:
    """The decision with the signature of a key's owner.

    Raises
    ------
    SettingsFault
        If the key is no Ed25519 key in PEM.
    """
    key = _private(private_key)
    public = _public_text(key)
    value = base64.b64encode(key.sign(_statement(decision, outcome))).decode()
    signature = {"algorithm": ALGORITHM, "key_id": key_id(public), "value": value}
    return replace(decision, signature=signature)


def check_approval_signed(
    entry: Entry, history: Sequence[Decision], trusted_keys: Iterable[str]
) -> str:
    """The key id of the trusted owner who signed the approval of a model.

    Raises
    ------
    ModelRefused
        If nobody did.
    """
    trusted = {key_id(key): key for key in trusted_keys}
    approvals = [
        decision
        for decision in history
        if decision.act == "approved"
        and decision.version == entry.version
        and decision.manifest_sha256 == entry.manifest_sha256
    ]
    for decision in approvals:
        key = trusted.get(str(decision.signature.get("key_id")))
        if key is not None and _is_signed(decision, entry.outcome, key):
            return key_id(key)
    raise ModelRefused(
        "no trusted key signed its approval",
        where=f"{entry.outcome}/{entry.version}",
        cure="Have it approved with a key (CHW_SIGNING_KEY) whose public part is among "
        "CHW_TRUSTED_KEYS.",
    )


def key_id(public_key: str) -> str:
    """The short name of a public key."""
    return key_id_of(base64.b64decode(public_key))


def read_trusted_keys(path: Path) -> tuple[str, ...]:
    """The public keys in a file, one a line; what follows a # is a remark.

    Raises
    ------
    SettingsFault
        If the file cannot be read, or a line is no key.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise _fault("CHW_TRUSTED_KEYS", "the file cannot be read") from None
    found = [line.partition("#")[0].strip() for line in lines]
    keys = tuple(key for key in found if key)
    if not all(_is_public_key(key) for key in keys) or not keys:
        raise _fault("CHW_TRUSTED_KEYS", "a line is no public key")
    return keys


def read_signing_key(path: Path) -> bytes:
    """The private key in a PEM file.

    Raises
    ------
    SettingsFault
        If the file cannot be read or holds no Ed25519 key.
    """
    try:
        content = path.read_bytes()
    except OSError:
        raise _fault("CHW_SIGNING_KEY", "the file cannot be read") from None
    _private(content)
    return content


def _statement(decision: Decision, outcome: str) -> bytes:
    said: dict[str, Any] = decision.as_dict() | {"outcome": outcome}
    said.pop("signature", None)
    return canonical_bytes(said)


def _is_signed(decision: Decision, outcome: str, public_key: str) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        value = base64.b64decode(str(decision.signature.get("value")), validate=True)
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key))
        key.verify(value, _statement(decision, outcome))
    except (InvalidSignature, ValueError):
        return False
    return True


def _is_public_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 32
    except ValueError:
        return False


def _private(pem: bytes) -> Ed25519PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, password=None)
    except (TypeError, UnsupportedAlgorithm, ValueError):
        raise _fault("CHW_SIGNING_KEY", "the file holds no private key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _fault("CHW_SIGNING_KEY", "the key is no Ed25519 key")
    return key


def _public_text(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def _fault(setting: str, what: str) -> SettingsFault:
    return SettingsFault(f"{what}.", where=setting, cure="Make one with: chw models new-key FOLDER")
