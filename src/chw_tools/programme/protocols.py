"""Protocols of reminders as data: steps, what ends them, and the ladder to a human."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chw_tools.programme import reading
from chw_tools.programme.templates import FILE as TEMPLATES_FILE
from chw_tools.records.contacting import MESSAGE_CHANNELS
from chw_tools.records.derived import URGENCIES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

FILE = "protocols.toml"
#: What a protocol begins with: a message, a call or a visit.
FIRSTS = ("message", "call", "visit")
ANCHORS = ("due_by", "found_on")
#: Every rule that no other protocol of that urgency names.
ANY_RULE = "*"
_MOST_DAYS = 730
_KEYS = (
    "label",
    "version",
    "for_rules",
    "urgencies",
    "first",
    "anchor",
    "goal_from_days",
    "purpose",
    "channels",
    "carries_care",
    "ends_after_days",
    "again_days",
    "source",
    "verified",
    "steps",
    "ladder",
)
_STEP_KEYS = ("name", "day", "template", "not_after_days")
_LADDER_DAYS = ("call_within_days", "visit_within_days", "supervise_after_days")
_LADDER_KEYS = ("silent_hours", "no_answers", *_LADDER_DAYS, "source", "verified")


@dataclass(frozen=True)
class Step:
    """One message of a protocol.

    Parameters
    ----------
    name : str
        Name within the protocol.
    day : int
        Days from the anchor; negative is before.
    template : str
        Template, by its name in the programme.
    not_after_days : int
        Days after its own in which it still makes sense; later it is stale.
    """

    name: str
    day: int
    template: str
    not_after_days: int


@dataclass(frozen=True)
class Ladder:
    """When messages do not help: hours of silence, calls, a visit, the supervisor."""

    silent_hours: float
    call_within_days: int
    no_answers: int
    visit_within_days: int
    supervise_after_days: int
    source: str
    verified: bool


@dataclass(frozen=True)
class OutreachProtocol:
    """What is said to whom from an anchor day on, until when, and what then.

    Parameters
    ----------
    name, label : str
        Name in the programme, and in words.
    version : int
        Higher with every change.
    for_rules : tuple of str
        Monitoring rules whose follow-ups enrol; ``*`` for all that no other protocol names.
    urgencies : tuple of str
        Urgencies of follow-ups that enrol.
    first : {"message", "call", "visit"}
        What it begins with.
    anchor : {"due_by", "found_on"}
        Day of the follow-up that steps count from.
    goal_from_days : int
        A visit seen from so many days after the anchor (negative: before) meets the goal.
    purpose : str
        Purpose that consent must cover.
    channels : tuple of str
        Channels of its messages, the first one possible.
    carries_care : bool
        Whether its messages are themselves due care: no experiment may then touch it.
    ends_after_days : int
        Days after the anchor at which nothing more is sent. The follow-up stays open.
    again_days : int
        Days after an end at which a follow-up that is open still is enrolled again.
    steps : tuple of Step
        In order of days.
    ladder : Ladder
        To a human.
    source : str
        Where it comes from.
    verified : bool
        Whether that was read.
    """

    name: str
    label: str
    version: int
    for_rules: tuple[str, ...]
    urgencies: tuple[str, ...]
    first: str
    anchor: str
    goal_from_days: int
    purpose: str
    channels: tuple[str, ...]
    carries_care: bool
    ends_after_days: int
    again_days: int
    steps: tuple[Step, ...]
    ladder: Ladder
    source: str
    verified: bool


def load_protocols(folder: Path | None = None) -> dict[str, OutreachProtocol]:
    """The protocols of a folder, over those shipped.

    Raises
    ------
    ProgrammeFault
        With every fault, by file, line and key.
    """
    problems = reading.Problems()
    protocols = read_protocols(folder, problems)
    problems.raise_if_any()
    return protocols


def read_protocols(folder: Path | None, problems: reading.Problems) -> dict[str, OutreachProtocol]:
    """The protocols as far as they can be read; each fault is noted."""
    raw = reading.read_layers(FILE, folder, problems)
    # Faults of the templates themselves are told where those are read.
    templates = reading.read_layers(TEMPLATES_FILE, folder, reading.Problems())
    found = {}
    for name, table in raw.items():
        if not isinstance(table, dict):
            problems.add(FILE, name, "must be a table")
            continue
        found[name] = _protocol(name, table, problems)
        _check(found[name], problems)
        _check_templates(found[name], templates, problems)
    return found


def protocol_for(
    protocols: Mapping[str, OutreachProtocol], *, rule_id: str, urgency: str
) -> OutreachProtocol | None:
    """The protocol for a follow-up: one that names its rule before one for any rule."""
    fitting = [one for one in protocols.values() if urgency in one.urgencies]
    for wanted in (rule_id, ANY_RULE):
        for one in fitting:
            if wanted in one.for_rules:
                return one
    return None


def _protocol(name: str, table: dict[str, Any], problems: reading.Problems) -> OutreachProtocol:
    reading.check_names(table, _KEYS, FILE, name, problems)

    def text(key: str) -> str:
        return reading.read_text(table, key, FILE, name, problems)

    return OutreachProtocol(
        name=name,
        label=text("label"),
        version=_whole(table, "version", name, problems, low=1),
        for_rules=_names(table, "for_rules", name, problems),
        urgencies=_names(table, "urgencies", name, problems),
        first=text("first"),
        anchor=text("anchor"),
        goal_from_days=_whole(table, "goal_from_days", name, problems, low=-_MOST_DAYS),
        purpose=text("purpose"),
        channels=_names(table, "channels", name, problems),
        carries_care=reading.read_flag(table, "carries_care", FILE, name, problems, default=True),
        ends_after_days=_whole(table, "ends_after_days", name, problems, low=1),
        again_days=_whole(table, "again_days", name, problems, low=1),
        steps=tuple(
            _step(step, f"{name}.steps.{n}", problems)
            for n, step in enumerate(_tables(table, "steps", name), start=1)
        ),
        ladder=_ladder(table.get("ladder", {}), f"{name}.ladder", problems),
        source=text("source"),
        verified=reading.read_flag(table, "verified", FILE, name, problems, default=False),
    )


def _step(table: dict[str, Any], key: str, problems: reading.Problems) -> Step:
    reading.check_names(table, _STEP_KEYS, FILE, key, problems)
    return Step(
        name=reading.read_text(table, "name", FILE, key, problems),
        day=_whole(table, "day", key, problems, low=-_MOST_DAYS),
        template=reading.read_text(table, "template", FILE, key, problems),
        not_after_days=_whole(table, "not_after_days", key, problems),
    )


def _ladder(table: dict[str, Any], key: str, problems: reading.Problems) -> Ladder:
    reading.check_names(table, _LADDER_KEYS, FILE, key, problems)
    days = {name: _whole(table, name, key, problems) for name in _LADDER_DAYS}
    return Ladder(
        silent_hours=reading.read_number(
            table, "silent_hours", FILE, key, problems, low=1, high=24 * _MOST_DAYS
        ),
        no_answers=_whole(table, "no_answers", key, problems, low=1),
        source=reading.read_text(table, "source", FILE, key, problems),
        verified=reading.read_flag(table, "verified", FILE, key, problems, default=False),
        **days,
    )


def _check(protocol: OutreachProtocol, problems: reading.Problems) -> None:
    name = protocol.name
    for key, given, allowed in (
        ("first", (protocol.first,), FIRSTS),
        ("anchor", (protocol.anchor,), ANCHORS),
        ("urgencies", protocol.urgencies, URGENCIES),
        ("channels", protocol.channels, MESSAGE_CHANNELS),
    ):
        if set(given) - set(allowed):
            problems.add(FILE, f"{name}.{key}", f"must be of {', '.join(allowed)}")
    days = [step.day for step in protocol.steps]
    steps = [step.name for step in protocol.steps]
    if days != sorted(days) or len(set(steps)) != len(steps):
        problems.add(FILE, f"{name}.steps", "must have names of their own, in order of days")
    if (protocol.first == "message") != bool(protocol.steps and protocol.channels):
        problems.add(FILE, f"{name}.steps", "messages need steps and channels, and only they do")
    for key, said in ((name, protocol.source), (f"{name}.ladder", protocol.ladder.source)):
        if not said.strip():
            problems.add(FILE, f"{key}.source", "a number without a source is not used")


def _check_templates(
    protocol: OutreachProtocol, templates: Collection[str], problems: reading.Problems
) -> None:
    for n, step in enumerate(protocol.steps, start=1):
        if step.template and step.template not in templates:
            key = f"{protocol.name}.steps.{n}.template"
            problems.add(FILE, key, f"no template is called {step.template}")


def _tables(table: dict[str, Any], key: str, name: str) -> list[dict[str, Any]]:
    steps = table.get(key, ())
    return [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []


def _whole(
    table: dict[str, Any], key: str, name: str, problems: reading.Problems, *, low: int = 0
) -> int:
    value = reading.read_number(table, key, FILE, name, problems, low=low, high=_MOST_DAYS)
    if value != int(value):
        problems.add(FILE, f"{name}.{key}", "must be a whole number")
    return int(value)


def _names(
    table: dict[str, Any], key: str, name: str, problems: reading.Problems
) -> tuple[str, ...]:
    value = table.get(key, ())
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        problems.add(FILE, f"{name}.{key}", "must be a list of names")
        return ()
    return tuple(value)
