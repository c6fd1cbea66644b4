"""Telephone numbers as people wrote them: to E.164, with what sort of number it is.

No number is ever guessed: what cannot be read has a fault that a person can see and mend.

>>> read_number("٠٧١٢ ٣٤٥ ٦٧٨", country="KE").kind
'mobile'
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal["mobile", "landline", "unknown"]
#: What can be wrong with a number, by key of the texts.
FAULTS = ("no_number", "letters", "several_numbers", "no_country", "impossible", "not_in_use",
          "not_personal")  # fmt: skip
#: Country code that ITU has given to nobody: simulated people have their numbers here, and a
#: gateway that reaches people refuses them.
SIMULATED = "+999"
#: Signs by which people join two numbers in one field.
_JOINERS = ("/", ",", ";", "|", "&")


@dataclass(frozen=True)
class Number:
    """One number as read.

    Parameters
    ----------
    e164 : str
        In E.164; empty where it could not be read.
    kind : str
        ``mobile``, ``landline``, or ``unknown`` where the country's plan does not tell.
    fault : str
        Of :data:`FAULTS`; empty where it is a number that may be in use.
    """

    e164: str = field(default="", repr=False)
    kind: Kind = "unknown"
    fault: str = ""

    @property
    def can_text(self) -> bool:
        """Whether a message may be tried: not faulty, not a landline."""
        return not self.fault and self.kind != "landline"

    @property
    def is_simulated(self) -> bool:
        """Whether it is of the block of simulated people."""
        return self.e164.startswith(SIMULATED)


def read_number(text: str | None, *, country: str) -> Number:
    """One number from what was written, in the digits of any script.

    Parameters
    ----------
    text : str or None
        As written: with or without the country code, spaces, dashes, brackets.
    country : str
        Two letters (ISO 3166-1) of the programme's country, for numbers without a code.

    Examples
    --------
    >>> read_number("0712 345 678", country="KE").e164
    '+254712345678'
    >>> read_number("020 222 2181", country="KE").can_text
    False
    >>> read_number("0712", country="KE").fault
    'impossible'
    """
    plain = _plain(text or "")
    if not any(character.isdigit() for character in plain):
        return Number(fault="letters" if plain else "no_number")
    if any(character.isalpha() for character in plain):
        return Number(fault="letters")
    if any(sign in plain for sign in _JOINERS):
        return Number(fault="several_numbers")
    if plain.startswith(SIMULATED):
        return _simulated(plain)
    return _by_plan(plain, country)


def read_numbers(texts: Iterable[str | None], *, country: str) -> pd.DataFrame:
    """Many numbers: columns ``e164``, ``kind``, ``fault``, ``can_text``, in the given order."""
    given = pd.Series(list(texts), dtype=object)
    given = given.where(given.notna(), None)
    read = {text: read_number(text, country=country) for text in given.unique()}
    found = [read[text] for text in given]
    return pd.DataFrame(
        {
            "e164": [one.e164 or None for one in found],
            "kind": [one.kind for one in found],
            "fault": [one.fault for one in found],
            "can_text": [one.can_text for one in found],
        }
    )


def _plain(text: str) -> str:
    """In compatible form, with ASCII digits, and without marks that cannot be seen."""
    folded = unicodedata.normalize("NFKC", text)
    seen = (one for one in folded if unicodedata.category(one) not in ("Cf", "Cc"))
    digits = (str(unicodedata.decimal(one, one)) for one in seen)
    plain = "".join(digits).strip()
    return "+" + plain[2:] if plain.startswith("00") else plain


def _simulated(plain: str) -> Number:
    digits = "+" + "".join(one for one in plain if one.isdigit())
    # E.164 allows fifteen digits with the code.
    if not 8 <= len(digits) <= 16:
        return Number(fault="impossible")
    return Number(digits, "mobile")


def _by_plan(plain: str, country: str) -> Number:
    import phonenumbers
    from phonenumbers import NumberParseException, PhoneNumberFormat

    try:
        number = phonenumbers.parse(plain, country or None)
    except NumberParseException as error:
        no_country = error.error_type == NumberParseException.INVALID_COUNTRY_CODE
        return Number(fault="no_country" if no_country else "impossible")
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if not phonenumbers.is_possible_number(number):
        return Number(fault="impossible")
    if not phonenumbers.is_valid_number(number):
        return Number(e164, fault="not_in_use")
    return _of_type(e164, phonenumbers.number_type(number))


def _of_type(e164: str, kind: int) -> Number:
    from phonenumbers import PhoneNumberType as Type

    if kind == Type.MOBILE:
        return Number(e164, "mobile")
    if kind == Type.FIXED_LINE:
        return Number(e164, "landline")
    if kind in (Type.FIXED_LINE_OR_MOBILE, Type.PERSONAL_NUMBER, Type.VOIP):
        return Number(e164)
    return Number(e164, fault="not_personal")
