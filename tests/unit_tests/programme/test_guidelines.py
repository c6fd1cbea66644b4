"""The page for clinicians shows every rule and number, and marks what was not read."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from chw_tools.programme import load_programme
from chw_tools.programme.guidelines import (
    EXAMPLE,
    SET_TITLES,
    guidelines_page,
    rule_set_page,
)
from chw_tools.workflows.guidelines import check_guidelines

ROOT = Path(__file__).resolve().parents[3]


def test_every_rule_and_number_is_on_the_page_with_its_state() -> None:
    programme = load_programme()
    page = guidelines_page(programme)
    sets = {name: rule_set_page(name, programme) for name in SET_TITLES}

    for rule in programme.rules:
        section = sets[rule.rule_set].split(f"`{rule.id}` · ")[1].split("\n## ")[0]
        assert f"**{'read' if rule.verified else 'to be confirmed'}**" in section
        assert rule.source in section
        assert rule.action in section
        assert "| Case | Known | Advice | Due in days |" in section
    for figure in programme.figures:
        if not figure.key.startswith("rules."):
            assert f"| `{figure.key}` | {figure.value} |" in page
    assert f"{len(programme.unverified())} of {len(programme.figures)} rules and numbers" in page


def test_the_page_in_docs_is_the_one_written_now() -> None:
    assert (ROOT / "docs" / "guidelines.md").read_text(encoding="utf-8") == guidelines_page()
    for name in SET_TITLES:
        page = ROOT / "docs" / "guidelines" / f"{name}.md"
        assert page.read_text(encoding="utf-8") == rule_set_page(name)


def test_conditions_are_words_a_clinician_can_read() -> None:
    page = "".join(rule_set_page(name) for name in SET_TITLES)

    assert "`gestational_weeks` is not known" in page
    assert "`age_years` not < 18 (or not known)" in page
    assert not re.search(r"\bTrue\b|\bFalse\b|\bNone\b", page)


def test_what_a_worker_may_not_do_alone_says_so() -> None:
    programme = load_programme()
    name = "bp_high"
    changed = tuple(
        replace(rule, in_chw_scope=rule.id != name, rows=("HEARTS.1",) if rule.id == name else ())
        for rule in programme.rules
    )
    page = rule_set_page("heart", replace(programme, rules=changed))
    section = page.split(f"`{name}` · ")[1].split("\n## ")[0]
    said = "- Not for the community health worker to do alone"
    assert said in section
    assert "- Rows carried out: HEARTS.1" in section
    assert page.count(said) == page.count("- Rows carried out:") == 1


def test_the_example_on_the_page_is_a_folder_without_faults(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "guidelines.md").read_text(encoding="utf-8")
    for name, text in EXAMPLE.items():
        assert f"`{name}`:\n\n```\n{text}```\n" in page
        (tmp_path / name).write_text(text, encoding="utf-8")

    checked = check_guidelines(tmp_path)
    assert checked.findings == ()
    changes = {change.key: change.after for change in checked.changes}
    assert changes["rules.waist_large.all"] == "waist_cm >= 102"

    # Its cases are tried: with another limit the second fails.
    other = EXAMPLE["rules.toml"].replace('">=", 102', '">=", 101')
    (tmp_path / "rules.toml").write_text(other, encoding="utf-8")
    (told,) = check_guidelines(tmp_path).findings
    assert str(told).startswith("cases.csv:3")
