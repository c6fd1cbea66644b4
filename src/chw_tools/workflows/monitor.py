"""Look after everybody for a day: find, raise, close, enrol, advance; twice is as once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from chw_tools.monitoring import (
    Evidence,
    close_follow_ups,
    find_follow_ups,
    raise_follow_ups,
)
from chw_tools.monitoring.evidence import IN_PERSON
from chw_tools.outreach.advancing import LIVE, Course, advance
from chw_tools.outreach.enrolment import Hours, Running, enrol
from chw_tools.outreach.experiments import read_experiment
from chw_tools.outreach.numbers import read_numbers
from chw_tools.outreach.reaching import reaches_of, withdrawn_of
from chw_tools.outreach.windows import zone_named
from chw_tools.workflows.assess import PRIORITY_OUTCOME, assess, day_of, usable_model

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date, datetime

    from chw_tools.outreach.advancing import Advanced
    from chw_tools.outreach.enrolment import Begun, Reach
    from chw_tools.programme import Programme
    from chw_tools.programme.templates import Template
    from chw_tools.workflows.ports import Cases, MessagePlanner, ModelStore, RegisterStore

#: Messages and answers looked back for; longer than any rule of silence.
_LOOK_BACK = timedelta(days=60)


@dataclass(frozen=True)
class Monitored:
    """What a day's run found and did, in counts.

    Parameters
    ----------
    as_of : date
        Day whose knowledge was used.
    n_found : int
        Findings that stand.
    raised, closed : mapping of str to int
        New follow-ups by rule, and closed ones by outcome.
    n_open : int
        Follow-ups open now.
    moved : mapping of str to int
        Enrolments by the state they moved to; ``begun`` are new.
    tasks : mapping of str to int
        New tasks by kind.
    n_planned, n_cancelled : int
        Messages put into the outbox, and taken out.
    notes : tuple of str
    """

    as_of: date
    n_found: int
    raised: Mapping[str, int]
    closed: Mapping[str, int]
    n_open: int
    moved: Mapping[str, int] = field(default_factory=dict)
    tasks: Mapping[str, int] = field(default_factory=dict)
    n_planned: int = 0
    n_cancelled: int = 0
    notes: tuple[str, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Whether the run changed nothing, as a second one on the same facts does not."""
        counts = (*self.raised.values(), *self.closed.values(), *self.moved.values())
        return not any((*counts, *self.tasks.values(), self.n_planned, self.n_cancelled))


def monitor(
    *,
    store: RegisterStore,
    models: ModelStore,
    programme: Programme,
    templates: Mapping[str, Template],
    cases: Cases,
    outbox: MessagePlanner,
    now: datetime,
    as_of: date | None = None,
) -> Monitored:
    """Find who must be followed up in the whole register, and set going what follows.

    Parameters
    ----------
    store, models, programme
        The parts.
    templates : mapping of str to Template
        What may be said.
    cases : Cases
        Where follow-ups, enrolments and tasks are kept.
    outbox : MessagePlanner
        Where messages are put.
    now : datetime
        The instant, aware.
    as_of : date, optional
        Day whose knowledge is used; by default the last recorded day.

    Raises
    ------
    NothingToRead
        If nothing was ever recorded and no day is given.
    """
    known_on = day_of(store, as_of)
    using = usable_model(models, store, PRIORITY_OUTCOME)
    assessment = assess(store.load_register(), programme=programme, as_of=known_on, using=using)
    messages, inbound = cases.heard(since=now - _LOOK_BACK)
    evidence = Evidence(
        assessment.register, known_on, assessment.everything, assessment.risks, messages, inbound
    )
    return follow_up(
        evidence,
        programme=programme,
        templates=templates,
        cases=cases,
        outbox=outbox,
        now=now,
        notes=using.notes,
    )


def follow_up(
    evidence: Evidence,
    *,
    programme: Programme,
    templates: Mapping[str, Template],
    cases: Cases,
    outbox: MessagePlanner,
    now: datetime,
    notes: tuple[str, ...] = (),
) -> Monitored:
    """The same from evidence at hand: all that it changes is one transaction."""
    found = find_follow_ups(evidence, rules=programme.monitoring)
    zone = zone_named(programme.outreach.quiet_hours.time_zone)
    desk = _Desk(programme, templates, cases, outbox, now, now.astimezone(zone).date())
    with cases.transaction():
        closed, raised = _keep_follow_ups(desk, evidence, found)
        open_now = cases.follow_ups(state="open")
        advanced, n_cancelled = _advance(desk, evidence, open_now)
        begun, n_planned = _enrol(desk, evidence, open_now)
    tasks = pd.concat([advanced.tasks["kind"], begun.tasks["kind"]])
    moved = pd.Series([move.after for move in advanced.enrolments], dtype="str")
    moves = {**_counts(moved), "begun": len(begun.enrolments)}
    return Monitored(
        as_of=evidence.as_of.date(),
        n_found=len(found),
        raised=_counts(raised["rule_id"]),
        closed=_counts(closed["outcome"]),
        n_open=len(open_now),
        moved={name: n for name, n in moves.items() if n},
        tasks=_counts(tasks),
        n_planned=n_planned,
        n_cancelled=n_cancelled,
        notes=notes,
    )


def _counts(values: pd.Series) -> dict[str, int]:
    return {str(name): int(n) for name, n in values.value_counts().items()}


@dataclass(frozen=True)
class _Desk:
    """What each part of a run needs."""

    programme: Programme
    templates: Mapping[str, Template]
    cases: Cases
    outbox: MessagePlanner
    now: datetime
    today: date

    def reaches(self, evidence: Evidence, people: Collection[str]) -> dict[str, Reach]:
        return reaches_of(evidence.known, people, country=self.programme.country)

    def withdrawn(self, evidence: Evidence) -> set[tuple[str, str]]:
        purposes = {one.purpose for one in self.programme.protocols.values()}
        return withdrawn_of(evidence.known.consents, purposes=purposes)


def _keep_follow_ups(
    desk: _Desk, evidence: Evidence, found: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    held = desk.cases.follow_ups()
    still_open = held[held["state"] == "open"]
    rules = desk.programme.monitoring
    closed = close_follow_ups(still_open, found, evidence, rules=rules)
    desk.cases.close_follow_ups(closed, now=desk.now)
    is_closed = held["id"].isin(closed["id"])
    held = held.assign(
        state=held["state"].mask(is_closed, "closed"),
        closed_on=held["closed_on"].mask(is_closed, evidence.as_of),
    )
    raised = raise_follow_ups(found, held, rules=rules, now=desk.now)
    desk.cases.add("follow_ups", raised)
    return closed, raised


def _advance(desk: _Desk, evidence: Evidence, open_now: pd.DataFrame) -> tuple[Advanced, int]:
    course = _course(desk, evidence, open_now)
    advanced = advance(
        course,
        protocols=desk.programme.protocols,
        reaches=desk.reaches(evidence, course.enrolments["person_id"].unique()),
        today=desk.today,
        now=desk.now,
    )
    moved = desk.cases.move_enrolments(advanced.enrolments, on=desk.today, now=desk.now)
    by_reason: dict[str, list[str]] = {}
    for move in advanced.enrolments:
        if move.id in moved:
            by_reason.setdefault(move.reason, []).append(move.id)
    n_cancelled = sum(
        desk.outbox.cancel(reason=reason, now=desk.now, enrolment_ids=ids)
        for reason, ids in sorted(by_reason.items())
    )
    desk.cases.add("tasks", advanced.tasks)
    desk.cases.move_tasks(advanced.task_moves, now=desk.now)
    return advanced, n_cancelled


def _course(desk: _Desk, evidence: Evidence, open_now: pd.DataFrame) -> Course:
    cases = desk.cases
    live = cases.enrolments(live=True)
    closed = set(live["follow_up_id"].dropna()) - set(open_now["id"])
    follow_ups = [open_now, cases.follow_ups(ids=closed)] if closed else [open_now]
    tasks = cases.tasks(enrolment_ids=live["id"])
    heard = cases.load("inbound_messages", column="person_id", keys=live["person_id"].unique())
    met = pd.Series(evidence.met(IN_PERSON).astype("datetime64[s]"), index=evidence.ids)
    return Course(
        enrolments=live,
        follow_ups=pd.concat(follow_ups, ignore_index=True),
        messages=cases.load("messages", column="enrolment_id", keys=live["id"]),
        tasks=tasks,
        task_events=cases.task_events(tasks["id"]),
        answered=heard.groupby("person_id")["received_at"].max(),
        seen=met[met.index.isin(live["person_id"])].dropna(),
        gone=_gone(evidence, live["person_id"]),
        withdrawn=desk.withdrawn(evidence),
    )


def _gone(evidence: Evidence, person_ids: pd.Series) -> dict[str, str]:
    away = person_ids[evidence.place(person_ids) < 0].unique()
    people = evidence.known.people
    died = set(people.loc[people["died_on"].notna(), "id"])
    moved = set(people.loc[people["moved_on"].notna(), "id"])
    return {
        str(one): "died" if one in died else "moved" if one in moved else "merged" for one in away
    }


def _enrol(desk: _Desk, evidence: Evidence, open_now: pd.DataFrame) -> tuple[Begun, int]:
    held = desk.cases.enrolments(follow_up_ids=open_now["id"])
    live = held.loc[held["state"].isin(LIVE), "follow_up_id"]
    waiting = open_now[~open_now["id"].isin(live)]
    people = waiting["person_id"].unique()
    begun = enrol(
        waiting,
        protocols=desk.programme.protocols,
        templates=desk.templates,
        reaches=desk.reaches(evidence, people),
        held=held,
        withdrawn=desk.withdrawn(evidence),
        running=running_experiments(desk.cases, desk.programme),
        hours=_hours(desk.programme),
        as_of=desk.today,
        now=desk.now,
    )
    for name in ("enrolments", "tasks", "exposures"):
        desk.cases.add(name, getattr(begun, name))
    kinds = _kinds(evidence, people, desk.programme.country)
    planned = desk.outbox.plan(begun.messages, now=desk.now, kinds=kinds)
    return begun, len(planned)


def _hours(programme: Programme) -> Hours:
    quiet = programme.outreach.quiet_hours
    return Hours(zone_named(quiet.time_zone), quiet.opens)


def _kinds(evidence: Evidence, people: Any, country: str) -> dict[str, str]:
    """What sort of number each is, for the outbox."""
    rows = evidence.known.people
    phones = rows.loc[rows["id"].isin(list(people)), "phone"].dropna().unique()
    numbers = read_numbers(phones, country=country).dropna(subset=["e164"])
    return dict(zip(numbers["e164"], numbers["kind"], strict=True))


def running_experiments(cases: Cases, programme: Programme) -> list[Running]:
    """Experiments that expose people now; one whose protocol is gone exposes nobody."""
    rows = cases.load("experiments")
    return [
        Running(read_experiment(row.declared, protocols=programme.protocols), str(row.salt))
        for row in rows[rows["state"] == "running"].itertuples(index=False)
        if row.declared.get("protocol") in programme.protocols
    ]
