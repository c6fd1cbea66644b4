"""Check a programme before it is used: its files, and its cases on its own rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chw_tools.outreach.templates import preview_templates
from chw_tools.programme.cases import read_cases
from chw_tools.programme.checking import Change, Check, check_programme
from chw_tools.programme.reading import Finding, Problems
from chw_tools.programme.templates import file_of, read_templates
from chw_tools.programme.words import read_words
from chw_tools.recommendations.cases import failing_cases

if TYPE_CHECKING:
    from pathlib import Path

    from chw_tools.programme.cases import Case
    from chw_tools.recommendations.cases import Answer


@dataclass(frozen=True)
class CheckedGuidelines:
    """The check of a programme and of its cases.

    Parameters
    ----------
    check : Check
        Of the files.
    findings : tuple of Finding
        Every fault of the files, and every case of the folder that fails.
    changes : tuple of Change
        What the folder decides otherwise, and which shipped cases then come out otherwise.
    n_cases : int
        How many cases were tried; none where the files have faults.
    """

    check: Check
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]
    n_cases: int


def check_guidelines(folder: Path | None = None) -> CheckedGuidelines:
    """Read a programme folder, find its faults, and try every case on its rules.

    A case of the folder that fails is a fault. A shipped case that fails tells what the folder
    changes, if the folder changed that rule or one beside it, and otherwise is a fault too.
    """
    check = check_programme(folder)
    of_messages = message_findings(folder)
    if check.findings:
        # What both readings found, such as a folder that is not there, is told once.
        findings = tuple(dict.fromkeys((*check.findings, *of_messages)))
        return CheckedGuidelines(check, findings, check.changes, 0)
    problems = Problems()
    cases = read_cases(folder, {rule.id for rule in check.programme.rules}, problems)
    failing = failing_cases(check.programme, cases)
    shipped_may_differ = bool(check.changes)
    own = [pair for pair in failing if _is_own(pair[0]) or not shipped_may_differ]
    changed = [pair for pair in failing if pair not in own]
    findings = (*of_messages, *problems.findings, *(_finding(*pair) for pair in own))
    changes = (*check.changes, *(_change(*pair) for pair in changed))
    return CheckedGuidelines(check, findings, changes, len(cases))


def message_findings(folder: Path | None) -> tuple[Finding, ...]:
    """Every fault of the messages' files, and every text that could not be sent as it is worded."""
    problems = Problems()
    words, book = read_words(folder, problems), read_templates(folder, problems)
    if problems.findings:
        return tuple(problems.findings)
    for one in preview_templates(book, words):
        if one.state != "missing":
            for fault in one.rendered.faults:
                said = f"cannot be sent: {fault.replace('_', ' ')}"
                problems.add(file_of(one.wording), f"{one.template}.text", said)
    return tuple(problems.findings)


def _is_own(case: Case) -> bool:
    return case.at.startswith("cases.csv:")


def _finding(case: Case, answer: Answer) -> Finding:
    file, _, line = case.at.rpartition(":")
    what = f"expected {_said(case.advice, case.due_days)}, came out {_said(*answer)}"
    return Finding(file, int(line), f"{case.rule_id}, {case.title}", what)


def _change(case: Case, answer: Answer) -> Change:
    key = f"case {case.rule_id}: {case.said or 'nothing known'}"
    return Change(key, _said(case.advice, case.due_days), _said(*answer))


def _said(advice: str, due_days: int | None) -> str:
    due = "" if due_days is None else f", due in {due_days} days"
    return f"{advice.replace('_', ' ')}{due}"
