"""A follow-up's reason as a sentence, in the reader's language where it is written."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from chw_tools.feature_engineering.people import MONTHS
from chw_tools.programme.texts import FALLBACK_MARK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chw_tools.programme import Programme
    from chw_tools.programme.monitoring import MonitoringRule

#: Risk bands as read out; other languages are drafts.
_BANDS = {
    "en": {"high": "high", "very_high": "very high"},
    "fr": {"high": "élevé", "very_high": "très élevé"},
    "sw": {"high": "kubwa", "very_high": "kubwa sana"},
    "es": {"high": "alto", "very_high": "muy alto"},
}


def sentence_of(
    rule: MonitoringRule, facts: Mapping[str, Any], *, language: str, months: str = ""
) -> str:
    """The reason for a follow-up.

    Parameters
    ----------
    rule : MonitoringRule
        That raised it.
    facts : mapping
        As kept with the follow-up.
    language : str
        Two letters; English stands in, marked, where the rule has no text of it.
    months : str
        Names of the months in that language, apart by spaces.

    Examples
    --------
    >>> from chw_tools.programme.monitoring import load_monitoring
    >>> rule = {rule.id: rule for rule in load_monitoring()}["high_risk_unseen"]
    >>> sentence_of(rule, {"what": "very_high", "day": "2026-01-05"}, language="en")
    'Risk is very high, and nobody has seen this person since 5 January 2026.'
    """
    text = rule.reasons.get(language)
    if text is None:
        return FALLBACK_MARK + sentence_of(rule, facts, language="en")
    said = {name: str(value) for name, value in facts.items()}
    said["what"] = _BANDS.get(language, {}).get(said.get("what", ""), said.get("what", ""))
    if "day" in said:
        said["day"] = _day(said["day"], months.split() or list(MONTHS))
    return text.format_map({"values": "", "day": "", "n": "", "what": ""} | said)


def reason_of(
    programme: Programme, rule_id: str, facts: Mapping[str, Any], *, language: str | None = None
) -> str:
    """The sentence by a rule's name; the name itself where the programme has the rule no more."""
    for rule in programme.monitoring:
        if rule.id == rule_id:
            language = language or programme.language
            months = " ".join(programme.translation(language).months)
            return sentence_of(rule, facts, language=language, months=months)
    return rule_id.replace("_", " ").capitalize() + "."


def _day(iso: str, months: list[str]) -> str:
    on = date.fromisoformat(iso)
    return f"{on.day} {months[on.month - 1]} {on.year}"
