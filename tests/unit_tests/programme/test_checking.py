"""A folder is checked before it is used: every fault with its line, and what it would change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chw_tools.cli.main import main
from chw_tools.programme.checking import check_programme, language_states, texts_missing
from chw_tools.workflows.guidelines import check_guidelines

if TYPE_CHECKING:
    from pathlib import Path

OWN = """
[bp_fine]
label = "Fine"
kind = "guideline"
urgency = "routine"
action = "Nothing to do."
reason = "Blood pressure was {pressure}."
source = "Somebody, 2020"
who = [["age_years", "not <", 18]]
any = [["systolic_mmhg", ">=", 140], ["diastolic_mmhg", ">=", 90]]
within_days = 30
"""


def test_the_shipped_programme_has_no_fault_and_changes_nothing() -> None:
    check = check_programme()

    assert check.findings == ()
    assert check.changes == ()
    assert check.unverified()


def test_an_injected_contradiction_is_told_with_file_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rules.toml").write_text(OWN)

    assert main(["programme", "check", str(tmp_path)], {}) == 1
    said = capsys.readouterr().out
    assert "rules.toml:2, bp_fine: contradicts bp_raised" in said
    assert "rules.bp_fine.urgency" in said


def test_a_threshold_without_a_source_is_told_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "rules_heart.toml").write_text("\n[bp_high]\nwithin_days = 10\n")
    (tmp_path / "programme.toml").write_text("[planning.visit_minutes]\nvalue = 20\n")

    told = {(f.file, f.line, f.key) for f in check_programme(tmp_path).findings}

    assert ("rules_heart.toml", 2, "bp_high") in told
    assert ("programme.toml", 1, "planning.visit_minutes") in told


def test_a_text_missing_in_a_language_of_the_programme_is_told_with_file_and_line(
    tmp_path: Path,
) -> None:
    (tmp_path / "programme.toml").write_text('languages = ["en", "sw"]\n')
    rule = OWN.replace("bp_fine", "mine").replace("systolic_mmhg", "waist_cm")
    (tmp_path / "rules.toml").write_text(rule.replace("diastolic_mmhg", "waist_cm"))

    told = [str(f) for f in check_programme(tmp_path).findings]

    assert "rules.toml:6, mine.action: has no text in sw (texts_sw.toml)" in told


def test_a_translation_with_other_values_or_of_no_rule_is_told(tmp_path: Path) -> None:
    (tmp_path / "programme.toml").write_text('languages = ["en", "xx"]\n')
    (tmp_path / "texts_xx.toml").write_text(
        'state = "done"\nwords = 3\n[bp_high]\nreason = "Haut {age_years}."\n'
        '[nobody]\naction = "X."\n'
    )

    told = [str(f) for f in check_programme(tmp_path).findings]

    assert any("bp_high.reason: must hold the same {values}" in one for one in told)
    assert any("nobody.action: there is no such rule" in one for one in told)
    assert any("state: must be one of draft, approved" in one for one in told)
    assert any("words: must be a table" in one for one in told)


def test_a_folder_says_what_it_changes(tmp_path: Path) -> None:
    (tmp_path / "programme.toml").write_text(
        'name = "Ours"\n[planning.visit_minutes]\nvalue = 20\nsource = "Ours 2026"\n'
    )
    (tmp_path / "rules.toml").write_text("[tobacco_advice]\noff = true\n")

    check = check_programme(tmp_path)

    assert check.findings == ()
    changed = {change.key: (change.before, change.after) for change in check.changes}
    assert changed["planning.visit_minutes"] == ("34 min", "20 min")
    assert changed["name"] == ("Default programme", "Ours")
    assert changed["rules.tobacco_advice.urgency"] == ("routine", "(left out)")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('languages = ["en", 3]\n', "languages: must be a list of two-letter languages"),
        ('language = "de"\n', "language: must be one of `languages`"),
    ],
)
def test_languages_are_checked(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "programme.toml").write_text(text)

    assert any(said in str(finding) for finding in check_programme(tmp_path).findings)


def test_the_texts_a_language_lacks_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert "bp_high.action" in texts_missing("xx")
    assert main(["programme", "texts", "--missing", "xx"], {}) == 1
    assert "bp_high.reason" in capsys.readouterr().out
    states = {state.language: state for state in language_states()}
    assert states["en"].n_missing == 0
    assert set(states) >= {"en", "fr", "sw", "es"}


@pytest.mark.parametrize("words", [["check"], ["check", "--unverified"], ["texts"]])
def test_the_commands_answer_in_json_too(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["programme", *words, "--json"], {}) == 0
    assert capsys.readouterr().out.strip()[0] in "[{"
    assert main(["programme", *words], {}) == 0


def test_a_folders_own_cases_are_tried_and_what_it_changes_in_the_shipped_ones_is_said(
    tmp_path: Path,
) -> None:
    (tmp_path / "rules.toml").write_text(
        '[bp_raised]\nany = [["systolic_mmhg", ">=", 150], ["diastolic_mmhg", ">=", 95]]\n'
        'source = "National guideline 2025, p. 3"\n'
    )
    (tmp_path / "cases.csv").write_text(
        "rule,case,known,advice,due_days\n"
        "bp_raised,ours,age_years=50; systolic_mmhg=150,within_days,7\n"
        "bp_raised,not ours,age_years=50; systolic_mmhg=145,within_days,7\n"
        "nobody,x,age_years=50,none,\n"
        "bp_raised,wrong words,systolic=3; tobacco=often,soon,\n"
    )

    checked = check_guidelines(tmp_path)

    told = [str(finding) for finding in checked.findings]
    assert any(
        "cases.csv:3, bp_raised, not ours: expected within days, due in 7 days, came out none"
        in one
        for one in told
    )
    assert any("no rule is called nobody" in one for one in told)
    assert any("no feature is called systolic" in one for one in told)
    assert any("tobacco has no answer often" in one for one in told)
    assert any("advice must be one of" in one for one in told)
    assert not any("ours: expected" in one and "not ours" not in one for one in told)
    assert any(change.key.startswith("case bp_raised: ") for change in checked.changes)


def test_cases_with_other_columns_are_refused(tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text("rule,known\n")

    assert [finding.key for finding in check_guidelines(tmp_path).findings] == ["columns"]


def test_messages_are_checked_with_the_rest(tmp_path):
    from chw_tools.workflows.guidelines import check_guidelines, message_findings

    assert message_findings(None) == ()
    (tmp_path / "templates_en.toml").write_text(
        '[check_in]\ntext = "How is your HIV?"\n', encoding="utf-8"
    )
    [finding] = check_guidelines(tmp_path).findings
    assert str(finding) == "templates_en.toml:2, check_in.text: cannot be sent: forbidden word"
    (tmp_path / "words.toml").write_text("[limits]\nopen_hours = 0\n", encoding="utf-8")
    assert [one.key for one in message_findings(tmp_path)] == ["limits.open_hours"]
