"""Reading rules from their files, and what is wrong with each of them by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chw_tools.programme import reading
from chw_tools.programme.rules import (
    FILE,
    KINDS,
    OPS,
    OWN_SET,
    RULE_SETS,
    Condition,
    Rule,
    Schedule,
    is_known_feature,
)
from chw_tools.records.derived import URGENCIES

if TYPE_CHECKING:
    from pathlib import Path


def read_rules(folder: Path | None, problems: reading.Problems) -> tuple[Rule, ...]:
    """The rules of the package with a folder's changes, in doing order of the file.

    A rule may be switched off with ``off = true``, but a danger sign never.
    """
    raw = reading.read_layers(
        FILE, folder, problems, defaults=[f"rules_{name}.toml" for name in RULE_SETS]
    )
    sets = shipped_rule_sets()
    rules = []
    for name, table in raw.items():
        if not isinstance(table, dict):
            problems.add(FILE, name, "must be a table")
        elif not table.get("off", False):
            rules.append(replace(_rule(name, table, problems), rule_set=sets.get(name, OWN_SET)))
        elif table.get("kind") == "danger_sign":
            problems.add(FILE, f"{name}.off", "a danger sign cannot be switched off")
        elif "kind" not in table:
            problems.add(FILE, name, reading.NOTHING_OFF)
    for rule in rules:
        _check_rule(rule, set(raw), problems)
    return tuple(rules)


def shipped_rule_sets() -> dict[str, str]:
    """The shipped file in which each rule stands."""
    return {
        name: rule_set
        for rule_set in RULE_SETS
        for name in reading.shipped(f"rules_{rule_set}.toml")[1]
    }


_KEYS = (
    "label",
    "kind",
    "urgency",
    "action",
    "reason",
    "source",
    "year",
    "verified",
    "in_chw_scope",
    "who",
    "all",
    "any",
    "at_least",
    "within_days",
    "older_than_days",
    "due_days",
    "due_from",
    "at_visit",
    "schedule",
    "ahead_days",
    "overdue_days",
    "overdue_urgency",
    "replaces",
    "beside",
    "rows",
    "off",
)


def _rule(name: str, table: dict[str, Any], problems: reading.Problems) -> Rule:
    reading.check_names(table, _KEYS, FILE, name, problems)

    def text(key: str, default: str | None = None) -> str:
        return reading.read_text(table, key, FILE, name, problems, default)

    def days(key: str, default: int) -> int:
        return _days(table, key, name, problems) if key in table else default

    kind: Any = text("kind")
    return Rule(
        id=name,
        label=text("label"),
        kind=kind,
        urgency=text("urgency"),
        action=text("action"),
        reason=text("reason"),
        source=text("source"),
        verified=reading.read_flag(table, "verified", FILE, name, problems, default=False),
        in_chw_scope=reading.read_flag(table, "in_chw_scope", FILE, name, problems, default=True),
        who=read_conditions(table, "who", name, problems),
        all=read_conditions(table, "all", name, problems),
        any=read_conditions(table, "any", name, problems),
        at_least=days("at_least", 1),
        within_days=_days(table, "within_days", name, problems) if "within_days" in table else None,
        older_than_days=(
            _days(table, "older_than_days", name, problems) if "older_than_days" in table else None
        ),
        due_days=days("due_days", 0),
        due_from=text("due_from", ""),
        at_visit=reading.read_flag(table, "at_visit", FILE, name, problems, default=False),
        schedule=_schedule(table["schedule"], name, problems) if "schedule" in table else None,
        ahead_days=days("ahead_days", 14),
        overdue_days=days("overdue_days", 0),
        overdue_urgency=text("overdue_urgency", ""),
        replaces=_names(table, "replaces", name, problems),
        beside=_names(table, "beside", name, problems),
        rows=_names(table, "rows", name, problems),
        year=_year(table, name, problems),
    )


def _year(table: dict[str, Any], name: str, problems: reading.Problems) -> int | None:
    """The year of the document; none of a programme's own decision."""
    if "year" not in table:
        return None
    return int(reading.read_number(table, "year", FILE, name, problems, low=1900, high=2200))


def _days(table: dict[str, Any], key: str, name: str, problems: reading.Problems) -> int:
    return int(reading.read_number(table, key, FILE, name, problems, high=100_000))


def _names(
    table: dict[str, Any], key: str, name: str, problems: reading.Problems
) -> tuple[str, ...]:
    value = table.get(key, ())
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        problems.add(FILE, f"{name}.{key}", "must be a list of names")
        return ()
    return tuple(value)


def read_conditions(
    table: dict[str, Any], key: str, name: str, problems: reading.Problems, *, file: str = FILE
) -> tuple[Condition, ...]:
    """The conditions of one key of a table, those that cannot be read noted as faults."""
    found = []
    for entry in table.get(key, ()):
        where = f"{name}.{key}"
        if not isinstance(entry, list) or not 2 <= len(entry) <= 3 or entry[1] not in OPS:
            problems.add(
                file, where, f"a condition is [feature, op, value], op one of {', '.join(OPS)}"
            )
            continue
        if (len(entry) == 2) != (entry[1] in ("is_known", "is_missing")):
            problems.add(file, where, f"{entry[0]} {entry[1]} has a value too many or too few")
            continue
        value = entry[2] if len(entry) == 3 else None
        found.append(
            Condition(entry[0], entry[1], tuple(value) if isinstance(value, list) else value)
        )
    return tuple(found)


def _schedule(table: Any, name: str, problems: reading.Problems) -> Schedule:
    if not isinstance(table, dict):
        problems.add(FILE, f"{name}.schedule", "must be a table")
        table = {}
    at = table.get("at", ())
    if not at or list(at) != sorted(set(at)):
        problems.add(FILE, f"{name}.schedule.at", "must be rising numbers")
    return Schedule(
        feature=reading.read_text(table, "feature", FILE, f"{name}.schedule", problems),
        at=tuple(float(value) for value in at),
        days_per_unit=reading.read_number(
            table, "days_per_unit", FILE, f"{name}.schedule", problems, low=0.01
        ),
        early_days=_days(table, "early_days", f"{name}.schedule", problems),
    )


def _check_rule(rule: Rule, names: set[str], problems: reading.Problems) -> None:
    for key, value, allowed in (
        ("kind", rule.kind, KINDS),
        ("urgency", rule.urgency, URGENCIES),
        ("overdue_urgency", rule.overdue_urgency, ("", *URGENCIES)),
    ):
        if value not in allowed:
            problems.add(
                FILE, f"{rule.id}.{key}", f"must be one of {', '.join(filter(None, allowed))}"
            )
    for feature in sorted(rule.features()):
        if not is_known_feature(feature):
            problems.add(FILE, rule.id, f"no feature is called {feature}")
    for key in ("replaces", "beside"):
        for other in getattr(rule, key):
            if other not in names:
                problems.add(FILE, f"{rule.id}.{key}", f"no rule is called {other}")
    if rule.at_visit and rule.urgency != "routine":
        problems.add(FILE, f"{rule.id}.at_visit", "only routine advice can wait for a visit")
    if rule.kind == "danger_sign" and rule.urgency not in ("emergency", "same_day"):
        problems.add(FILE, f"{rule.id}.urgency", "a danger sign is an emergency or of the same day")
    if rule.at_least != 1 and not 1 < rule.at_least <= len(rule.any):
        problems.add(FILE, f"{rule.id}.at_least", "must be from 1 to the number of `any`")
    if not rule.source.strip():
        problems.add(FILE, f"{rule.id}.source", "a threshold without a source is not used")
