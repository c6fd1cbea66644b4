"""Monitoring rules as data: what of a person's records asks for a follow-up, and what ends it.

A rule holds no code. Its ``kind`` says how it is read:

=========== ===================================================================================
trend       a measure rose or fell at each of the newest ``readings``, by ``change`` at least
level       the newest ``readings`` (days) all met one of ``any``
refill      a medicine's supply ended and no new one is recorded
care        advice whose day has passed
unseen      a risk band, and nobody met for ``days``
silent      a message without an answer for ``hours``
referral    something to refer for was found, and no facility visit is known ``days`` later
=========== ===================================================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chw_tools.programme import reading
from chw_tools.records import load_catalogue
from chw_tools.records.condition_groups import load_code_groups
from chw_tools.records.derived import RISK_BANDS, URGENCIES

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

FILE = "monitoring.toml"
#: Keys that a rule of each kind has beside those of every rule; ``?`` may be left out.
KINDS: dict[str, tuple[str, ...]] = {
    "trend": ("measures", "direction", "readings", "change", "to?", "span_days", "fresh_days"),
    "level": ("any", "readings", "span_days", "fresh_days"),
    "refill": ("medicines", "supply_days", "grace_days", "fresh_days"),
    "care": ("advice", "but_not?", "overdue_days"),
    "unseen": ("bands", "days"),
    "silent": ("hours", "fresh_days"),
    "referral": ("danger_signs", "any", "days", "fresh_days"),
}
#: What can end a follow-up, as recorded: met anywhere in person; at a facility; one of the
#: rule's measures taken; a medicine of the rule supplied; a vaccine given; a message answered.
CLOSINGS = ("seen", "treated", "measured", "supplied", "vaccinated", "answered")
DIRECTIONS = ("rising", "falling")
#: Comparisons of a level.
OPS = (">=", "<=", ">", "<")
#: The measure that is computed rather than observed.
WEIGHT_FOR_AGE = "weight_for_age_z"
#: Advice that no other rule names.
ANY_ADVICE = "*"
#: Languages of the texts beside English; drafts.
LANGUAGES = ("fr", "sw", "es")
#: What a reason may name.
FACTS = ("values", "day", "n", "what")
#: Days after which what somebody said on the telephone no longer keeps a finding from being
#: raised again. Project decision.
AGAIN_DAYS = 90
_EVERY = ("label", "kind", "urgency", "due_days", "closes_on", "reason", "source", "verified")
_MAYBE = ("from_years", "until_months", "again_days", "off", *(f"reason_{a}" for a in LANGUAGES))
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_MOST = 100_000


@dataclass(frozen=True)
class Level:
    """One comparison of one measure."""

    measure: str
    op: str
    value: float


@dataclass(frozen=True)
class MonitoringRule:
    """One rule; what its kind does not use is empty (see the module)."""

    id: str
    label: str
    kind: str
    urgency: str
    due_days: int
    closes_on: tuple[str, ...]
    reasons: dict[str, str]
    source: str
    verified: bool
    from_years: float | None = None
    until_months: float | None = None
    again_days: int = AGAIN_DAYS
    measures: tuple[str, ...] = ()
    direction: str = ""
    readings: int = 0
    change: float = 0.0
    to: float | None = None
    span_days: int = 0
    fresh_days: int = 0
    any: tuple[Level, ...] = ()
    medicines: tuple[str, ...] = ()
    supply_days: int = 0
    grace_days: int = 0
    advice: tuple[str, ...] = ()
    but_not: tuple[str, ...] = ()
    overdue_days: int = 0
    bands: tuple[str, ...] = ()
    days: int = 0
    hours: float = 0.0
    danger_signs: bool = False

    def observed(self) -> tuple[str, ...]:
        """The measures whose being taken is news to the rule, by catalogue name."""
        names = (*self.measures, *(level.measure for level in self.any))
        seen = ("weight_kg" if name == WEIGHT_FOR_AGE else name for name in names)
        return tuple(dict.fromkeys(seen))


def load_monitoring(folder: Path | None = None) -> tuple[MonitoringRule, ...]:
    """The rules of a folder, over those shipped.

    Raises
    ------
    ProgrammeFault
        With every fault, by file, line and key.
    """
    problems = reading.Problems()
    rules = read_monitoring(folder, problems)
    problems.raise_if_any()
    return rules


def read_monitoring(folder: Path | None, problems: reading.Problems) -> tuple[MonitoringRule, ...]:
    """The rules as far as they can be read; each fault is noted. ``off = true`` drops one."""
    raw = reading.read_layers(FILE, folder, problems)
    rules = []
    for name, table in raw.items():
        if not isinstance(table, dict):
            problems.add(FILE, name, "must be a table")
        elif not reading.read_flag(table, "off", FILE, name, problems, default=False):
            rules.append(_rule(name, table, problems))
            _check(rules[-1], table, problems)
        elif "kind" not in table:
            problems.add(FILE, name, reading.NOTHING_OFF)
    return tuple(rules)


def _rule(name: str, table: dict[str, Any], problems: reading.Problems) -> MonitoringRule:
    read = _Reader(name, table, problems)
    kind = read.text("kind")
    asked = KINDS.get(kind, ())
    if not asked:
        problems.add(FILE, f"{name}.kind", f"must be one of {', '.join(KINDS)}")
    needed = {key for key in asked if not key.endswith("?")}
    known = (*_EVERY, *_MAYBE, *(key.removesuffix("?") for key in asked))
    reading.check_names(table, known, FILE, name, problems)
    for key in sorted(needed - set(table)):
        problems.add(FILE, f"{name}.{key}", f"a rule of kind {kind} needs it")
    has = needed & set(table)
    return MonitoringRule(
        id=name,
        label=read.text("label"),
        kind=kind,
        urgency=read.text("urgency"),
        due_days=read.whole("due_days"),
        closes_on=read.names("closes_on"),
        reasons=_reasons(read, table),
        source=read.text("source"),
        verified=read.flag("verified"),
        from_years=read.maybe("from_years"),
        until_months=read.maybe("until_months"),
        again_days=read.whole("again_days") if "again_days" in table else AGAIN_DAYS,
        measures=read.names("measures") if "measures" in has else (),
        direction=read.text("direction") if "direction" in has else "",
        readings=read.whole("readings", low=2) if "readings" in has else 0,
        change=read.number("change", low=0.001) if "change" in has else 0.0,
        to=read.maybe("to", low=-_MOST),
        any=_levels(read) if "any" in has else (),
        medicines=read.names("medicines") if "medicines" in has else (),
        advice=read.names("advice") if "advice" in has else (),
        but_not=read.names("but_not") if "but_not" in table else (),
        bands=read.names("bands") if "bands" in has else (),
        hours=read.number("hours", low=1) if "hours" in has else 0.0,
        danger_signs=read.flag("danger_signs") if "danger_signs" in has else False,
        **{key: read.whole(key) for key in _DAYS if key in has},
    )


_DAYS = ("span_days", "fresh_days", "supply_days", "grace_days", "overdue_days", "days")


@dataclass(frozen=True)
class _Reader:
    """Reads one table; each fault is noted with its key."""

    name: str
    table: dict[str, Any]
    problems: reading.Problems

    def text(self, key: str) -> str:
        return reading.read_text(self.table, key, FILE, self.name, self.problems)

    def flag(self, key: str) -> bool:
        return reading.read_flag(self.table, key, FILE, self.name, self.problems, default=False)

    def number(self, key: str, *, low: float = 0.0) -> float:
        return reading.read_number(
            self.table, key, FILE, self.name, self.problems, low=low, high=_MOST
        )

    def maybe(self, key: str, *, low: float = 0.0) -> float | None:
        return self.number(key, low=low) if key in self.table else None

    def whole(self, key: str, *, low: int = 0) -> int:
        value = self.number(key, low=low)
        if value != int(value):
            self.problems.add(FILE, f"{self.name}.{key}", "must be a whole number")
        return int(value)

    def names(self, key: str) -> tuple[str, ...]:
        value = self.table.get(key, ())
        if (
            not isinstance(value, list)
            or not value
            or not all(isinstance(one, str) for one in value)
        ):
            self.problems.add(FILE, f"{self.name}.{key}", "must be a list of names")
            return ()
        return tuple(value)


def _levels(read: _Reader) -> tuple[Level, ...]:
    found = []
    value = read.table.get("any")
    entries: list[Any] = value if isinstance(value, list) else [value]
    for entry in entries:
        if _is_level(entry):
            found.append(Level(str(entry[0]), entry[1], float(entry[2])))
        else:
            what = f"a level is [measure, op, number], op one of {', '.join(OPS)}"
            read.problems.add(FILE, f"{read.name}.any", what)
    return tuple(found)


def _is_level(entry: Any) -> bool:
    if not isinstance(entry, list) or len(entry) != 3 or entry[1] not in OPS:
        return False
    return isinstance(entry[2], int | float) and not isinstance(entry[2], bool)


def _reasons(read: _Reader, table: dict[str, Any]) -> dict[str, str]:
    reasons = {"en": read.text("reason")}
    asked = set(_PLACEHOLDER.findall(reasons["en"]))
    if asked - set(FACTS):
        read.problems.add(
            FILE, f"{read.name}.reason", f"may name only {', '.join(f'{{{f}}}' for f in FACTS)}"
        )
    for language in LANGUAGES:
        key = f"reason_{language}"
        if key not in table:
            continue
        reasons[language] = read.text(key)
        if set(_PLACEHOLDER.findall(reasons[language])) != asked:
            what = "must hold the same {values} as the English text"
            read.problems.add(FILE, f"{read.name}.{key}", what)
    return reasons


def _check(rule: MonitoringRule, table: dict[str, Any], problems: reading.Problems) -> None:
    catalogue, groups = load_catalogue().entries, load_code_groups()
    numbers = {name for name, entry in catalogue.items() if entry.kind == "number"}
    levels = [level.measure for level in rule.any]
    for key, given, allowed in (
        ("urgency", (rule.urgency,), URGENCIES),
        ("closes_on", rule.closes_on, CLOSINGS),
        ("measures", rule.measures, {*numbers, WEIGHT_FOR_AGE}),
        ("any", levels, numbers),
        ("medicines", rule.medicines, groups.medicines),
        ("bands", rule.bands, RISK_BANDS),
        ("direction", (rule.direction,) if "direction" in table else (), DIRECTIONS),
    ):
        _check_among(rule.id, key, given, allowed, problems)
    if "measured" in rule.closes_on and rule.kind not in ("trend", "level", "referral", "care"):
        problems.add(FILE, f"{rule.id}.closes_on", "a rule without measures ends by none")
    if "supplied" in rule.closes_on and not rule.medicines:
        problems.add(FILE, f"{rule.id}.closes_on", "a rule without medicines ends by no supply")
    if not rule.source.strip():
        problems.add(FILE, f"{rule.id}.source", "a threshold without a source is not used")


def _check_among(
    name: str,
    key: str,
    given: Collection[str],
    allowed: Collection[str],
    problems: reading.Problems,
) -> None:
    for value in given:
        if value not in allowed:
            some = ", ".join(sorted(allowed)) if len(allowed) < 10 else "those that are declared"
            problems.add(FILE, f"{name}.{key}", f"{value} is not one of {some}")
