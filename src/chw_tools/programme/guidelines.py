"""The programme's rules and numbers as a page for clinicians to read and correct."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chw_tools.programme.cases import read_cases
from chw_tools.programme.programme import load_programme
from chw_tools.programme.reading import Problems

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chw_tools.programme.cases import Case
    from chw_tools.programme.programme import Programme
    from chw_tools.programme.rules import Condition, Rule

#: A programme folder with one rule of its own; a test reads it as it stands on the page.
EXAMPLE = {
    "programme.toml": """\
name = "Our district"
languages = ["en", "fr"]
""",
    "rules.toml": """\
[waist_large]
label = "Large waist"
kind = "guideline"
urgency = "routine"
who = [["age_years", ">=", 18]]
all = [["waist_cm", ">=", 102]]
due_days = 30
action = "Talk about food and walking."
reason = "The waist was {waist_cm} cm on {waist_cm_on}."
source = "Our district's protocol, page 4"
year = 2026
verified = true
""",
    "texts_fr.toml": """\
[waist_large]
action = "Parlez de la nourriture et de la marche."
reason = "Le tour de taille était de {waist_cm} cm le {waist_cm_on}."
""",
    "cases.csv": """\
rule,case,known,advice,due_days
waist_large,at the limit,age_years=40; waist_cm=102,routine,30
waist_large,below the limit,age_years=40; waist_cm=101,none,
waist_large,age not known,waist_cm=110,none,
""",
}
_INTRODUCTION = """\
# Guidelines and numbers of the programme

Written from `chw_tools/programme/defaults/` (`make docs`). Every rule that decides what a
worker is asked to do stands with its source and its cases on the page of its set; every other
number stands below.

**To be confirmed** means that the named source was not read for this rule or number, or that
it is a decision of this project. A programme's own clinicians must review all of them before
any use with real people. Nothing here replaces a national guideline.

How rules work:

- A guideline is the floor. An estimated risk may make advice more urgent or bring it forward;
  it never makes it less urgent, later, or disappear.
- What is not known never counts as normal. A comparison with a missing value does not hold,
  and rules of the kind *measure* ask for what is missing.
- A danger sign counts for everyone, also where age or pregnancy is not known, for 14 days
  after it was last answered "yes". After that, and for 60 days, the worker is asked to ask
  again. A danger sign cannot be switched off.
- A rule that says more replaces a weaker one only if it is at least as urgent and no later.
- At most four pieces of advice are shown; what is due first is always among them, so that
  one follow-up day fits all. The rest stands under "more".
- A record that cannot be true becomes a question (the set *questions*); nothing is corrected
  in silence, and the advice that rests on it stays until somebody has answered.

To change something, make a folder with a `programme.toml` or `rules.toml` that names only
what differs, give each changed number its own `source` (and `verified = true` once it was
read), and your own cases in `cases.csv`. [An example](#an-example) is below. Then

    chw programme check FOLDER              # every fault with file and line; what it would change
    chw programme check --unverified        # what is to be confirmed
    chw programme texts --missing fr        # texts that a language lacks

finds unknown keys and features, rules that nobody can meet, that overlap or contradict each
other, that replace each other, numbers without a source, texts missing in a language,
steps of templates that do not exist, files that nothing reads (misspelt names), and
cases that come out otherwise than they say. `CHW_PROGRAMME=FOLDER` puts the folder to use.

Known limits of the shipped rules:

- Antenatal contacts follow the eight-contact schedule by weeks; the shifts for women who come
  late (rule 7 of ANC.S.01) are not in. Any visit since a week before counts as the contact,
  whoever made it.
- Weeks of pregnancy and since birth are whole weeks, so days are right to within a week.
- That care was received elsewhere after a danger sign is not known to the rules.
- Advice and its reason are told in one language: vaccines and risks have texts as rules do. What
  a language lacks is told in English and marked `[en]`: so far the labels of some features of
  trained models. Headings, urgencies and the tables around the advice, such as that of what would
  change a risk, are English in the command line and on the pages. All translations are drafts.
- Vaccines: one piece of advice for each child under two, from `immunisation.toml`. Delayed
  series, HIV, preterm birth and contraindications are not in; the health centre decides.
- A dose counts by its CVX code; one recorded under another code is not known to the rules.
- Of several blood pressures of one day the highest upper and the highest lower value count, in
  whatever order they were entered, and the reason says "the highest of several readings": no
  raised value is hidden by another. Where they differ by 30 (upper) or 20 mmHg (lower) a
  question is asked too. A measurement of a later day takes their place.
- Weight for length or height is judged only where both were measured on one day; without a
  note that the child lay or stood, lying is assumed under 731 days.
"""

_EXAMPLE_SAID = """\
A folder with one rule of its own. What a case does not name is not known; `due_days` is empty
where nothing is due. A rule needs its two texts in each of the programme's languages.
"""

#: What each rule set is about, as its page is called.
SET_TITLES = {
    "danger_signs": "Danger signs and emergencies",
    "children": "Sick children and child nutrition",
    "pregnancy": "Pregnancy, birth and the newborn",
    "infections": "Tuberculosis",
    "heart": "Blood pressure, diabetes and the heart",
    "mind": "Depression",
    "habits": "Tobacco, alcohol, activity and food",
    "questions": "Questions about records that cannot be true",
    "visits": "Routine visits",
}
_SET_INTRODUCTION = """\
Written from `rules_{name}.toml` and `cases_{name}.csv` in `chw_tools/programme/defaults/`
(`make docs`). The cases under each rule are tests: one person in, the advice of that rule out.
They were frozen from the rules: they hold every number still, and prove nothing of their own.
What the sources ask for in an emergency or on the same day was written by hand, apart from the
rules (`tests/unit_tests/recommendations/test_by_hand.py`).
What a case does not name is not known; `@31` is how many days ago it was measured. *none*: the rule
is silent; *replaced*: another rule says all that it does. How rules work:
[guidelines](../guidelines.md).
"""


def guidelines_page(programme: Programme | None = None) -> str:
    """Markdown of all sets and numbers, those to be confirmed marked.

    Parameters
    ----------
    programme : Programme, optional
        The shipped defaults if not given.

    Returns
    -------
    str
        A page; it has one line for each rule set and one row for each number.
    """
    programme = programme or load_programme()
    is_open = len(programme.unverified())
    count = f"\n{is_open} of {len(programme.figures)} rules and numbers are to be confirmed.\n"
    sets = ["| Rules | How many | To be confirmed |", "|---|---|---|"]
    for name, title in SET_TITLES.items():
        rules = [rule for rule in programme.rules if rule.rule_set == name]
        unread = sum(not rule.verified for rule in rules)
        sets.append(f"| [{title}](guidelines/{name}.md) | {len(rules)} | {unread} |")
    numbers = ["| Number | Value | Source | State |", "|---|---|---|---|"]
    numbers += [
        f"| `{f.key}` | {f.value} | {_cell(f.source)} | {_state(f.verified)} |"
        for f in programme.figures
        if not f.key.startswith("rules.")
    ]
    parts = [_INTRODUCTION + count, "## Rules\n", *sets, "", "## An example\n", _EXAMPLE_SAID]
    parts += [f"`{name}`:\n\n```\n{text}```\n" for name, text in EXAMPLE.items()]
    return "\n".join([*parts, "## Numbers\n", *numbers, ""])


def rule_set_page(name: str, programme: Programme | None = None) -> str:
    """Markdown of one rule set: each rule with its source, and its cases."""
    programme = programme or load_programme()
    rules = [rule for rule in programme.rules if rule.rule_set == name]
    cases = read_cases(None, {rule.id for rule in rules}, Problems())
    parts = [f"# {SET_TITLES[name]}", "", _SET_INTRODUCTION.format(name=name)]
    for rule in rules:
        parts += [_rule(rule), *_cases_of(rule, cases)]
    return "\n".join(parts)


def _cases_of(rule: Rule, cases: Iterable[Case]) -> list[str]:
    rows = ["| Case | Known | Advice | Due in days |", "|---|---|---|---|"]
    for case in cases:
        if case.rule_id == rule.id:
            due = "" if case.due_days is None else str(case.due_days)
            advice = case.advice.replace("_", " ")
            rows.append(f"| {_cell(case.title)} | {_cell(case.said)} | {advice} | {due} |")
    return [*rows, ""]


def _state(verified: bool) -> str:
    return "read" if verified else "to be confirmed"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _rule(rule: Rule) -> str:
    lines = [
        f"## {rule.label}",
        "",
        f"`{rule.id}` · {rule.kind.replace('_', ' ')} · {rule.urgency.replace('_', ' ')}"
        f" · **{_state(rule.verified)}**",
        "",
        f"- For: {_said(rule.who, 'and') or 'everyone'}",
        f"- When: {_when(rule)}",
        f"- Due: {_due(rule)}",
        f"- What to do: {rule.action}",
        f"- Reason shown: {rule.reason}",
        f"- Source: {rule.source}",
        *([f"- Year of the source: {rule.year}"] if rule.year else []),
    ]
    if rule.rows:
        lines.append(f"- Rows carried out: {', '.join(rule.rows)}")
    if not rule.in_chw_scope:
        lines.append("- Not for the community health worker to do alone")
    if rule.replaces:
        lines.append(f"- Replaces: {', '.join(f'`{name}`' for name in rule.replaces)}")
    return "\n".join([*lines, ""])


def _when(rule: Rule) -> str:
    signs = _said(rule.any, "or")
    if rule.at_least > 1:
        signs = f"at least {rule.at_least} of: {signs}"
    parts = [part for part in (_said(rule.all, "and"), signs) if part]
    if rule.within_days is not None:
        parts.append(f"measured within {rule.within_days} days")
    if rule.older_than_days is not None:
        parts.append(f"more than {rule.older_than_days} days ago")
    return "; ".join(parts) or "always"


def _due(rule: Rule) -> str:
    if rule.schedule:
        at = ", ".join(f"{value:g}" for value in rule.schedule.at)
        said = f"at `{rule.schedule.feature}` {at}"
    elif rule.due_from:
        said = f"{rule.due_days} days after the last `{rule.due_from}`; now if there was none"
    else:
        said = f"within {rule.due_days} days" if rule.due_days else "at once"
    if rule.at_visit:
        said += "; waits for a visit made for something else"
    if rule.overdue_urgency:
        raised = rule.overdue_urgency.replace("_", " ")
        said += f"; {raised} once {rule.overdue_days} days overdue"
    return said


def _said(conditions: Iterable[Condition], joint: str) -> str:
    return f" {joint} ".join(_condition(condition) for condition in conditions)


def _condition(condition: Condition) -> str:
    if condition.op in ("is_known", "is_missing"):
        return (
            f"`{condition.feature}` {condition.op.replace('is_missing', 'is not known')}".replace(
                "is_known", "is known"
            )
        )
    value = condition.value
    if isinstance(value, bool):
        said = "yes" if value else "no"
    elif isinstance(value, tuple):
        said = ", ".join(map(str, value))
    else:
        said = f"{value:g}" if isinstance(value, float) else str(value)
    # A comparison turned round also holds where nothing is known.
    known = " (or not known)" if condition.op.startswith("not ") else ""
    return f"`{condition.feature}` {condition.op} {said}{known}"
