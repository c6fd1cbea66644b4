"""``docs/outcomes.md``: every shipped outcome as it is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chw_tools.programme.outcome_checks import COMPETING, PREGNANCY_ENDS
from chw_tools.programme.outcomes import load_outcomes
from chw_tools.records.catalogue import load_catalogue
from chw_tools.records.condition_groups import load_code_groups
from chw_tools.records.tables import DEATHS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chw_tools.programme.outcomes import OutcomeDefinition, Threshold

_HEAD = """# Outcomes

<!-- Written by scripts/write_docs.py from src/chw_tools/programme/defaults/outcomes.toml. -->

What can be foreseen, as the default programme declares it. `chw models outcomes` shows the same for
the programme in use. A programme's folder adds outcomes, or replaces whole ones, with its own
`outcomes.toml`; every fault in it is told at once, with the key.

Three days belong to each row that a model is trained or judged on:

- the **index day**: inputs are what was known then, and nothing later;
- the **last day that counts**: the horizon's end, the planned day of a visit, 37 weeks of a
  pregnancy;
- the **settled day**: some days later, up to which something may still become known. The label is
  made of what was known on that day, so later records never change it; before it there is none.

Each row ends in one state, and every training reports how many in which: with the outcome, without
it, not of the population (and by which rule), something else came first, too early to know, not
observed.

> A model trained on simulated people proves plumbing, not medicine.
"""


def outcomes_page() -> str:
    """The page as Markdown."""
    parts = [_HEAD]
    for definition in load_outcomes().values():
        rows = "\n".join(f"| {key} | {text} |" for key, text in describe_outcome(definition))
        parts.append(
            f"## `{definition.name}`\n\n**{definition.label}**\n\n| | |\n|---|---|\n{rows}\n"
        )
        parts.append("\n".join(f"- {caveat}" for caveat in definition.known_caveats) + "\n")
    return "\n".join(parts)


def describe_outcome(definition: OutcomeDefinition) -> Iterator[tuple[str, str]]:
    """The declaration in words: pairs of what is told and the text."""
    yield "For", definition.intended_use
    yield "Not for", definition.not_for
    yield "Method", _method(definition)
    yield "Who", f"{definition.who} ({_population(definition)})"
    yield "Asked", _index_days(definition)
    yield "Counts", _positive(definition)
    if definition.looks_ahead:
        yield "Settled", _settled(definition)
        yield "Where something comes first", "; ".join(list_competing(definition))
    left_out = _left_out(definition)
    if left_out:
        yield "No inputs", left_out
    if definition.include_features:
        yield "Inputs asked for by name", ", ".join(definition.include_features)


def _method(definition: OutcomeDefinition) -> str:
    if definition.method == "formula":
        return f"The published score `{definition.score}`; no model is trained"
    return "A trained model"


def _population(definition: OutcomeDefinition) -> str:
    low, high = definition.min_age_years, definition.max_age_years
    groups = load_code_groups().conditions
    told = []
    if low or high is not None:
        upper = f" to {high:g}" if high is not None else " and over"
        told.append(f"age {low or 0:g}{upper}")
    if definition.sex:
        told.append(definition.sex)
    told += {"only": ["pregnant on record"], "none": ["not pregnant"]}.get(definition.pregnant, [])
    told += [f"with {groups[n].label.lower()} on record" for n in definition.with_condition_groups]
    told += [
        f"without {groups[n].label.lower()} on record" for n in definition.without_condition_groups
    ]
    if definition.exclude_prevalent:
        told.append("who did not have it before")
    return "; ".join(told) or "all ages"


def _index_days(definition: OutcomeDefinition) -> str:
    every = f"one decision day every {definition.index_every_days} days"
    if definition.index_rule == "each_visit":
        kinds = ", ".join(definition.visit_kinds)
        return (
            f"Before the next planned visit ({kinds}), on the last decision day before it; {every}"
        )
    if definition.index_rule == "each_pregnancy":
        return f"Once a pregnancy, on the first decision day on which it is known; {every}"
    return "Of each person on each index day"


def _positive(definition: OutcomeDefinition) -> str:
    horizon = definition.horizon_days
    if definition.kind == "within_days":
        return f"{_quoted(definition.recorded)} recorded within {horizon:,} days"
    if definition.kind == "status":
        return f"{_quoted(definition.recorded)} recorded as yes, the latest by the index day"
    if definition.kind == "missed_visit":
        return f"The visit is recorded as {' or '.join(definition.missed_as)}"
    if definition.kind == "birth_before":
        weeks = definition.birth_before_weeks
        return f"A live birth before {weeks} completed weeks, by the expected birth or last period"
    reached = " or ".join(_threshold(one) for one in definition.thresholds)
    when = f"the last measurement within {horizon} days" if horizon else "as of the index day"
    return f"{reached}, {when}"


def _quoted(names: tuple[str, ...]) -> str:
    return " or ".join(f"`{name}`" for name in names)


def _threshold(threshold: Threshold) -> str:
    entry = load_catalogue().entries.get(threshold.name)
    label = entry.label if entry else threshold.name
    unit = f" {entry.unit}" if entry and entry.unit else ""
    if threshold.answers:
        return f"{label}: {', '.join(threshold.answers)}"
    if threshold.at_least is not None:
        return f"{label} {threshold.at_least:g}{unit} or more"
    return f"{label} below {threshold.below:g}{unit}"


def _settled(definition: OutcomeDefinition) -> str:
    if not definition.knowledge_delay_days:
        return "When the horizon ends: what becomes known later does not count"
    return f"{definition.knowledge_delay_days} days after the last day that counts"


def list_competing(definition: OutcomeDefinition) -> tuple[str, ...]:
    """How whoever met a competing event first is counted; nothing where no time passes."""
    if not definition.looks_ahead:
        return ()
    ends = PREGNANCY_ENDS if definition.kind == "birth_before" else ()
    events = [*COMPETING, *ends]
    if set(definition.recorded) & set(DEATHS):
        events.remove("death")
    words = {"excluded": "left out", "negative": "counts as without", "positive": "counts as with"}
    return tuple(f"{event}: {words[definition.counts_as(event)]}" for event in events)


def _left_out(definition: OutcomeDefinition) -> str:
    told = list(definition.exclude_features)
    told += [f"{group} and medicines for it" for group in definition.exclude_condition_groups]
    return ", ".join(told)
