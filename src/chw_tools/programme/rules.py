"""Guideline rules as data: whom they are about, what sets them off, what to do, by when.

A rule holds no code. A condition is ``[feature, op, value]``. A comparison with a value that
is not known is never true; ``not`` before an operator turns it round, so that ``["age_years",
"not <", 18]`` also holds where the age is not known. Freshness is the rule's ``within_days``
and ``older_than_days``; they bind every measured feature of ``all`` and ``any``. Of ``any``
one must hold, or as many as ``at_least`` says.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from chw_tools.programme import reading
from chw_tools.records import load_catalogue
from chw_tools.records.derived import RECOMMENDATIONS, URGENCIES

if TYPE_CHECKING:
    from pathlib import Path

FILE = "rules.toml"
#: The rule sets, in doing order; each is one shipped file.
RULE_SETS = (
    "danger_signs",
    "children",
    "pregnancy",
    "infections",
    "heart",
    "mind",
    "habits",
    "questions",
    "visits",
)
#: The set of a rule that a folder adds.
OWN_SET = "own"
KINDS = RECOMMENDATIONS.column("kind").allowed
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "in")
OPS = (
    *_COMPARISONS,
    *(f"not {comparison}" for comparison in _COMPARISONS),
    "is_known",
    "is_missing",
)
#: What stands for ``days_since_visit`` in ``due_from``.
VISIT = "visit"

#: Features a rule may name beside those of the catalogue, ``has_<group>`` and ``takes_<group>``.
_FEATURES = frozenset(
    {
        "age_years",
        "age_months",
        "sex",
        "education",
        "is_pregnant",
        "gestational_weeks",
        "weeks_postpartum",
        "n_active_medicines",
        "n_visits_365d",
        "n_missed_visits_365d",
        "n_facility_visits_365d",
        "n_inpatient_365d",
        "days_since_visit",
        "wealth_fifth",
        "facility_km",
        "household_size",
        "is_rural",
        "has_safe_water",
        "has_clean_fuel",
        "has_danger_sign",
        "growth_is_implausible",
        "gravidity",
        "pressure_is_reversed",
        "pressure_differs",
        "weight_differs",
        "glucose_differs",
    }
)
#: Computed from measurements of one day, with a ``_days_since`` of their own.
_GROWTH = frozenset(
    {
        "weight_for_age_z",
        "height_for_age_z",
        "weight_for_height_z",
        "bmi_for_age_z",
        "muac_for_age_z",
        "head_for_age_z",
    }
)
_PLACEHOLDER = re.compile(r"\{([a-z0-9_]+)\}")
#: Placeholders of a reason that are no features.
WORDS = ("signs", "signs_on", "contact", "contacts", "pressure")
_PRESSURE = ("systolic_mmhg", "diastolic_mmhg")


@dataclass(frozen=True)
class Condition:
    """One comparison of one feature."""

    feature: str
    op: str
    value: Any = None

    @cached_property
    def said(self) -> str:
        """The comparison in one line, by which its answer is kept."""
        return f"{self.feature} {self.op} {self.value!r}"


@dataclass(frozen=True)
class Schedule:
    """Contacts due at set values of a feature, such as weeks of pregnancy.

    Parameters
    ----------
    feature : str
        Feature that tells how far the person is.
    at : tuple of float
        Value at which each contact is due, rising.
    days_per_unit : float
        Days in one unit of the feature.
    early_days : int
        A visit so many days before counts as that contact.
    """

    feature: str
    at: tuple[float, ...]
    days_per_unit: float
    early_days: int


@dataclass(frozen=True)
class Rule:
    """One piece of advice and when it holds; see the module for how conditions are read.

    ``rows`` names the rows of decision tables that the rule carries out, such as
    ``CHE.DT.01.CL03`` or ``CHE.DT.01.CL03-CL11``; ``at_visit`` says that the advice waits for a
    visit that is made for something else; ``year`` the year of the document that ``source`` names
    first; ``rule_set`` the shipped file it stands in.
    """

    id: str
    label: str
    kind: Literal["danger_sign", "guideline", "measure", "risk"]
    urgency: str
    action: str
    reason: str
    source: str
    verified: bool
    in_chw_scope: bool = True
    who: tuple[Condition, ...] = ()
    all: tuple[Condition, ...] = ()
    any: tuple[Condition, ...] = ()
    at_least: int = 1
    within_days: int | None = None
    older_than_days: int | None = None
    due_days: int = 0
    due_from: str = ""
    at_visit: bool = False
    schedule: Schedule | None = None
    ahead_days: int = 14
    overdue_days: int = 0
    overdue_urgency: str = ""
    replaces: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    year: int | None = None
    rule_set: str = OWN_SET

    @cached_property
    def group(self) -> str:
        """Whom the rule is about in one line, by which the answer is kept."""
        return " and ".join(condition.said for condition in self.who)

    @property
    def placeholders(self) -> tuple[str, ...]:
        """What the templates of action and reason ask for."""
        return tuple(_PLACEHOLDER.findall(f"{self.action} {self.reason}"))

    def features(self) -> frozenset[str]:
        """Every feature the rule reads, those of freshness and dates among them."""
        return self._read

    @cached_property
    def _read(self) -> frozenset[str]:
        names = {c.feature for c in (*self.who, *self.all, *self.any)}
        measured = {c.feature for c in (*self.all, *self.any) if is_measured(c.feature)}
        if self.within_days is not None or self.older_than_days is not None:
            names |= {f"{name}_days_since" for name in measured}
        if "signs_on" in self.placeholders:
            names |= {f"{c.feature}_days_since" for c in self.any}
        if self.due_from:
            names.add(since(self.due_from))
        if self.schedule:
            names |= {self.schedule.feature, "days_since_visit"}
        return frozenset(names | self._features_of_texts())

    def _features_of_texts(self) -> set[str]:
        names = set()
        for name in self.placeholders:
            if name == "pressure":
                names |= {*_PRESSURE, *map(since, _PRESSURE)}
            if name in WORDS:
                continue
            stem = name.removesuffix("_on")
            names.add(name if stem == name else since(stem))
        return names


def is_measured(feature: str) -> bool:
    """Whether the feature is an observation, or computed from one: it has a day of its own."""
    return feature in load_catalogue().entries or feature in _GROWTH


def since(name: str) -> str:
    """The feature that tells days since a measurement, or since the last visit."""
    return "days_since_visit" if name == VISIT else f"{name}_days_since"


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
    shipped = files("chw_tools.programme").joinpath("defaults")
    return {
        name: rule_set
        for rule_set in RULE_SETS
        for name in tomllib.loads(
            shipped.joinpath(f"rules_{rule_set}.toml").read_text(encoding="utf-8")
        )
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


def is_known_feature(name: str) -> bool:
    """Whether features of that name are built; a misspelt one would silence its rule."""
    entries = load_catalogue().entries
    stem = name.removesuffix("_days_since").removesuffix("_per_year")
    known = name in _FEATURES or stem in entries or name.removesuffix("_days_since") in _GROWTH
    return known or bool(re.fullmatch(r"(has|takes)_[a-z0-9_]+", name))


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
