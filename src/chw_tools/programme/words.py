"""The words that people send, by what they mean, and those that no message may hold.

A word of any language counts from anybody. All lists are compared in one plain form
(:func:`plain`): digits of every script, case, accents and marks make no difference.

>>> plain("  STOP!!  ")
'stop'
>>> plain("١")
'1'
>>> load_words().meaning("Arrêt.")
'stop'
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from chw_tools.programme import reading

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = "words.toml"
#: What a whole message can mean, in the order in which it is asked.
MEANINGS = ("stop", "start", "help", "unwell", "well")
#: Lists that are looked for inside a text.
INSIDE = ("danger", "forbidden")
_LISTS = (*MEANINGS, *INSIDE)
#: Marks above and below letters that many leave out: Latin accents, Arabic vowels, tatweel.
_MARKS = re.compile("[\u0300-\u036f\u064b-\u0652\u0640\ufe0e\ufe0f\u20e3]")


@dataclass(frozen=True)
class Limits:
    """How far the programme answers by itself.

    Parameters
    ----------
    replies_a_day : int
        Automatic replies to one number in 24 hours.
    identical_an_hour : int
        Identical messages from one number in an hour; one more, and two machines are talking.
    open_hours : int
        For how long an answer belongs to the newest question that was sent.
    longest_text : int
        Characters of a message that are kept and read; what is longer goes to a human.
    """

    replies_a_day: int = 3
    identical_an_hour: int = 3
    open_hours: int = 72
    longest_text: int = 1600


@dataclass(frozen=True)
class Words:
    """Every list of words, by its name and language, as written in the file."""

    lists: Mapping[str, Mapping[str, tuple[str, ...]]]
    limits: Limits

    def meaning(self, text: str) -> str:
        """What the whole text says, of :data:`MEANINGS`; empty if none of them."""
        return self._whole.get(plain(text), "")

    def danger_in(self, text: str) -> bool:
        """Whether a word of danger stands anywhere in the text."""
        return self._danger.search(f" {plain(text)} ") is not None

    def forbidden_in(self, text: str) -> bool:
        """Whether the text tells of a condition, a test or a medicine."""
        return self._forbidden.search(f" {plain(text)} ") is not None

    def of_language(self, name: str, language: str) -> tuple[str, ...]:
        """The list in one language, as it is shown."""
        return self.lists[name].get(language, ())

    @cached_property
    def _whole(self) -> dict[str, str]:
        return {plain(word): name for name in MEANINGS[::-1] for word in self._all(name)}

    @cached_property
    def _danger(self) -> re.Pattern[str]:
        return re.compile(f" (?:{_either(self._all('danger'))})(?= )")

    @cached_property
    def _forbidden(self) -> re.Pattern[str]:
        return re.compile(f" (?:{_either(self._all('forbidden'))})")

    def _all(self, name: str) -> list[str]:
        return [word for words in self.lists[name].values() for word in words]


def plain(text: str) -> str:
    """The text as it is compared: folded, ASCII digits, words with one space between them.

    >>> plain("Ça va ?")
    'ca va'
    """
    text = unicodedata.normalize("NFKC", text).casefold()
    # Marks on their own letters come apart, are dropped, and what is left is put together again.
    text = _MARKS.sub("", unicodedata.normalize("NFD", text))
    text = unicodedata.normalize("NFC", text)
    return " ".join("".join(map(_plain_character, text)).split())


def _plain_character(character: str) -> str:
    if character in ("'", "’"):
        return ""
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    category = unicodedata.category(character)
    if category in ("Cf", "Cc", "Sk"):
        # Unseen marks join nothing; line ends part words.
        return " " if character.isspace() else ""
    return " " if category[0] in "PZ" or category == "Sm" else character


def load_words(folder: Path | None = None) -> Words:
    """The words of a folder, over those shipped.

    Raises
    ------
    ProgrammeFault
        With every fault found.
    """
    problems = reading.Problems()
    words = read_words(folder, problems)
    problems.raise_if_any()
    return words


def read_words(folder: Path | None, problems: reading.Problems) -> Words:
    """The words as far as they can be read, faults noted; a folder's list replaces its like."""
    raw = reading.read_layers(FILE, folder, problems)
    reading.check_names(raw, (*_LISTS, "limits"), FILE, "", problems)
    words = Words(
        {name: _lists(name, raw.get(name), problems) for name in _LISTS}, _limits(raw, problems)
    )
    _check_apart(words, problems)
    return words


def _lists(name: str, table: Any, problems: reading.Problems) -> dict[str, tuple[str, ...]]:
    if not isinstance(table, dict):
        problems.add(FILE, name, "must be a table of lists by language")
        return {}
    found = {}
    for language, words in table.items():
        good = isinstance(words, list) and all(
            isinstance(word, str) and plain(word) for word in words
        )
        if good:
            found[language] = tuple(words)
        else:
            problems.add(FILE, f"{name}.{language}", "must be a list of words")
    return found


def _limits(raw: dict[str, Any], problems: reading.Problems) -> Limits:
    table = raw.get("limits", {})
    names = [field.name for field in fields(Limits)]
    reading.check_names(table, names, FILE, "limits", problems)
    return Limits(
        **{
            name: int(reading.read_number(table, name, FILE, "limits", problems, low=1))
            for name in names
        }
    )


def _check_apart(words: Words, problems: reading.Problems) -> None:
    """A word that meant two things would be read as the first; that must be nobody's surprise."""
    meant: dict[str, str] = {}
    for name in MEANINGS:
        for language, listed in words.lists[name].items():
            for word in listed:
                other = meant.setdefault(plain(word), name)
                if other != name:
                    problems.add(FILE, f"{name}.{language}", f"has a word that is in `{other}` too")


def _either(words: list[str]) -> str:
    # Spaces at the end of a word stand for its end, and outlive the plain form.
    forms = {plain(word) + (" " if word.endswith(" ") else "") for word in words}
    return "|".join(re.escape(form) for form in sorted(forms, key=lambda form: (-len(form), form)))
