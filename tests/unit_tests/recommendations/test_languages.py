"""Advice in other languages: the same rules, the same days, and English marked where it shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from chw_tools.programme import load_programme
from chw_tools.programme.texts import FALLBACK_MARK, SHIPPED_LANGUAGES, missing_texts
from chw_tools.recommendations import all_recommendations
from chw_tools.records import empty_table
from chw_tools.records.derived import RISKS

PROGRAMME = load_programme()
AS_OF = pd.Timestamp("2026-03-10").as_unit("s")
ILL = {
    "age_years": 60.0,
    "danger_chest_pain": "yes",
    "danger_chest_pain_days_since": 9,
    "systolic_mmhg": 150,
    "diastolic_mmhg": 95,
    "systolic_mmhg_days_since": 9,
    "diastolic_mmhg_days_since": 9,
}


def advice(features_of: Any, language: str) -> pd.DataFrame:
    return all_recommendations(
        features_of(p=ILL),
        empty_table(RISKS),
        programme=replace(PROGRAMME, language=language),
        as_of=AS_OF,
    )


@pytest.mark.parametrize("language", SHIPPED_LANGUAGES)
def test_every_rule_has_its_texts_and_they_are_drafts(language: str) -> None:
    translation = PROGRAMME.translation(language)

    assert missing_texts(translation, PROGRAMME.rules) == ()
    assert translation.state == "draft"
    for rule in PROGRAMME.rules:
        for part in translation.text(f"{rule.id}.action", "").split(". "):
            assert len(part.split()) <= 14, part


def test_the_words_change_and_nothing_else_does(features_of: Any) -> None:
    english, french = advice(features_of, "en"), advice(features_of, "fr")

    pd.testing.assert_frame_equal(
        english.drop(columns=["action", "reason"]), french.drop(columns=["action", "reason"])
    )
    first = french.iloc[0]
    assert first["action"] == "Envoyez la personne à l'hôpital maintenant."
    assert first["reason"] == "Signe de danger le 1 mars : douleur à la poitrine."
    assert not french["reason"].str.startswith(FALLBACK_MARK).any()


def test_swahili_and_spanish_tell_the_same_day(features_of: Any) -> None:
    assert "1 Machi" in advice(features_of, "sw").iloc[0]["reason"]
    assert "1 marzo" in advice(features_of, "es").iloc[0]["reason"]


def test_a_language_that_is_not_there_falls_back_and_shows_it(features_of: Any) -> None:
    table = advice(features_of, "xx")

    assert table["action"].str.startswith(FALLBACK_MARK).all()
    assert table["reason"].str.startswith(FALLBACK_MARK).all()


def test_a_sign_without_a_word_is_marked_within_the_sentence(features_of: Any) -> None:
    table = all_recommendations(
        features_of(
            p={"age_months": 24.0, "age_years": 2.0, "ear_pain": "yes", "ear_pain_days_since": 0}
        ),
        empty_table(RISKS),
        programme=replace(PROGRAMME, language="fr"),
        as_of=AS_OF,
    ).set_index("rule_id")

    assert (
        table.loc["child_ear_acute", "reason"] == "Problème d'oreille le 10 mars : [en] ear pain."
    )
