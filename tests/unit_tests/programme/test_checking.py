"""A folder is checked before it is used: every fault with its line, and what it would change."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import pytest

from chw_tools.cli.main import main
from chw_tools.programme.checking import check_programme, language_states, texts_missing
from chw_tools.programme.folder import KNOWN
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


#: What a folder writes of a language, and what is said of it, with file and line.
WRONG_TEXTS = {
    "a word of nothing": ('[words]\nanger = "colère"', "texts_fr.toml:2, words.anger: no feature"),
    "a word with a place too few": (
        '[words]\nage_years = "âge"',
        "texts_fr.toml:2, words.age_years: must hold the same {values} as the English word",
    ),
    "a vaccine that is not there": (
        '[series.measels]\nlabel = "rougeole"',
        "texts_fr.toml:2, series.measels.label: there is no such",
    ),
    "a day left out": (
        '[vaccines_due]\ndue_on = "{vaccine} bientôt."',
        "texts_fr.toml:2, vaccines_due.due_on: must hold the same",
    ),
}


@pytest.mark.parametrize("title", WRONG_TEXTS)
def test_words_and_sentences_of_no_rule_are_checked_too(title: str, tmp_path: Path) -> None:
    text, said = WRONG_TEXTS[title]
    (tmp_path / "texts_fr.toml").write_text(f"{text}\n", encoding="utf-8")
    told = [str(f) for f in check_programme(tmp_path).findings]
    assert len(told) == 1
    assert said in told[0]


def test_english_of_a_rule_stands_beside_the_rule(tmp_path: Path) -> None:
    (tmp_path / "texts_en.toml").write_text(
        '[bp_high]\naction = "Measure."\n[risk_high]\nreason = "Risk of {outcome}: {band}."\n'
    )
    told = [str(f) for f in check_programme(tmp_path).findings]
    assert told == ["texts_en.toml:2, bp_high.action: there is no such rule or part"]


def test_texts_of_what_is_switched_off_wait(tmp_path: Path) -> None:
    (tmp_path / "effects.toml").write_text("[walk]\noff = true\n")
    (tmp_path / "rules.toml").write_text("[tobacco_advice]\noff = true\n")
    assert check_programme(tmp_path).findings == ()


#: One text taken away, and the file and key that say so.
LACKING = {
    "series.measles.label": "immunisation.toml",
    "effects.walk.ask": "effects.toml",
    "risk_steps.cvd_10y.high.action": "programme.toml",
    "vaccines_due.doses": "texts_en.toml",
    "words.months": "texts_en.toml",
    "words.ear_pain": "rules_children.toml",
    "words.answer_thrush": "rules_children.toml",
    "bands.very_high": "texts_en.toml",
}


def test_every_kind_of_text_is_missed_with_the_file_and_line_of_the_english(tmp_path: Path) -> None:
    (tmp_path / "programme.toml").write_text('languages = ["en", "xx"]\n')
    found = {f.file: f for f in check_programme(tmp_path).findings}
    assert set(LACKING) <= set(texts_missing("xx"))
    for file in LACKING.values():
        assert found[file].line is not None, file
        assert found[file].what == "has no text in xx (texts_xx.toml)"


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


def _told(folder: Path) -> list[str]:
    return [str(finding) for finding in check_guidelines(folder).findings]


STEPS = """
[visit_reminder]
version = 2
source = "Ours 2026"

[[visit_reminder.steps]]
name = "before"
day = -3
template = "visit_before"
not_after_days = 1

[[visit_reminder.steps]]
name = "on_the_day"
day = 0
template = "visit_tody"
not_after_days = 1
"""


def test_a_step_of_a_template_that_does_not_exist_is_told_with_file_and_line(
    tmp_path: Path,
) -> None:
    (tmp_path / "protocols.toml").write_text(STEPS)

    fault = "visit_reminder.steps.2.template: no template is called visit_tody"
    assert _told(tmp_path) == [f"protocols.toml:15, {fault}"]

    (tmp_path / "templates.toml").write_text(
        '[visit_tody]\nversion = 1\nkind = "reminder"\nlabel = "Ours"\n'
    )
    assert not _told(tmp_path)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("age_years=forty,none,", "age_years must be a number, not forty"),
        ("age_years=nan,none,", "age_years must be a number, not nan"),
        ("systolic_mmhg=high,none,", "systolic_mmhg must be a number, not high"),
        ("age_years=50; systolic_mmhg=170@x,none,", "the days after @ must be a number, not x"),
        ("has_diabetes=maybe,none,", "has_diabetes has no answer maybe"),
        ("has_stroke_days_since=yes,none,", "has_stroke_days_since must be a number, not yes"),
        ("age_years=50,within_days,soon", "due_days must be a whole number, not soon"),
        ("age_years=50", "must have 5 cells"),
        ("age_years=50,none,,more", "must have 5 cells"),
    ],
)
def test_a_cell_that_cannot_be_read_is_told_with_file_and_line(
    tmp_path: Path, row: str, said: str
) -> None:
    (tmp_path / "cases.csv").write_text(
        f"rule,case,known,advice,due_days\nbp_raised,ours,age_years=50,none,\nbp_raised,x,{row}\n"
    )

    assert f"cases.csv:3, x: {said}" in _told(tmp_path)


@pytest.mark.parametrize("file", ["rules.toml", "monitoring.toml", "effects.toml"])
def test_switching_off_what_is_not_there_is_told(tmp_path: Path, file: str) -> None:
    (tmp_path / file).write_text("\n[bp_hihg]\noff = true\n")

    assert f"{file}:2, bp_hihg: there is nothing of this name to switch off" in _told(tmp_path)


def test_a_file_that_nothing_reads_is_told_with_the_names_that_are(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("Notes.")
    (tmp_path / ".keep").write_text("")
    (tmp_path / "texts_pt.toml").write_text("")
    (tmp_path / "drafts").mkdir()
    assert not _told(tmp_path)

    (tmp_path / "rule.toml").write_text("")
    (tmp_path / "rules_hart.toml").write_text("")

    told = _told(tmp_path)
    assert len(told) == 2
    assert told[0].startswith("rule.toml, whole file: is not read; the names are programme.toml, ")
    assert "templates_<language>.toml" in told[1]


def test_every_shipped_file_of_decisions_may_be_changed_by_a_folder() -> None:
    shipped = resources.files("chw_tools.programme").joinpath("defaults").iterdir()
    names = {file.name for file in shipped if file.name.endswith(".toml")}
    by_language = {name for name in names if name.startswith(("texts_", "templates_"))}

    # What a rule set covers of the guidelines is the project's to say, not a folder's.
    assert names - by_language - set(KNOWN) == {"coverage.toml"}


def test_what_a_folder_changes_is_told_by_file_and_key(tmp_path: Path) -> None:
    (tmp_path / "protocols.toml").write_text(STEPS.replace("tody", "today").replace("-3", "-2"))
    (tmp_path / "monitoring.toml").write_text(
        '[pressure_rising]\nreadings = 4\nsource = "Ours 2026"\n'
    )
    (tmp_path / "outreach.toml").write_text(
        '[quiet_hours]\nholidays = ["12-25", "02-29"]\nsource = "Ours 2026"\n'
    )
    (tmp_path / "templates_sw.toml").write_text('state = "approved"\n')

    checked = check_guidelines(tmp_path)

    assert checked.findings == ()
    changed = {change.key: (change.before, change.after) for change in checked.changes}
    assert changed["protocols.toml: visit_reminder.steps.before.day"] == ("-3", "-2")
    assert changed["protocols.toml: visit_reminder.steps.after.day"] == ("3", "(left out)")
    assert changed["monitoring.toml: pressure_rising.readings"] == ("3", "4")
    assert changed["outreach.toml: quiet_hours.holidays"] == ("(none)", "12-25, 02-29")
    assert changed["templates_sw.toml: state"] == ("draft", "approved")
    assert not any(key.startswith(("cases", "case ")) for key in changed)


def test_a_reworded_text_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "templates_en.toml").write_text('[check_in]\ntext = "Reply 1 or 2."\n')

    main(["programme", "check", str(tmp_path)], {})

    said = capsys.readouterr().out
    assert "changes nothing" not in said
    assert "Reply 1 or 2." in said


def test_a_folder_that_is_not_there_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(_told(tmp_path / "nowhere")) == 1
    assert main(["programme", "check", str(tmp_path / "nowhere")], {}) == 1
    assert "changes nothing" not in capsys.readouterr().out
