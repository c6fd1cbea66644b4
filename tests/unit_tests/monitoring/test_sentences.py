"""A reason is a sentence about this person, in every language that is shipped."""

import re

import pytest
from tests.unit_tests.monitoring.conftest import RULES

from chw_tools.monitoring.sentences import reason_of, sentence_of
from chw_tools.programme import load_programme

FACTS = {"values": "140/95, 150", "day": "2026-02-19", "n": 2, "what": "high"}
LANGUAGES = ("en", "fr", "sw", "es")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_says_why_in_every_language(rule, language):
    said = sentence_of(rule, FACTS, language=language)
    assert not re.search(r"[{}]|\[en\]", said)
    assert "2026" in said
    assert len(said) <= 120


def test_a_language_without_the_text_falls_back_and_shows_it():
    said = sentence_of(RULES[0], FACTS, language="am")
    assert said.startswith("[en] Upper blood pressure rose")


def test_the_programme_names_months_and_bands_in_its_language():
    programme = load_programme()
    assert "19 février 2026" in reason_of(programme, "high_risk_unseen", FACTS, language="fr")
    assert "élevé" in reason_of(programme, "high_risk_unseen", FACTS, language="fr")
    assert reason_of(programme, "gone_rule", FACTS) == "Gone rule."
    assert reason_of(programme, "high_risk_unseen", FACTS).startswith("Risk is high")
