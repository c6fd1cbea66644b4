"""The words of advice by key and language; a missing translation falls back, and shows it.

English stands beside what it is about: beside each rule, vaccine series, effect and step of a
risk; sentences that belong to none of them, and small words, stand in ``texts_en.toml``.
``texts_fr.toml`` and its like hold the same keys in another language, marked ``draft`` until a
speaker who works in health has approved them. Which texts a programme needs:
:mod:`chw_tools.programme.written`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from chw_tools.programme import reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

#: The language that rules are written in.
WRITTEN_IN = "en"
#: Languages whose texts are shipped, as drafts.
SHIPPED_LANGUAGES = ("fr", "sw", "es")
#: Put before a text that is not in the language asked for.
FALLBACK_MARK = "[en] "
#: The table of small words, which have no sentence of their own.
WORDS_TABLE = "words"
STATES = ("draft", "approved")
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Translation:
    """The texts of one language.

    Parameters
    ----------
    language : str
        Two letters, ISO 639-1.
    state : str
        ``approved`` once a speaker who works in health has read them, else ``draft``.
    texts : mapping
        By key, such as ``bp_high.action``.
    words : mapping
        Small words put into texts: months, signs, what is not known.
    """

    language: str
    state: str = "draft"
    texts: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    words: Mapping[str, str] = field(default_factory=lambda: _NOTHING)

    def text(self, key: str, written: str | None = None) -> str:
        """The text, or the English one marked as such.

        Parameters
        ----------
        key : str
            The key of the text.
        written : str, optional
            The English, where it does not stand in ``texts_en.toml``.

        Examples
        --------
        >>> Translation("fr").text("bp_high.action", "Measure again.")
        '[en] Measure again.'
        """
        if key in self.texts:
            return self.texts[key]
        return self._marked(english().texts[key] if written is None else written)

    def word(self, key: str, written: str | None = None) -> str:
        """A small word, or the English one marked as such."""
        if key in self.words:
            return self.words[key]
        return self._marked(english().words[key] if written is None else written)

    @property
    def months(self) -> list[str]:
        """The names of the months; English ones, not marked, of a language that has none."""
        return self.words.get("months", english().words["months"]).split()

    def has(self, key: str) -> bool:
        """Whether the language has the text, or the word (``words.months``)."""
        table, _, word = key.partition(".")
        return word in self.words if table == WORDS_TABLE else key in self.texts

    def _marked(self, written: str) -> str:
        return written if self.language == WRITTEN_IN else f"{FALLBACK_MARK}{written}"


def read_translations(
    languages: Iterable[str], folder: Path | None, problems: reading.Problems
) -> dict[str, Translation]:
    """The translations of the languages, those of a folder laid over the shipped ones."""
    return {
        language: _translation(
            language, reading.read_optional(file_of(language), folder, problems), problems
        )
        for language in languages
    }


@cache
def english() -> Translation:
    """The shipped English sentences and words that belong to no rule."""
    return read_translations((WRITTEN_IN,), None, reading.Problems())[WRITTEN_IN]


def file_of(language: str) -> str:
    """The file that holds a language."""
    return f"texts_{language}.toml"


def _translation(language: str, raw: dict[str, Any], problems: reading.Problems) -> Translation:
    file = file_of(language)
    state = reading.read_text(raw, "state", file, "", problems, "draft")
    if state not in STATES:
        problems.add(file, "state", f"must be one of {', '.join(STATES)}")
    texts: dict[str, str] = {}
    words: dict[str, str] = {}
    for name, table in raw.items():
        if name == "state":
            continue
        if not isinstance(table, dict):
            problems.add(file, name, "must be a table")
        elif name == WORDS_TABLE:
            words = {one: reading.read_text(table, one, file, name, problems) for one in table}
        else:
            texts |= _flat(table, name, file, problems)
    return Translation(language, state, texts, words)


def _flat(table: dict[str, Any], key: str, file: str, problems: reading.Problems) -> dict[str, str]:
    """Every text of a table, and of the tables in it, by its dotted key."""
    found: dict[str, str] = {}
    for part, value in table.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{key}.{part}", file, problems)
        else:
            found[f"{key}.{part}"] = reading.read_text(table, part, file, key, problems)
    return found
