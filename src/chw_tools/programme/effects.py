"""What would change a risk: published effects, for whom, and who may act; data with sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from chw_tools.programme import reading
from chw_tools.programme.rule_files import read_conditions
from chw_tools.programme.rules import is_known_feature

if TYPE_CHECKING:
    from pathlib import Path

    from chw_tools.programme.rules import Condition

FILE = "effects.toml"
_SYSTOLIC = "systolic"
EffectKind = Literal["habit", "medicine", "salt"]
KINDS = get_args(EffectKind)


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class SystolicEffect:
    """What a lower systolic pressure does, and how much may be hoped for together."""

    per_mmhg: float
    relative_risk: Interval
    habits_most_mmhg: float
    all_most_mmhg: float
    source: str
    verified: bool


@dataclass(frozen=True)
class Effect:
    """One thing that can change, and what trials say that it does to a risk.

    Exactly one of ``relative_risk`` and ``lowers_mmhg`` is given.
    """

    id: str
    label: str
    action: str
    outcome: str
    kind: EffectKind
    relative_risk: Interval | None
    lowers_mmhg: Interval | None
    who: tuple[Condition, ...]
    not_for: tuple[Condition, ...]
    ask: str
    who_acts: str
    population: str
    source: str
    verified: bool


@dataclass(frozen=True)
class Effects:
    """All effects, and how systolic pressure turns into risk."""

    systolic: SystolicEffect
    effects: tuple[Effect, ...]


def read_effects(folder: Path | None, problems: reading.Problems) -> Effects:
    """The shipped effects with a folder's changes; ``off = true`` leaves one out."""
    return effects_of(reading.read_layers(FILE, folder, problems), problems)


def effects_of(raw: dict[str, Any], problems: reading.Problems) -> Effects:
    """The effects of a file's tables, their faults noted."""
    systolic = _systolic(_table(raw.get(_SYSTOLIC), _SYSTOLIC, problems), problems)
    effects = [
        _effect(name, _table(table, name, problems), problems)
        for name, table in raw.items()
        if name != _SYSTOLIC and not (isinstance(table, dict) and table.get("off", False))
    ]
    for name, table in raw.items():
        if isinstance(table, dict) and table.get("off", False) and "kind" not in table:
            problems.add(FILE, name, reading.NOTHING_OFF)
    return Effects(systolic, tuple(effects))


def load_effects() -> Effects:
    """The shipped effects."""
    problems = reading.Problems()
    effects = read_effects(None, problems)
    problems.raise_if_any()
    return effects


def _table(value: object, name: str, problems: reading.Problems) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    problems.add(FILE, name, "must be a table")
    return {}


_SYSTOLIC_KEYS = ("per_mmhg", "relative_risk", "low", "high", "habits_most_mmhg", "all_most_mmhg")
_TEXT_KEYS = ("label", "action", "outcome", "who_acts", "population", "source")
_KEYS = (
    *_TEXT_KEYS,
    "kind",
    "relative_risk",
    "lowers_mmhg",
    "low",
    "high",
    "who",
    "not_for",
    "ask",
    "verified",
    "off",
)


def _systolic(table: dict[str, Any], problems: reading.Problems) -> SystolicEffect:
    reading.check_names(table, (*_SYSTOLIC_KEYS, "source", "verified"), FILE, _SYSTOLIC, problems)

    def number(key: str, low: float = 0.0) -> float:
        return reading.read_number(table, key, FILE, _SYSTOLIC, problems, low=low, high=100)

    return SystolicEffect(
        per_mmhg=number("per_mmhg", 0.1),
        relative_risk=_interval(table, "relative_risk", _SYSTOLIC, problems, most=1.0),
        habits_most_mmhg=number("habits_most_mmhg"),
        all_most_mmhg=number("all_most_mmhg"),
        source=_source(table, _SYSTOLIC, problems),
        verified=reading.read_flag(table, "verified", FILE, _SYSTOLIC, problems, default=False),
    )


def _effect(name: str, table: dict[str, Any], problems: reading.Problems) -> Effect:
    reading.check_names(table, _KEYS, FILE, name, problems)
    texts = {key: reading.read_text(table, key, FILE, name, problems) for key in _TEXT_KEYS[:-1]}
    kind: Any = reading.read_text(table, "kind", FILE, name, problems)
    if kind not in KINDS:
        problems.add(FILE, f"{name}.kind", f"must be one of {', '.join(KINDS)}")
    is_risk = "relative_risk" in table
    if is_risk == ("lowers_mmhg" in table):
        problems.add(FILE, name, "needs either relative_risk or lowers_mmhg")
    key, most = ("relative_risk", 1.0) if is_risk else ("lowers_mmhg", 60.0)
    found = _interval(table, key, name, problems, most=most)
    return Effect(
        id=name,
        **texts,
        kind=kind,
        relative_risk=found if is_risk else None,
        lowers_mmhg=None if is_risk else found,
        who=_conditions(table, "who", name, problems),
        not_for=_conditions(table, "not_for", name, problems),
        ask=reading.read_text(table, "ask", FILE, name, problems, ""),
        source=_source(table, name, problems),
        verified=reading.read_flag(table, "verified", FILE, name, problems, default=False),
    )


def _interval(
    table: dict[str, Any], key: str, name: str, problems: reading.Problems, *, most: float
) -> Interval:
    # An effect that may also harm has no place among things to hope for: at most 1.
    value, low, high = (
        reading.read_number(table, part, FILE, name, problems, high=most)
        for part in (key, "low", "high")
    )
    if not low <= value <= high:
        problems.add(FILE, name, f"{key} must lie between low and high")
    return Interval(value, low, high)


def _conditions(
    table: dict[str, Any], key: str, name: str, problems: reading.Problems
) -> tuple[Condition, ...]:
    found = read_conditions(table, key, name, problems, file=FILE)
    for condition in found:
        if not is_known_feature(condition.feature):
            problems.add(FILE, f"{name}.{key}", f"no feature is called {condition.feature}")
    return found


def _source(table: dict[str, Any], name: str, problems: reading.Problems) -> str:
    source = reading.read_text(table, "source", FILE, name, problems)
    if not source.strip():
        problems.add(FILE, f"{name}.source", "an effect without a source is not used")
    return source
