"""The page of monitoring rules and protocols, written from the programme's data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chw_tools.programme.programme import load_programme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chw_tools.programme.monitoring import MonitoringRule
    from chw_tools.programme.programme import Programme
    from chw_tools.programme.protocols import OutreachProtocol

_INTRODUCTION = """\
# Monitoring rules and protocols

Written from `monitoring.toml` and `protocols.toml` (`make docs`). Who worsened, was missed or
fell silent gets a *follow-up*; a *protocol* says what follows: reminders, then a call, then a
visit, then the supervisor. `chw monitor` does both, once a day or as often as one likes: a second
run on the same facts changes nothing.

**A follow-up ends by something recorded, never because time passed.** It is closed when what was
found no longer stands *and* one of the things named under *ends by* was recorded since; when the
person died, moved away or was merged into another entry; or by what came of a call (seen
elsewhere, refused). What only lapsed (advice that is not given any more, a reading that is no
longer fresh) stays open for a human. What a call closed is raised again after 90 days if it still
stands.

- `seen`: met in person, at home or at a facility; a telephone call is no meeting. `treated`: met
  at a facility.
- `measured`: one of the rule's measures was taken again (any measurement where the rule names
  none).
- `supplied`: a medicine of the same kind was given. `vaccinated`: a dose was given. `answered`: a
  message came back.

A programme's folder changes a rule by naming what differs in its own `monitoring.toml` (with a
`source` for a changed number), adds rules, or switches one off (`off = true`); `chw programme
check` tells every fault with file and line. A medicine is only called missed where an end of the
supply is on record, or from the second recorded supply on: a medicine that was noted once says
nothing of when it runs out. Texts in French, Swahili and Spanish are drafts.

No rule here was tested in care. *To be confirmed* marks numbers whose source was not read.
"""
_PROTOCOLS = """\
## Protocols

Day 0 is the anchor: the last day by which the follow-up is due, or the day it was found. Whoever
has no number or no consent to messages begins with a call, or with a visit where nobody may call;
a routine follow-up then stays with the plan of visits. What is urgent waits for no message. The
messages of an enrolment that ends are taken out and its tasks closed. The call list and its
outcomes: `chw calls`, or `/calls`.
"""


def monitoring_page(programme: Programme | None = None) -> str:
    """Markdown of every monitoring rule and every protocol."""
    programme = programme or load_programme()
    unread = [r for r in programme.monitoring if not r.verified]
    lines = [f"{len(unread)} of {len(programme.monitoring)} rules are to be confirmed.", ""]
    lines += ["| Rule | Finds | How soon | Due within | Ends by |", "|---|---|---|---|---|"]
    for rule in programme.monitoring:
        ends = ", ".join(f"`{name}`" for name in rule.closes_on)
        lines.append(
            f"| `{rule.id}` | {_what(rule)} | {rule.urgency.replace('_', ' ')} | "
            f"{_days(rule.due_days)} | {ends} |"
        )
    lines += ["", "## What each says, and where it comes from", ""]
    for rule in programme.monitoring:
        state = "read" if rule.verified else "**to be confirmed**"
        lines += [f"- `{rule.id}`: *{rule.reasons['en']}* {rule.source} ({state})"]
    lines += ["", _PROTOCOLS]
    lines += [
        "| Protocol | For | Begins with | Messages on day | Then | Ends |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_protocol(one) for one in programme.protocols.values()]
    return "\n".join([_INTRODUCTION, *lines, ""])


def _what(rule: MonitoringRule) -> str:
    return _FINDS[rule.kind](rule) + _whom(rule)


def _refill(rule: MonitoringRule) -> str:
    return (
        f"a supply of {', '.join(_plain(name) for name in rule.medicines)} ended more than "
        f"{_days(rule.grace_days)} ago (at most {rule.fresh_days}), none since; where only days "
        f"of supply are recorded, {_days(rule.supply_days)} are reckoned"
    )


def _care(rule: MonitoringRule) -> str:
    return f"{_advice(rule)} more than {_days(rule.overdue_days)} past its day"


def _unseen(rule: MonitoringRule) -> str:
    bands = " or ".join(_plain(band) for band in rule.bands)
    return f"risk {bands}, nobody met for {_days(rule.days)}"


def _silent(rule: MonitoringRule) -> str:
    return (
        f"a message of no protocol without an answer for {rule.hours:g} hours "
        f"(at most {_days(rule.fresh_days)})"
    )


def _referral(rule: MonitoringRule) -> str:
    return (
        f"a danger sign, or {_levels(rule)}, {rule.days} to {_days(rule.fresh_days)} ago, and no "
        "visit to a facility since"
    )


def _trend(rule: MonitoringRule) -> str:
    to = "" if rule.to is None else f", to {rule.to:g}"
    names = " or ".join(_plain(name) for name in rule.measures)
    return (
        f"{names} {rule.direction} at each of {rule.readings} readings within "
        f"{_days(rule.span_days)}, by {rule.change:g} in all{to}; the newest at most "
        f"{_days(rule.fresh_days)} old"
    )


def _level(rule: MonitoringRule) -> str:
    return (
        f"{_levels(rule)} on the newest {rule.readings} days of measuring within "
        f"{_days(rule.span_days)}; the newest at most {_days(rule.fresh_days)} old"
    )


_FINDS: dict[str, Callable[[MonitoringRule], str]] = {
    "trend": _trend,
    "level": _level,
    "refill": _refill,
    "care": _care,
    "unseen": _unseen,
    "silent": _silent,
    "referral": _referral,
}


def _levels(rule: MonitoringRule) -> str:
    return " or ".join(f"{_plain(a.measure)} {a.op} {a.value:g}" for a in rule.any)


def _advice(rule: MonitoringRule) -> str:
    if rule.but_not:
        return "any other advice (but the home visits that the plan orders)"
    return "advice " + ", ".join(f"`{name}`" for name in rule.advice)


def _whom(rule: MonitoringRule) -> str:
    parts = []
    if rule.from_years is not None:
        parts.append(f"from {rule.from_years:g} years")
    if rule.until_months is not None:
        parts.append(f"under {rule.until_months:g} months")
    return f" ({', '.join(parts)})" if parts else ""


def _protocol(one: OutreachProtocol) -> str:
    rules = ", ".join("any other rule" if name == "*" else f"`{name}`" for name in one.for_rules)
    urgencies = ", ".join(name.replace("_", " ") for name in one.urgencies)
    steps = ", ".join(f"{step.day:+d} `{step.template}`" for step in one.steps) or "none"
    return (
        f"| `{one.name}` v{one.version} | {rules} ({urgencies}) | {one.first} | {steps} | "
        f"{'; '.join(_ladder(one))} | {_days(one.ends_after_days)} |"
    )


def _ladder(one: OutreachProtocol) -> Iterator[str]:
    ladder = one.ladder
    if one.steps:
        yield f"undelivered, or {ladder.silent_hours:g} hours of silence: a call"
    if one.first != "visit":
        yield f"{ladder.no_answers} calls without an answer on as many days: a visit"
    yield f"{_days(ladder.supervise_after_days)} late: the supervisor"


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _days(n: int) -> str:
    return "1 day" if n == 1 else f"{n} days"
