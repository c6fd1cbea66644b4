"""How many SMS a text takes: the GSM 7-bit alphabet, UCS-2, and what joining parts costs.

>>> count_segments("Reply 1 if you are well.")
Segments(encoding='gsm7', n_units=24, n_segments=1)
>>> count_segments("Répondez : ça va ?").encoding
'ucs2'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Characters of one septet each. Source: 3GPP TS 23.038 clause 6.2.1, in the order of its table;
#: 0x09 is the capital Ç there, so a small ç costs the whole text its alphabet.
BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: Characters of two septets, an escape and its code. Source: clause 6.2.1.1.
EXTENSION = "\f^{}\\[~]|€"
#: Septets, or 16-bit units, in a message of one part and in each part of a longer one.
#: Source: 140 octets of user data (3GPP TS 23.040), of which joining takes 6.
_ROOM = {"gsm7": (160, 153), "ucs2": (70, 67)}

_ONE_SEPTET = frozenset(BASIC)
_SEPTETS = dict.fromkeys(BASIC, 1) | dict.fromkeys(EXTENSION, 2)


@dataclass(frozen=True)
class Segments:
    """What a text costs: alphabet, septets or 16-bit units, and messages."""

    encoding: Literal["gsm7", "ucs2"]
    n_units: int
    n_segments: int

    @property
    def n_left(self) -> int:
        """Units still free in the last segment."""
        whole, part = _ROOM[self.encoding]
        if self.n_segments <= 1:
            return whole - self.n_units
        return self.n_segments * part - self.n_units


def count_segments(text: str) -> Segments:
    """The alphabet that the text needs, its length in it, and the messages it takes.

    An empty text takes one message. A character that takes two units is never cut in two, so
    a part may end one unit early.

    Source
    ------
    3GPP TS 23.038 (alphabets), 3GPP TS 23.040 (joining, six octets of each part).
    """
    # Most texts are of the basic alphabet alone and short: nothing to add up.
    if _ONE_SEPTET.issuperset(text) and len(text) <= _ROOM["gsm7"][0]:
        return Segments("gsm7", len(text), 1)
    widths = [_SEPTETS.get(character, 0) for character in text]
    if all(widths):
        return _in_parts("gsm7", widths)
    return _in_parts("ucs2", [2 if ord(character) > 0xFFFF else 1 for character in text])


def foreign_characters(text: str) -> str:
    """The characters that cost the text its 7-bit alphabet, each once, in order.

    >>> foreign_characters("días y más días")
    'íá'
    """
    return "".join(dict.fromkeys(one for one in text if one not in _SEPTETS))


def _in_parts(encoding: Literal["gsm7", "ucs2"], widths: Iterable[int]) -> Segments:
    widths = list(widths)
    n_units = sum(widths)
    whole, part = _ROOM[encoding]
    if n_units <= whole:
        return Segments(encoding, n_units, 1)
    n_segments, used = 1, 0
    for width in widths:
        if used + width > part:
            n_segments, used = n_segments + 1, 0
        used += width
    return Segments(encoding, n_units, n_segments)
