"""Advice in other languages: the same rules, the same days, and English marked where it shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from chw_tools.programme import load_programme
from chw_tools.programme.texts import (
    FALLBACK_MARK,
    SHIPPED_LANGUAGES,
    WRITTEN_IN,
    Translation,
    english,
)
from chw_tools.programme.written import missing_texts
from chw_tools.recommendations import all_recommendations
from chw_tools.records import conform, empty_table, load_catalogue
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

    assert missing_texts(translation, PROGRAMME.written) == ()
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
    french = PROGRAMME.translation("fr")
    words = {word: text for word, text in french.words.items() if word != "ear_pain"}
    lacking = replace(french, words=words)
    table = all_recommendations(
        features_of(
            p={"age_months": 24.0, "age_years": 2.0, "ear_pain": "yes", "ear_pain_days_since": 0}
        ),
        empty_table(RISKS),
        programme=replace(PROGRAMME, language="fr", translations={"fr": lacking}),
        as_of=AS_OF,
    ).set_index("rule_id")

    assert (
        table.loc["child_ear_acute", "reason"] == "Problème d'oreille le 10 mars : [en] ear pain."
    )


#: Each sign that a sentence can name, present, with the answer that its rule asks for.
SIGNS = [
    (rule.id, condition)
    for rule in PROGRAMME.rules
    if "signs" in rule.placeholders
    for condition in rule.any
]


@pytest.mark.parametrize("language", SHIPPED_LANGUAGES)
def test_every_sign_and_answer_has_a_word_and_english_needs_none(language: str) -> None:
    words = PROGRAMME.translation(language)
    for name, condition in SIGNS:
        assert condition.feature in words.words, (name, condition.feature)
    assert all(words.has(key) for key in PROGRAMME.written)
    assert missing_texts(Translation(language), PROGRAMME.written) == tuple(PROGRAMME.written)
    assert missing_texts(Translation(WRITTEN_IN), PROGRAMME.written) == ()


def test_an_answer_is_told_in_the_language_too(features_of: Any) -> None:
    known = {"age_months": 24.0, "age_years": 2.0, "mouth_sores": "some"}
    table = all_recommendations(
        features_of(p=known | {"mouth_sores_days_since": 0}),
        empty_table(RISKS),
        programme=replace(PROGRAMME, language="fr"),
        as_of=AS_OF,
    )
    assert "Bouche le 10 mars : quelques plaies." in table["reason"].tolist()
    assert not table["reason"].str.contains(FALLBACK_MARK, regex=False).any()


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "150/95 on 1 March"),
        ("fr", "150/95 le 1 mars"),
        ("sw", "150/95 tarehe 1 Machi"),
        ("es", "150/95 el 1 marzo"),
    ],
)
def test_a_pressure_of_one_day_is_told_in_the_language(
    features_of: Any, language: str, said: str
) -> None:
    assert advice(features_of, language)["reason"].str.contains(said, regex=False).any()


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", "150/95 le 1 mars, le plus haut de plusieurs mesures"),
        ("sw", "150/95 tarehe 1 Machi, ya juu zaidi kati ya vipimo kadhaa"),
        ("es", "150/95 el 1 marzo, lo más alto de varias mediciones"),
    ],
)
def test_the_highest_of_several_pressures_is_told_in_the_language(
    features_of: Any, language: str, said: str
) -> None:
    table = all_recommendations(
        features_of(p=ILL | {"pressure_is_highest": True}),
        empty_table(RISKS),
        programme=replace(PROGRAMME, language=language),
        as_of=AS_OF,
    )
    assert table["reason"].str.contains(said, regex=False).any()


def test_a_pressure_of_two_days_is_told_in_the_language(features_of: Any) -> None:
    known = ILL | {"diastolic_mmhg_days_since": 5}
    table = all_recommendations(
        features_of(p=known),
        empty_table(RISKS),
        programme=replace(PROGRAMME, language="fr"),
        as_of=AS_OF,
    )
    said = "systolique 150 le 1 mars, diastolique 95 le 5 mars"
    assert table["reason"].str.contains(said, regex=False).any()


HIGH = {
    "person_id": "p",
    "outcome": "cvd_10y",
    "as_of": AS_OF,
    "state": "estimated",
    "risk": 0.3,
    "band": "very_high",
    "model": "published",
    "model_digest": "0",
    "inputs_digest": "0",
}
RAISING = [
    {"feature": "age_years", "label": "Age", "value": "60 years", "effect": 0.5},
    {
        "feature": "systolic_mmhg",
        "label": "Systolic blood pressure",
        "value": "170 mmHg",
        "effect": 0.4,
    },
    {"feature": "tobacco", "label": "Tobacco use", "value": "current", "effect": 0.3},
    {"feature": "has_diabetes", "label": "Diabetes on record", "value": "yes", "effect": 0.2},
]
SAID = {
    "en": (
        "The risk of a heart attack or stroke within ten years is very high, mostly because of "
        "age 60 years, systolic blood pressure 170 mmHg, tobacco use current."
    ),
    "fr": (
        "Risque très élevé : crise cardiaque ou accident vasculaire cérébral dans les dix ans. "
        "Surtout à cause de : âge 60 ans, tension systolique 170 mmHg, tabac actuellement."
    ),
    "sw": (
        "Hatari kubwa sana: shambulio la moyo au kiharusi ndani ya miaka kumi. Hasa kwa sababu "
        "ya: umri miaka 60, shinikizo la damu la juu 170 mmHg, tumbaku sasa."
    ),
    "es": (
        "Riesgo muy alto: ataque al corazón o derrame cerebral en diez años. Sobre todo por: "
        "edad 60 años, presión sistólica 170 mmHg, tabaco ahora."
    ),
}


def of_risk(features_of: Any, language: str, **changed: Any) -> pd.Series:
    risks = conform(RISKS, pd.DataFrame([HIGH | {"reasons": RAISING} | changed]))
    table = all_recommendations(
        features_of(p={"age_years": 60.0}),
        risks,
        programme=replace(PROGRAMME, language=language),
        as_of=AS_OF,
    )
    return table.set_index("rule_id").loc["risk_high"]


@pytest.mark.parametrize("language", SAID)
def test_a_risk_is_told_in_each_language(language: str, features_of: Any) -> None:
    row = of_risk(features_of, language)
    assert row["reason"] == SAID[language]
    assert (row["action"] == PROGRAMME.step_for("cvd_10y", "very_high").action) == (
        language == "en"
    )
    assert FALLBACK_MARK not in row["action"]


def test_what_raises_a_risk_is_told_without_an_answer_where_it_is_yes(features_of: Any) -> None:
    yes, no = RAISING[3], RAISING[3] | {"value": "no"}
    assert of_risk(features_of, "fr", reasons=[yes])["reason"].endswith(": diabète.")
    assert of_risk(features_of, "fr", reasons=[no])["reason"].endswith(": diabète non.")
    assert of_risk(features_of, "en", reasons=[yes])["reason"].endswith("diabetes on record yes.")


def test_what_has_no_word_is_marked_and_what_lowers_is_not_named(features_of: Any) -> None:
    unknown = {"feature": "wealth_fifth", "label": "Wealth fifth", "value": "1", "effect": 0.1}
    lowers = {"feature": "bmi", "label": "Body mass index", "value": "20 kg/m2", "effect": -0.4}
    row = of_risk(features_of, "fr", reasons=[lowers, unknown])
    assert row["reason"].endswith("Surtout à cause de : [en] wealth fifth 1.")
    other = of_risk(features_of, "fr", outcome="falls_180d", reasons=None)
    assert other["reason"] == "Risque très élevé : [en] falls 180d."
    assert other["action"].startswith("Visitez bientôt.")
    assert of_risk(features_of, "en", outcome="falls_180d", reasons=[])["reason"] == (
        "The risk of falls 180d is very high."
    )


@pytest.mark.parametrize("language", SHIPPED_LANGUAGES)
def test_what_would_change_a_risk_is_told_in_the_language(language: str) -> None:
    told = replace(PROGRAMME, language=language).effects_told.effects
    for one, written in zip(told, PROGRAMME.effects.effects, strict=True):
        assert one.action != written.action
        assert FALLBACK_MARK not in f"{one.action}{one.ask}{one.who_acts}"
        assert bool(one.ask) == bool(written.ask)
        assert (one.relative_risk, one.who) == (written.relative_risk, written.who)
    assert PROGRAMME.effects_told == PROGRAMME.effects


def test_words_of_the_catalogue_are_not_worded_twice() -> None:
    entries = load_catalogue().entries
    for word, text in english().words.items():
        if word in entries:
            assert text == entries[word].label[0].lower() + entries[word].label[1:]
