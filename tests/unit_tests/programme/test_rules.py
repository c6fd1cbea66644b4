"""The shipped rules: complete, sourced, in plain words, and no danger sign left out."""

from __future__ import annotations

import csv
import re

import pytest

from chw_tools.feature_engineering import build_features
from chw_tools.programme import Rule, load_programme
from chw_tools.programme.rules import KINDS
from chw_tools.records import Register, load_catalogue
from chw_tools.records.derived import URGENCIES

RULES = load_programme().rules
IDS = [rule.id for rule in RULES]
#: Recommendations of this kind come from an estimate, not from a rule.
NOT_FROM_RULES = {"risk"}


def sentences(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.!?])\s+", text) if part]


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_actions_are_short_plain_sentences(rule: Rule) -> None:
    for sentence in sentences(rule.action):
        assert len(sentence.split()) <= 12, sentence
    assert rule.action.endswith(".")
    assert len(sentences(rule.action)) <= 3


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_a_rule_reads_only_features_that_are_built(rule: Rule) -> None:
    import pandas as pd

    built = build_features(Register.of(), as_of=pd.Timestamp("2026-01-01")).frame.columns

    assert rule.features() <= set(built)


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_a_reason_is_a_sentence_that_holds_a_value_of_the_person(rule: Rule) -> None:
    about_absence = any(c.op == "is_missing" or c.op == "not <=" for c in (*rule.all, *rule.any))
    assert rule.reason.endswith(".")
    assert rule.placeholders or about_absence


def test_every_kind_and_urgency_is_given_by_some_rule() -> None:
    assert {rule.kind for rule in RULES} == set(KINDS) - NOT_FROM_RULES
    assert {rule.urgency for rule in RULES} == set(URGENCIES)


def test_every_danger_sign_of_the_catalogue_counts_for_everyone() -> None:
    signs = {entry.name for entry in load_catalogue().danger_signs()}
    by_id = {rule.id: rule for rule in RULES}

    for name in ("any_danger_sign", "danger_sign_recheck"):
        assert {c.feature for c in by_id[name].any} == signs
        assert by_id[name].who == ()


def test_what_claims_to_be_read_names_a_row_of_a_who_table() -> None:
    for rule in RULES:
        if rule.verified:
            assert re.search(r"\b(CHE\.DT\.\d\d|ANC\.(DT|S)\.\d\d|TB\.B\d\.DT)", rule.source), (
                rule.id
            )
            assert rule.rows, rule.id


@pytest.mark.shared
def test_the_who_tables_hold_what_the_rules_say_they_hold(shared) -> None:  # type: ignore[no-untyped-def]
    folder = shared / "vectors" / "who_dak"
    children = (folder / "imci_che__CHE.B23.Classifications_ge2m.csv").read_text(encoding="utf-8")
    pressure = (folder / "anc__ANC.DT.17_24_Diagnosis_treat.csv").read_text(encoding="utf-8")
    by_id = {rule.id: rule for rule in RULES}

    assert "<115mm" in children
    assert "≥115mm to <125mm" in children
    assert by_id["child_muac_red"].all[0].value * 10 == 115
    assert 'Systolic blood pressure"" ≥ 160 mmHg' in pressure
    assert {c.value for c in by_id["pregnancy_bp_severe"].any} == {160, 110}


@pytest.mark.shared
def test_antenatal_contacts_are_due_in_the_weeks_of_the_who_schedule(shared) -> None:  # type: ignore[no-untyped-def]
    path = shared / "vectors" / "who_dak" / "anc__ANC.S.01_ANC_contact_schedule.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = {next(filter(None, row), ""): row for row in csv.reader(file)}
    contacts = [rows[f"ANC Contact {number}"] for number in range(1, 9)]

    def cell(row: list[str], pattern: str) -> list[str]:
        return [found[1] for one in row if (found := re.fullmatch(pattern, one.strip(), re.I))]

    weeks = [float(cell(row, r"GA = (\d+) weeks")[0]) for row in contacts]
    late = {int(cell(row, r"Due date \+ (\d+) days")[0]) for row in contacts}
    by_id = {rule.id: rule for rule in RULES}
    schedule = by_id["antenatal_contact"].schedule
    assert schedule is not None
    assert (schedule.feature, list(schedule.at)) == ("gestational_weeks", weeks)
    assert {by_id["antenatal_contact"].overdue_days} == late
    (birth,) = by_id["pregnancy_past_term"].all
    assert float(cell(rows["Refer for delivery"], r"GA = (\d+) weeks")[0]) == birth.value


def test_a_source_that_is_a_document_has_its_year() -> None:
    for rule in RULES:
        own = rule.source.startswith("Decision of this project")
        assert (rule.year is None) is own, rule.id
        assert own or 1990 <= (rule.year or 0) <= 2026
