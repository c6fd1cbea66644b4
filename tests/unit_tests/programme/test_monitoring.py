"""Monitoring rules: a fault is told with file and line; a folder changes what it names."""

from pathlib import Path

import pytest

from chw_tools.errors import ProgrammeFault
from chw_tools.programme import load_programme
from chw_tools.programme.monitoring import KINDS, load_monitoring
from chw_tools.programme.monitoring_page import monitoring_page

SHIPPED = {rule.id: rule for rule in load_monitoring()}


def test_the_page_in_docs_is_the_one_written_now():
    page = Path(__file__).parents[3] / "docs" / "monitoring_rules.md"
    written = monitoring_page()
    assert page.read_text(encoding="utf-8") == written
    for rule in SHIPPED:
        assert f"| `{rule}` |" in written


def test_there_is_a_rule_of_each_kind():
    assert {rule.kind for rule in SHIPPED.values()} == set(KINDS)


@pytest.mark.parametrize("rule", SHIPPED.values(), ids=lambda rule: rule.id)
def test_every_rule_says_where_its_numbers_come_from(rule):
    assert rule.source
    assert rule.closes_on
    assert set(rule.reasons) == {"en", "fr", "sw", "es"}


def test_weight_for_age_is_news_when_somebody_is_weighed():
    assert SHIPPED["weight_faltering"].observed() == ("weight_kg",)


def test_the_programme_lists_what_is_to_be_confirmed():
    keys = {figure.key for figure in load_programme().unverified()}
    assert "monitoring.pressure_rising" in keys
    assert "monitoring.missed_antenatal_contact" not in keys
    assert "protocols.visit_reminder" in keys


def test_a_folder_changes_a_limit_with_its_source_and_switches_rules_off(tmp_path):
    (tmp_path / "monitoring.toml").write_text(
        '[high_risk_unseen]\ndays = 30\nsource = "Ours"\n[pressure_rising]\noff = true\n'
    )
    rules = {rule.id: rule for rule in load_monitoring(tmp_path)}
    assert rules["high_risk_unseen"].days == 30
    assert not rules["high_risk_unseen"].verified
    assert "pressure_rising" not in rules


OWN = """
[thin_blood]
label = "Pale"
kind = "level"
urgency = "within_days"
any = [["haemoglobin_g_dl", "<", 8]]
readings = 2
span_days = 90
fresh_days = 30
due_days = 3
closes_on = ["measured"]
reason = "Was {values} on {day}."
reason_fr = "{values} le {day}."
source = "This programme"
"""


def test_a_folder_adds_a_rule(tmp_path):
    (tmp_path / "monitoring.toml").write_text(OWN)
    rule = load_monitoring(tmp_path)[-1]
    assert (rule.id, rule.again_days) == ("thin_blood", 90)
    assert rule.observed() == ("haemoglobin_g_dl",)


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ('kind = "level"', 'kind = "mood"', r"monitoring.toml:4, thin_blood.kind"),
        ("readings = 2", "readings = 1", r"monitoring.toml:7, thin_blood.readings"),
        ("readings = 2", "readings = 2.5", "whole number"),
        ("readings = 2\n", "", "a rule of kind level needs it"),
        ("readings = 2", "readings = 2\ndays = 3", "thin_blood.days: is not a key"),
        ('urgency = "within_days"', 'urgency = "soon"', "thin_blood.urgency"),
        ('"<", 8', '"about", 8', "a level is"),
        ('"<", 8', '"<", "low"', "a level is"),
        ('[["haemoglobin_g_dl", "<", 8]]', "3", "a level is"),
        ("haemoglobin_g_dl", "mood", "mood is not one of those that are declared"),
        ("haemoglobin_g_dl", "tobacco", "tobacco is not one of"),
        ('["measured"]', '["healed"]', "healed is not one of"),
        ('["measured"]', "[]", "must be a list of names"),
        ('["measured"]', '["supplied"]', "without medicines"),
        ('"Was {values} on {day}."', '"Was {mood}."', "may name only"),
        ('"{values} le {day}."', '"Le {day}."', "the same {values}"),
        ('"This programme"', '" "', "without a source"),
        ("[thin_blood]", "thin = 3\n[thin_blood]", "must be a table"),
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path, was, now, said):
    (tmp_path / "monitoring.toml").write_text(OWN.replace(was, now))
    with pytest.raises(ProgrammeFault, match=said):
        load_monitoring(tmp_path)


@pytest.mark.parametrize(
    ("key", "said"),
    [("advice", "missed_antenatal_contact.advice"), ("but_not", "care_overdue.but_not")],
)
def test_advice_that_no_rule_gives_is_refused(tmp_path, key, said):
    rule = said.partition(".")[0]
    (tmp_path / "monitoring.toml").write_text(f'[{rule}]\n{key} = ["nothing"]\nsource = "Ours"\n')
    with pytest.raises(ProgrammeFault, match=f"{said}: no rule is called nothing"):
        load_programme(tmp_path)


def test_a_rule_without_measures_does_not_end_by_one(tmp_path):
    own = OWN.replace('kind = "level"', 'kind = "unseen"').replace("readings = 2", "days = 3")
    (tmp_path / "monitoring.toml").write_text(own)
    with pytest.raises(ProgrammeFault, match="without measures"):
        load_monitoring(tmp_path)
