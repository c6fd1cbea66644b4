"""The words of advice by key and language; a missing translation falls back, and shows it.

English stands beside each rule. ``texts_fr.toml`` and its like hold the same keys in another
language, marked ``draft`` until a speaker who works in health has approved them.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from chw_tools.programme import reading
from chw_tools.programme.rules import shipped_rule_sets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from chw_tools.programme.rules import Rule

#: The language that rules are written in.
WRITTEN_IN = "en"
#: Languages whose texts are shipped, as drafts.
SHIPPED_LANGUAGES = ("fr", "sw", "es")
#: Parts of a rule that are translated.
PARTS = ("action", "reason")
#: Put before a text that is not in the language asked for.
FALLBACK_MARK = "[en] "
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

    def text(self, key: str, written: str) -> str:
        """The text, or the English one marked as such.

        >>> Translation("fr").text("bp_high.action", "Measure again.")
        '[en] Measure again.'
        """
        if self.language == WRITTEN_IN:
            return written
        return self.texts.get(key, f"{FALLBACK_MARK}{written}")

    def word(self, key: str, written: str) -> str:
        """A small word; English where it is missing."""
        return self.words.get(key, written)


def read_translations(
    languages: Iterable[str], folder: Path | None, problems: reading.Problems
) -> dict[str, Translation]:
    """The translations of the languages, those of a folder laid over the shipped ones."""
    found = {}
    for language in languages:
        raw: dict[str, Any] = {}
        if language != WRITTEN_IN:
            raw = reading.read_optional(file_of(language), folder, problems)
        found[language] = _translation(language, raw, problems)
    return found


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
            continue
        for part in table:
            text = reading.read_text(table, part, file, name, problems)
            if name == "words":
                words[part] = text
            else:
                texts[f"{name}.{part}"] = text
    return Translation(language, state, texts, words)


def missing_texts(translation: Translation, rules: Iterable[Rule]) -> tuple[str, ...]:
    """Keys that the language lacks, in the order of the rules."""
    if translation.language == WRITTEN_IN:
        return ()
    keys = (f"{rule.id}.{part}" for rule in rules for part in PARTS)
    return tuple(key for key in keys if key not in translation.texts)


def wrong_texts(translation: Translation, rules: Iterable[Rule]) -> tuple[tuple[str, str], ...]:
    """Texts of no rule, and texts that ask for other values than the English one does."""
    written = {f"{rule.id}.{part}": getattr(rule, part) for rule in rules for part in PARTS}
    shipped = shipped_rule_sets()
    found = []
    for key, text in translation.texts.items():
        if key not in written:
            # A folder may switch a shipped rule off; its texts then wait.
            if key.partition(".")[0] in shipped and key.rpartition(".")[2] in PARTS:
                continue
            found.append((key, "there is no such rule or part"))
        elif _asked(text) != _asked(written[key]):
            found.append((key, "must hold the same {values} as the English text"))
    return tuple(found)


def _asked(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
