"""Signatures of callbacks, and reading their bodies: compared in constant time, told apart never.

Three headers that begin with a colon are not the sender's: the entrance adds them, since HTTP
lets nobody send such a name. ``:remote`` is the address a request came from, ``:query`` its
query, ``:now`` the instant in seconds.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: How old a signed callback of ours may be, in seconds; a decision of this project.
TOLERANCE_SECONDS = 300
#: Fields of a form that is read; a callback has some twenty.
_MOST_FIELDS = 200


def is_same(given: str, wanted: str) -> bool:
    """Whether two texts are the same, in a time that does not tell where they differ."""
    return hmac.compare_digest(given.encode(), wanted.encode())


def form_of(body: bytes) -> dict[str, str]:
    """The fields of a form; of one given twice the last, and none of a faulty one."""
    return dict(fields_of(body))


def fields_of(body: bytes) -> list[tuple[str, str]]:
    """The fields of a form, in its order, the empty ones too."""
    try:
        text = body.decode()
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return []


def digest_of(body: bytes) -> str:
    """A name for a body that carries none: the same for a replay."""
    return hashlib.sha256(body).hexdigest()[:32]


def sign_twilio(token: str, url: str, fields: Sequence[tuple[str, str]]) -> str:
    """Twilio's signature of a form posted to an address.

    Source
    ------
    Twilio, "Validating requests": HMAC-SHA1 by the account's token over the address and each
    field, sorted by name, with nothing between; in base64.

    >>> sign_twilio("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", [
    ...     ("Digits", "1234"), ("CallSid", "CA1234567890ABCDE"), ("To", "+18005551212"),
    ...     ("Caller", "+14158675309"), ("From", "+14158675309")])
    'RSOYDt4T1cUTdK1PDd93/VVr8B8='
    """
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    # Not our choice of hash.
    code = hmac.new(token.encode(), text.encode(), hashlib.sha1)
    return base64.b64encode(code.digest()).decode()


def sign_sha256(secret: str, body: bytes) -> str:
    """HMAC-SHA256 of a body, in hexadecimal: Meta's signature, and the inner part of ours.

    >>> sign_sha256("secret", b"test")
    '0329a06b62cd16b33eb6792be8c60b158d89a2ee3a876fce9a881ebb488c0914'
    """
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def sign_own(secret: str, body: bytes, *, at_seconds: int) -> str:
    """The signature of the generic webhook: when, and HMAC-SHA256 over when and what."""
    return f"t={at_seconds},v1={sign_sha256(secret, str(at_seconds).encode() + b'.' + body)}"


def is_own_signed(secret: str, body: bytes, given: str, *, now_seconds: float) -> bool:
    """Whether a generic callback is signed, and not older than :data:`TOLERANCE_SECONDS`."""
    stamp = given.partition(",")[0].removeprefix("t=")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 16):
        return False
    if abs(now_seconds - int(stamp)) > TOLERANCE_SECONDS:
        return False
    return is_same(given, sign_own(secret, body, at_seconds=int(stamp)))


def is_secret_in_path(url: str, secret: str) -> bool:
    """Whether the last part of the path is the secret."""
    return bool(secret) and is_same(urlsplit(url).path.rpartition("/")[2], secret)


def is_from(headers: Mapping[str, str], networks: Sequence[str]) -> bool:
    """Whether the request came from one of the networks; any will do where none is named."""
    if not networks:
        return True
    try:
        address = ipaddress.ip_address(headers.get(":remote", ""))
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(network) for network in networks)
