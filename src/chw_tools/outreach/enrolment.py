"""Follow-ups to protocols: who is enrolled, what is planned to be said, who is asked at once.

Whoever cannot be sent a message (no number, no consent) is not forgotten: the ladder begins
at the call, or where nobody may call, at the visit. Where the follow-up is routine nobody is
sent for it alone: what is advised stands in the plan of visits anyway.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

import pandas as pd

from chw_tools.outreach.experiments import NEVER_IN_ARMS, arms_of
from chw_tools.outreach.messages import HOLDOUT, Message, dedupe_key
from chw_tools.outreach.tasks import OURS, new_tasks
from chw_tools.programme.protocols import protocol_for
from chw_tools.records import conform, derived_id
from chw_tools.records.contacting import ENROLMENTS, EXPOSURES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    from chw_tools.outreach.experiments import Experiment
    from chw_tools.programme.protocols import OutreachProtocol, Step
    from chw_tools.programme.templates import Template

#: Messages of a protocol go after answers and before nothing else; see the outbox.
_PRIORITY = {"within_days": 50, "routine": 100}
#: Why an enrolment begins with a human, by key of the programme's texts.
FIRST_CALL, FIRST_VISIT = "first_call", "first_visit"
NO_NUMBER, NO_CONSENT, NO_TEMPLATE = "no_number", "no_consent", "no_template"


@dataclass(frozen=True)
class Reach:
    """How a person may be reached today.

    Parameters
    ----------
    number : str
        E.164, or empty. Never logged.
    can_text : bool
        Whether a message may be tried there.
    consents : frozenset of str
        Channels that consent covers, ``call`` among them.
    language : str
        BCP 47 tag, or empty.
    worker_id : str or None
        Whose the person is.
    """

    number: str = field(default="", repr=False)
    can_text: bool = False
    consents: frozenset[str] = frozenset()
    language: str = ""
    worker_id: str | None = None


@dataclass(frozen=True)
class Running:
    """An experiment that is running, with the salt of its arms."""

    experiment: Experiment
    salt: str = field(repr=False)


@dataclass(frozen=True)
class Hours:
    """When a day's messages begin to be due; the outbox keeps quiet hours by itself."""

    zone: tzinfo = UTC
    opens: time = time(9)

    def instant(self, day: date) -> datetime:
        """The opening of a day, in UTC."""
        return datetime.combine(day, self.opens, self.zone).astimezone(UTC)

    def end(self, day: date) -> datetime:
        """The end of a day, in UTC."""
        return datetime.combine(day + timedelta(days=1), time(0), self.zone).astimezone(UTC)


@dataclass(frozen=True)
class Begun:
    """What enrolling came to: rows to keep, and messages for the outbox."""

    enrolments: pd.DataFrame
    messages: tuple[Message, ...]
    tasks: pd.DataFrame
    exposures: pd.DataFrame


def enrol(
    follow_ups: pd.DataFrame,
    *,
    protocols: Mapping[str, OutreachProtocol],
    templates: Mapping[str, Template],
    reaches: Mapping[str, Reach],
    held: pd.DataFrame,
    withdrawn: Collection[tuple[str, str]] = (),
    running: Sequence[Running] = (),
    hours: Hours | None = None,
    as_of: date,
    now: datetime,
) -> Begun:
    """Enrol the people of open follow-ups, each once.

    Parameters
    ----------
    follow_ups : DataFrame
        Open ones, as declared.
    protocols : mapping of str to OutreachProtocol
        The programme's.
    templates : mapping of str to Template
        Their versions, and what fills them.
    reaches : mapping of str to Reach
        By person.
    held : DataFrame
        Enrolments kept of these follow-ups. One that is live is enough; where the last one
        ended and the follow-up is open still, another begins after the protocol's
        ``again_days``.
    withdrawn : collection of (str, str)
        People with the purpose for which they refused or withdrew consent: nobody enrols them
        for it. Their follow-ups stay open.
    running : sequence of Running
        Experiments.
    hours : Hours, optional
        When days begin.
    as_of : date
        Day whose knowledge is used.
    now : datetime
        When it is done.
    """
    hours = hours or Hours()
    last = _last_ones(held)
    rows: list[dict[str, Any]] = []
    messages: list[Message] = []
    tasks: list[dict[str, Any]] = []
    for one in follow_ups.itertuples(index=False):
        protocol = protocol_for(protocols, rule_id=one.rule_id, urgency=one.urgency)
        before = last.get(one.id, _NEVER)
        if protocol is None or not before.may_begin(protocol, as_of):
            continue
        if (one.person_id, protocol.purpose) in withdrawn:
            continue
        reach = reaches.get(one.person_id, Reach())
        row = _enrolment(one, protocol, before.n + 1, _arm(one, protocol, running), as_of)
        said, why = _plan(row, one, protocol, reach, templates, running, hours, now)
        if why in (NO_NUMBER, NO_CONSENT) and one.urgency == "routine":
            continue
        if why:
            row |= {"state": "escalated", "reason": why}
            tasks.append(first_task(row, one, protocol, reach, why=why, on=as_of))
        messages += said
        rows.append(row)
    frame = pd.DataFrame(rows).assign(made_at=now, changed_at=now)
    enrolments = conform(ENROLMENTS, frame)
    return Begun(enrolments, tuple(messages), new_tasks(tasks, now=now), _exposures(enrolments))


@dataclass(frozen=True)
class _Before:
    """The enrolments that a follow-up had."""

    n: int
    is_live: bool
    ended_on: pd.Timestamp | None

    def may_begin(self, protocol: OutreachProtocol, as_of: date) -> bool:
        if self.is_live:
            return False
        if self.ended_on is None:
            return True
        return bool(pd.Timestamp(as_of) >= self.ended_on + pd.Timedelta(days=protocol.again_days))


_NEVER = _Before(0, False, None)
#: Nobody who took leave is enrolled again for the same follow-up.
_LEFT = "withdrawn"


def _last_ones(held: pd.DataFrame) -> dict[str, _Before]:
    found = {}
    for key, rows in held.groupby("follow_up_id"):
        is_live = bool(rows["state"].isin(("active", "escalated", _LEFT)).any())
        ended = rows["closed_on"].max()
        found[str(key)] = _Before(len(rows), is_live, None if pd.isna(ended) else ended)
    return found


def _arm(
    one: Any, protocol: OutreachProtocol, running: Sequence[Running]
) -> tuple[Experiment, str] | None:
    """The experiment that the person takes part in by this enrolment, and the arm."""
    if one.urgency in NEVER_IN_ARMS or protocol.carries_care:
        return None
    for each in running:
        trial = each.experiment
        if trial.protocol == protocol.name and one.as_of.date() >= trial.starts_on:
            return trial, str(arms_of(trial, [one.person_id], each.salt)[0])
    return None


def _enrolment(
    one: Any,
    protocol: OutreachProtocol,
    n: int,
    arm: tuple[Experiment, str] | None,
    as_of: date,
) -> dict[str, Any]:
    found = pd.Timestamp(as_of)
    # A window that lies behind cannot be reminded of: who is enrolled again begins today.
    anchor = max(one.due_by, found) if protocol.anchor == "due_by" else max(one.as_of, found)
    key = f"{one.id}:{protocol.name}:{n}"
    goal = max(anchor + pd.Timedelta(days=protocol.goal_from_days), one.as_of)
    return {
        "id": derived_id(OURS, ENROLMENTS.name, key),
        "dedupe_key": key,
        "person_id": one.person_id,
        "follow_up_id": one.id,
        "protocol": protocol.name,
        "protocol_version": protocol.version,
        "anchor_on": anchor,
        # A visit of the day on which it was found is known to have been before it, or not.
        "goal_from": goal + pd.Timedelta(days=1) if goal == one.as_of else goal,
        "state": "active",
        "reason": None,
        "experiment": arm[0].name if arm else None,
        "arm": arm[1] if arm else None,
    }


def _plan(
    row: Mapping[str, Any],
    one: Any,
    protocol: OutreachProtocol,
    reach: Reach,
    templates: Mapping[str, Template],
    running: Sequence[Running],
    hours: Hours,
    now: datetime,
) -> tuple[list[Message], str]:
    """The messages of an enrolment; or why a human is asked at once."""
    if protocol.first != "message":
        return [], FIRST_CALL if protocol.first == "call" else FIRST_VISIT
    if not reach.can_text:
        return [], NO_NUMBER
    channel = next((one for one in protocol.channels if one in reach.consents), None)
    if channel is None:
        return [], NO_CONSENT
    said = []
    for step in protocol.steps:
        name = _template(step, row, running)
        template = templates.get(name)
        if template is None:
            return [], NO_TEMPLATE
        message = _message(row, one, protocol, step, template, channel, reach, hours)
        if message.not_after > now:
            said.append(message)
    return said, "" if said else FIRST_CALL


def _template(step: Step, row: Mapping[str, Any], running: Sequence[Running]) -> str:
    for each in running:
        if each.experiment.name == row["experiment"] and row["arm"] != HOLDOUT:
            return each.experiment.arm(row["arm"]).templates.get(step.name, step.template)
    return step.template


def _message(
    row: Mapping[str, Any],
    one: Any,
    protocol: OutreachProtocol,
    step: Step,
    template: Template,
    channel: str,
    reach: Reach,
    hours: Hours,
) -> Message:
    anchor = row["anchor_on"].date()
    day = anchor + timedelta(days=step.day)
    values = {"day": anchor.isoformat()}
    return Message(
        dedupe_key=dedupe_key(
            row["id"],
            step=step.name,
            occurrence=1,
            template_version=template.version,
            channel=channel,
        ),
        person_id=row["person_id"],
        enrolment_id=row["id"],
        purpose=protocol.purpose,
        step=step.name,
        channel=channel,
        template=template.name,
        template_version=template.version,
        language=reach.language,
        variables={name: values[name] for name in template.variables if name in values},
        number=reach.number,
        due_at=hours.instant(day),
        not_after=hours.end(day + timedelta(days=step.not_after_days)),
        priority=_PRIORITY.get(one.urgency, min(_PRIORITY.values())),
        experiment=row["experiment"],
        arm=row["arm"],
    )


def may_call(reach: Reach) -> bool:
    """Whether there is a number, and consent to being called."""
    return bool(reach.number) and "call" in reach.consents


def first_task(
    row: Mapping[str, Any],
    one: Any,
    protocol: OutreachProtocol,
    reach: Reach,
    *,
    why: str,
    on: date,
) -> dict[str, Any]:
    """The task that a ladder begins with: a call where one is possible and allowed."""
    kind = "call" if why != FIRST_VISIT and may_call(reach) else "visit"
    return task_row(row, one.urgency, protocol, kind=kind, why=why, on=on, who=reach.worker_id)


def task_row(
    row: Mapping[str, Any],
    urgency: str,
    protocol: OutreachProtocol,
    *,
    kind: str,
    why: str,
    on: date,
    who: str | None,
) -> dict[str, Any]:
    """One call or visit of an enrolment, due within the days of its ladder."""
    ladder = protocol.ladder
    within = {
        "call": ladder.call_within_days,
        "visit": ladder.visit_within_days,
        "supervise": ladder.supervise_after_days,
    }[kind]
    return {
        "dedupe_key": f"{row['id']}:{kind}",
        "person_id": row["person_id"],
        "kind": kind,
        "urgency": urgency,
        "reason": why,
        "follow_up_id": row["follow_up_id"],
        "enrolment_id": row["id"],
        "worker_id": who,
        "due_on": pd.Timestamp(on) + pd.Timedelta(days=within),
    }


def _exposures(enrolments: pd.DataFrame) -> pd.DataFrame:
    """The arms of those enrolled: from now on the outcome counts, whatever is sent."""
    rows = enrolments[enrolments["experiment"].notna()]
    rows = rows.sort_values("made_at").drop_duplicates(["experiment", "person_id"])
    return conform(
        EXPOSURES,
        pd.DataFrame(
            {
                "dedupe_key": rows["experiment"] + ":" + rows["person_id"],
                "experiment": rows["experiment"],
                "person_id": rows["person_id"],
                "arm": rows["arm"],
                "exposed_on": rows["made_at"].dt.tz_localize(None).dt.normalize(),
            }
        ),
    )
