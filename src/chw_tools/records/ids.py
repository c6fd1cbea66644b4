"""Keys: UUID version 7, drawn for what is entered here, derived for what is imported.

A derived key makes an import repeatable: the same record of the same source always has
the same key, so references resolve without a look-up and reading a file twice changes
nothing. Its time field is the instant at which the store first met the source; its other
74 bits are a hash of table, source and the source's own identifier.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Source of what is entered here rather than brought in.
ENTERED_HERE = "chw"
_DIGEST_BYTES = 10
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


@dataclass(frozen=True)
class Source:
    """A system that records come from.

    Parameters
    ----------
    name : str
        Short name, for example ``synthea`` or ``district-register``.
    first_seen_ms : int
        Unix milliseconds at which the store first met it; the time field of derived keys.
    """

    name: str
    first_seen_ms: int = 0


def new_id() -> str:
    """A fresh UUIDv7, for a record that begins its life here; later ones sort behind it.

    Twelve of the random bits say which quarter of a microsecond it was.

    >>> new_id()[14]
    '7'

    Source: RFC 9562, section 6.2, method 3.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    return _assemble(
        f"{milliseconds:012x}", f"{rest * 4096 // 1_000_000:03x}{secrets.token_hex(9)[1:]}"
    )


def derived_id(source: Source, table: str, source_id: str) -> str:
    """The key of one imported record.

    >>> lab = Source("lab", first_seen_ms=1_700_000_000_000)
    >>> derived_id(lab, "people", "17") == derived_id(lab, "people", "17")
    True
    """
    return derived_ids(source, table, [source_id])[0]


def derived_ids(source: Source, table: str, source_ids: Iterable[str]) -> list[str]:
    """The keys of many imported records of one table, in their order."""
    base = blake2b(f"{source.name}\x1f{table}\x1f".encode(), digest_size=_DIGEST_BYTES)
    digests = bytearray()
    for source_id in source_ids:
        digest = base.copy()
        digest.update(source_id.encode())
        digests += digest.digest()
    return _assemble_all(f"{source.first_seen_ms:012x}", digests)


def _assemble_all(stamp: str, digests: bytearray) -> list[str]:
    """What :func:`_assemble` does for one, for many at once: millions of keys are imported."""
    octets = np.frombuffer(digests, dtype=np.uint8).reshape(-1, _DIGEST_BYTES)
    nibbles = np.stack([octets >> 4, octets & 15], axis=2).reshape(-1, 2 * _DIGEST_BYTES)
    text = np.empty((len(octets), 36), dtype=np.uint8)
    text[:, :15] = list(f"{stamp[:8]}-{stamp[8:]}-7".encode())
    text[:, 15:18] = _HEX[nibbles[:, :3]]
    text[:, [18, 23]] = ord("-")
    text[:, 19] = _HEX[8 + (nibbles[:, 3] & 3)]
    text[:, 20:23] = _HEX[nibbles[:, 4:7]]
    text[:, 24:] = _HEX[nibbles[:, 7:19]]
    keys: list[str] = text.view("S36").ravel().astype("U36").tolist()
    return keys


def _assemble(stamp: str, tail: str) -> str:
    # RFC 9562, section 5.7: 48 bits of time, version 7, 12 bits, variant 10, 62 bits.
    variant = "89ab"[int(tail[3], 16) & 3]
    return f"{stamp[:8]}-{stamp[8:]}-7{tail[:3]}-{variant}{tail[4:7]}-{tail[7:19]}"
