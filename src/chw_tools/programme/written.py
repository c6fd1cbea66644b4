"""Every English text that a programme tells people, by the key that translations use.

``bp_high.action``, ``series.measles.label``, ``effects.walk.ask``,
``risk_steps.cvd_10y.high.action``, and the sentences and words of ``texts_en.toml``: each with
the file and key where it stands, so that what a language lacks is told with its line.
"""

from __future__ import annotations

import string
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from chw_tools.programme import effects, immunisation, numbers, reading, rules
from chw_tools.programme.rule_files import shipped_rule_sets
from chw_tools.programme.texts import WORDS_TABLE, WRITTEN_IN, Translation, english, file_of
from chw_tools.records import load_catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from chw_tools.programme.effects import Effect, Effects
    from chw_tools.programme.immunisation import VaccineSchedule
    from chw_tools.programme.risk_steps import RiskStep
    from chw_tools.programme.rules import Rule

#: Parts of a rule, and of an effect, that are translated.
PARTS = ("action", "reason")
EFFECT_PARTS = ("action", "ask", "who_acts")
#: Before the answer of a person, in the table of words.
ANSWER = "answer_"


class Written(NamedTuple):
    """An English text, the file it stands in, and its key there."""

    text: str
    file: str
    key: str


def written_texts(
    rule_list: Iterable[Rule],
    known_effects: Effects,
    schedule: VaccineSchedule,
    steps: Mapping[tuple[str, str], RiskStep],
) -> dict[str, Written]:
    """Every text and word of a programme, in the order of its files."""
    rule_list = tuple(rule_list)
    found = {
        f"{rule.id}.{part}": Written(getattr(rule, part), rules.FILE, f"{rule.id}.{part}")
        for rule in rule_list
        for part in PARTS
    }
    found |= {
        f"series.{one.name}.label": Written(
            one.label, immunisation.FILE, f"series.{one.name}.label"
        )
        for one in schedule.series
    }
    found |= {
        f"effects.{one.id}.{part}": Written(text, effects.FILE, f"{one.id}.{part}")
        for one in known_effects.effects
        for part in EFFECT_PARTS
        if (text := getattr(one, part))
    }
    for outcome, band in steps:
        key = f"risk_steps.{outcome}.{band}.action"
        found[key] = Written(steps[outcome, band].action, numbers.FILE, key)
    file = file_of(WRITTEN_IN)
    found |= {key: Written(text, file, key) for key, text in english().texts.items()}
    found |= {
        f"{WORDS_TABLE}.{word}": Written(text, file, f"{WORDS_TABLE}.{word}")
        for word, text in english().words.items()
    }
    for rule in rule_list:
        for word, text in _words_of(rule):
            found.setdefault(f"{WORDS_TABLE}.{word}", Written(text, rules.FILE, f"{rule.id}.any"))
    return found


def _words_of(rule: Rule) -> Iterator[tuple[str, str]]:
    """The signs that the rule may name, and the answers that it reads out."""
    entries = load_catalogue().entries
    if "signs" in rule.placeholders:
        for condition in rule.any:
            name = condition.feature
            yield name, entries[name].label if name in entries else name
            if names_answer(condition):
                yield f"{ANSWER}{condition.value}", answer_said(condition.value)
    for name in rule.placeholders:
        if name in entries and entries[name].kind == "choice":
            for answer in entries[name].allowed:
                yield f"{ANSWER}{answer}", answer_said(answer)


def names_answer(condition: rules.Condition) -> bool:
    """Whether a sign is said with its answer: "mouth: deep" says more than "mouth"."""
    entry = load_catalogue().entries.get(condition.feature)
    is_plain = condition.value == "yes" or condition.op == "in"
    return entry is not None and entry.kind == "choice" and not is_plain


def answer_said(answer: object) -> str:
    """An answer in English words."""
    return str(answer).replace("_", " ")


def effects_in(words: Translation, known_effects: Effects) -> Effects:
    """The effects with what people are told of them in another language."""
    if words.language == WRITTEN_IN:
        return known_effects
    return replace(
        known_effects, effects=tuple(_effect_in(words, e) for e in known_effects.effects)
    )


def _effect_in(words: Translation, effect: Effect) -> Effect:
    key = f"effects.{effect.id}"
    return replace(
        effect,
        action=words.text(f"{key}.action", effect.action),
        ask=words.text(f"{key}.ask", effect.ask) if effect.ask else "",
        who_acts=words.text(f"{key}.who_acts", effect.who_acts),
    )


def missing_texts(translation: Translation, written: Iterable[str]) -> tuple[str, ...]:
    """Keys that the language lacks, of those written in English (``Programme.written``)."""
    if translation.language == WRITTEN_IN:
        return ()
    return tuple(key for key in written if not translation.has(key))


def wrong_texts(
    translation: Translation, written: Mapping[str, Written]
) -> Iterator[tuple[str, str]]:
    """Texts of nothing, and texts that ask for other values than the English one does."""
    # English of a rule stands beside the rule, and would be passed over here.
    is_english = translation.language == WRITTEN_IN
    texts = english().texts if is_english else {key: one.text for key, one in written.items()}
    for key, text in translation.texts.items():
        if key in texts:
            if asked(text) != asked(texts[key]):
                yield key, "must hold the same {values} as the English text"
        elif is_english or key not in shipped_keys():
            yield key, "there is no such rule or part"
    for word, text in translation.words.items():
        key = f"{WORDS_TABLE}.{word}"
        if not _is_word(word):
            yield key, "no feature or answer is called so"
        elif key in written and asked(text) != asked(written[key].text):
            yield key, "must hold the same {values} as the English word"


@cache
def shipped_keys() -> frozenset[str]:
    """Keys of all that is shipped: what a folder switches off leaves its texts waiting."""
    keys = {f"{name}.{part}" for name in shipped_rule_sets() for part in PARTS}
    series = reading.shipped(immunisation.FILE)[1]["series"]
    keys |= {f"series.{name}.label" for name in series}
    shipped_effects = reading.shipped(effects.FILE)[1]
    keys |= {f"effects.{name}.{part}" for name in shipped_effects for part in EFFECT_PARTS}
    steps = reading.shipped(numbers.FILE)[1]["risk_steps"]
    keys |= {f"risk_steps.{outcome}.{band}.action" for outcome in steps for band in steps[outcome]}
    return frozenset(keys)


def _is_word(word: str) -> bool:
    known = word in english().words or rules.is_known_feature(word)
    return known or word.startswith(ANSWER)


def asked(text: str) -> set[str]:
    """What a text asks for: names in braces, and the empty one of ``{}``.

    >>> sorted(asked("{signs} on {day}"))
    ['day', 'signs']
    """
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
