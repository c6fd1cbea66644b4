"""The words of the pages, from one catalogue, and how days and names are shown.

>>> words = load_wording()
>>> words("today.heading", n=1)
'1 person to visit'
"""

from __future__ import annotations

import tomllib
import unicodedata
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date


_DAYS_A_MONTH, _DAYS_A_YEAR = 30, 365

_JOINERS = "\u200c\u200d"


@dataclass(frozen=True)
class Wording:
    """The words of one language, by key."""

    words: Mapping[str, str]

    def __call__(self, key: str, **fills: object) -> str:
        """The words of a key, with its braces filled in.

        Raises
        ------
        KeyError
            If the catalogue has no such key.
        """
        if key not in self.words and "n" in fills:
            key = f"{key}_{'one' if fills['n'] == 1 else 'other'}"
        text = self.words[key]
        return text.format(**fills) if fills else text

    def known(self, key: str, otherwise: str = "") -> str:
        """The words of a key that data may or may not have, such as a unit or a status."""
        return self.words.get(key, otherwise)

    def lateness(self, days: int) -> str:
        """How late, no finer than it matters: days, then months, then over a year."""
        if days > _DAYS_A_YEAR:
            return self("today.late_year")
        if days < 2 * _DAYS_A_MONTH:
            return self("today.late_days", n=days)
        return self("today.late_months", n=days // _DAYS_A_MONTH)

    def in_plain_units(self, value: str) -> str:
        """A value with its UCUM unit as people write it: ``168 mm[Hg]`` as ``168 mmHg``."""
        number, space, unit = value.partition(" ")
        return f"{number}{space}{self.known('unit.' + unit, unit)}"

    def day(self, day: date) -> str:
        """A day as read: ``5 Jan 2026``."""
        return f"{day.day} {self.words['date.months_short'].split()[day.month - 1]} {day.year}"

    def long_day(self, day: date) -> str:
        """A day as spoken: ``Monday 5 January``."""
        weekday = self.words["date.weekdays"].split()[day.weekday()]
        return f"{weekday} {day.day} {self.words['date.months'].split()[day.month - 1]}"


def load_wording() -> Wording:
    """The words shipped with the package (British English)."""
    text = files("chw_tools.web").joinpath("strings.toml").read_text(encoding="utf-8")
    return Wording(
        {
            f"{section}.{key}": words
            for section, entries in tomllib.loads(text).items()
            for key, words in entries.items()
        }
    )


def plain(text: object) -> str:
    """Text from a record without control and direction marks, which could disguise it.

    >>> plain("Ama" + chr(0x202E) + "da")
    'Amada'
    """
    # The two joiners are of the same category, but names in some scripts need them.
    unwanted = {"Cc", "Cf", "Co", "Cs"}
    return "".join(c for c in str(text) if c in _JOINERS or unicodedata.category(c) not in unwanted)
