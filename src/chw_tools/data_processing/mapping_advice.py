"""Which observable an unknown code may mean: a suggestion for a person to confirm."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from chw_tools.data_processing.spellings import PURE_UNITS, ucum

if TYPE_CHECKING:
    from chw_tools.records.catalogue import Catalogue, Observable

# difflib's own cutoff for "close" is 0.6; words are short, so a little stricter.
_CLOSE = 0.75
_EMPTY_WORDS = frozenset({"of", "in", "the", "a", "by", "any", "or", "and", "per", "to", "time"})


def suggest_observable(catalogue: Catalogue, display: str, unit: str) -> str:
    """The name of the observable that a code's text is closest to, or an empty string.

    One whose unit the values cannot be turned into is never suggested.

    >>> from chw_tools.records import load_catalogue
    >>> suggest_observable(load_catalogue(), "Body weight measured", "kg")
    'weight_kg'
    >>> suggest_observable(load_catalogue(), "Weight percentile", "%")
    ''
    """
    said = _words(display)
    likeness = {
        entry.name: _likeness(said, _words(entry.label))
        for entry in catalogue.entries.values()
        if _fits(entry, unit)
    }
    if not said or not likeness:
        return ""
    best = max(likeness, key=lambda name: likeness[name])
    return best if likeness[best][0] >= _CLOSE else ""


def _fits(entry: Observable, unit: str) -> bool:
    said = ucum(unit) if unit else ""
    if entry.kind == "choice":
        return said in PURE_UNITS
    # Without a unit it may be a finding in words: "haemoglobin in urine" is no haemoglobin.
    return said == entry.unit or said in entry.units or {said, entry.unit} <= PURE_UNITS


def _words(text: str) -> list[str]:
    return [word for word in re.findall(r"\w+", text.casefold()) if word not in _EMPTY_WORDS]


def _likeness(said: list[str], label: list[str]) -> tuple[float, int]:
    """How much of the label is said, word by word; of two as like the longer label wins."""
    if not label:
        return 0.0, 0
    found = [max((_word_likeness(word, other) for other in said), default=0.0) for word in label]
    return sum(found) / len(found), len(label)


def _word_likeness(word: str, other: str) -> float:
    # Spelling seldom differs in the first letter, and comparing all pairs would be slow.
    if word == other:
        return 1.0
    if word[0] != other[0]:
        return 0.0
    likeness = SequenceMatcher(None, word, other).ratio()
    return likeness if likeness >= _CLOSE else 0.0
