"""Acts without a store: two invented people on one list, for tests of pages and API."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pandas as pd

from chw_tools.errors import Conflict, NotFound, NothingToRead, StoreUnavailable
from chw_tools.outreach.experiment_results import ArmCount, Reading, compare
from chw_tools.outreach.experiments import SEEN, Arm, Experiment
from chw_tools.records import DERIVED_TABLES, empty_table, load_catalogue, new_id
from chw_tools.store import Census
from chw_tools.store.longer_plans import StoredRun
from chw_tools.store.outbox import Happening
from chw_tools.workflows.calls import CallRow, CallsView
from chw_tools.workflows.experiments import ExperimentView
from chw_tools.workflows.kept_plans import KeptWeek
from chw_tools.workflows.messages import preview_templates
from chw_tools.workflows.outreach_views import STAGES, ChannelView, OutreachView
from chw_tools.workflows.planning import check_planning
from chw_tools.workflows.planning_views import PersonWaiting, PlanningView, Said, ShownTable
from chw_tools.workflows.rehearsing import HourView, RehearsalView
from chw_tools.workflows.rest_of_day import as_minute_of
from chw_tools.workflows.views import (
    Advice,
    Change,
    DayView,
    HouseholdMember,
    HouseholdView,
    Measurement,
    PastVisit,
    PersonFound,
    PersonView,
    Reason,
    RiskShown,
    Stop,
    Waiting,
    WorkerDay,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from chw_tools.outreach.templates import Preview
    from chw_tools.outreach.wire import Callbacks
    from chw_tools.records import Catalogue
    from chw_tools.workflows.planning import PlanningAsked
    from chw_tools.workflows.ports import Progress
    from chw_tools.workflows.rest_of_day import RestAsked
    from chw_tools.workflows.views import VisitEntry

WORKER = "00000000-0000-7000-8000-0000000000aa"
ADULT = "00000000-0000-7000-8000-000000000001"
CHILD = "00000000-0000-7000-8000-000000000002"
TASK = "00000000-0000-7000-8000-0000000000f1"
HOUSEHOLD = "00000000-0000-7000-8000-0000000000bb"
LIST_DAY = date(2026, 1, 5)

_KNOWN_ON = LIST_DAY - timedelta(days=1)


def _advice(action: str, urgency: str, reason: str, rank: int = 1) -> Advice:
    return Advice(
        rank=rank,
        urgency=urgency,
        action=action,
        reason=reason,
        source="An invented guideline, 2026",
        is_verified=False,
        due_on=LIST_DAY,
        rule_id="invented",
        kind="guideline",
    )


def an_adult(name: str = "Invented Person") -> PersonView:
    """A woman of 58 with high blood pressure."""
    return PersonView(
        person_id=ADULT,
        name=name,
        sex="female",
        age="58 years",
        place="Village 3",
        household_id=None,
        phone="+255 700 000 000",
        status="in the register",
        as_of=_KNOWN_ON,
        risks=(
            RiskShown(
                outcome="hospital_admission_180d",
                label="Hospital admission or death within 180 days",
                state="estimated",
                band="high",
                of_100="about 12",
                risk=0.12,
                reasons=(
                    Reason("Systolic blood pressure", "168 mm[Hg]", True, 0.6),
                    Reason("Tobacco use", "never", False, -0.2),
                ),
                note="Add glucose for a better estimate.",
                model="invented 1",
                population="simulated",
            ),
        ),
        advice=(
            _advice(
                "Refer to the health centre today.",
                "same_day",
                "Blood pressure was 168/98 on 3 Jan 2026.",
            ),
            _advice("Ask about the medicines.", "within_days", "Hypertension is known.", 2),
        ),
        more_advice=(_advice("Talk about tobacco.", "routine", "A routine visit.", 5),),
        measurements=(
            Measurement("systolic_mmhg", "Systolic blood pressure", "168 mm[Hg]", date(2026, 1, 3)),
        ),
        conditions=("Hypertension",),
        visits=(PastVisit(new_id(), date(2026, 1, 3), "home", "seen", 31.0, False),),
        changes=(),
        population="simulated",
        notes=(),
    )


def a_child(name: str = "Invented Child") -> PersonView:
    """A boy of three about whom nothing is measured."""
    return replace(
        an_adult(name),
        person_id=CHILD,
        sex="male",
        age="3 years",
        phone=None,
        risks=(),
        advice=(),
        more_advice=(),
        measurements=(),
        conditions=(),
        visits=(),
    )


def a_week(run_id: str, population: str | None) -> KeptWeek:
    """A kept week: the adult must be seen on the first day, the child is at home with her."""
    visits = pd.DataFrame(
        {
            "person_id": [ADULT, CHILD],
            "household_id": [HOUSEHOLD, HOUSEHOLD],
            "worker_id": [WORKER, WORKER],
            "visit_on": pd.Timestamp(LIST_DAY),
            "position": [1, 2],
            "begins_minute": [488.0, 522.0],
            "urgency": ["same_day", "routine"],
            "is_must": [True, False],
            "because": ["required", "together"],
            "reason": ["Blood pressure was 168/98.", "A routine visit."],
            "due_on": pd.Timestamp(LIST_DAY),
            "benefit": [0.1, 0.01],
            "minutes": [34.0, 10.0],
            "travel_minutes": [8.0, 0.0],
            "latitude": [-1.0, -1.0],
            "longitude": [36.0, 36.0],
        }
    )
    return KeptWeek(
        run_id=run_id,
        as_of=_KNOWN_ON,
        week_from=LIST_DAY,
        visits=visits,
        waiting=empty_table(DERIVED_TABLES["week_waiting"]),
        summary={},
        workers=pd.DataFrame({"id": [WORKER], "latitude": [-1.01], "longitude": [36.0]}),
        people=pd.DataFrame({"sex": ["female", "male"], "wealth_fifth": [1, 1]}, [ADULT, CHILD]),
        worker_names={WORKER: "Worker 1"},
        person_names={ADULT: "Invented Person", CHILD: "Invented Child"},
        population=population,
    )


@dataclass
class FakeActs:
    """Answers like :class:`chw_tools.web.acts.Acts`, and remembers what it was told."""

    people: dict[str, PersonView] = field(
        default_factory=lambda: {ADULT: an_adult(), CHILD: a_child()}
    )
    population: str | None = "simulated"
    visits: dict[str, VisitEntry] = field(default_factory=dict)
    known_on: dict[str, date | None] = field(default_factory=dict)
    planned: list[dict[str, Any]] = field(default_factory=list)
    runs: list[StoredRun] = field(default_factory=list)
    n_workers: int = 1
    stopped: str | None = None
    outcomes: list[str] = field(default_factory=list)
    callbacks: dict[str, Callbacks] = field(default_factory=dict)
    news: list[tuple[str, bytes]] = field(default_factory=list)
    n_read: int = 0
    is_down: bool = False
    replanned: list[RestAsked] = field(default_factory=list)

    def take_news(self, callbacks: Callbacks, headers: Mapping[str, str], body: bytes) -> None:
        """Remember what a callback brought."""
        if self.is_down:
            raise StoreUnavailable("The database did not answer.")
        self.news.append((callbacks.name, body))

    def read_replies(self) -> Mapping[str, int]:
        """Count how often messages were read."""
        self.n_read += 1
        return {}

    def preview_templates(self, *, language: str | None = None) -> list[Preview]:
        """The shipped templates."""
        return preview_templates(folder=None, language=language)

    @property
    def catalogue(self) -> Catalogue:
        """The shipped catalogue."""
        return load_catalogue()

    def today(self) -> date:
        """The day of the list."""
        return LIST_DAY

    def now(self) -> datetime:
        """Half past nine on the day of the list."""
        return datetime(2026, 1, 5, 9, 30, tzinfo=UTC)

    def is_recorded(self, visit_id: str) -> bool:
        """Whether a visit of that key was recorded."""
        return visit_id in self.visits

    def is_planned(self, *, worker_id: str, visit_on: date) -> bool:
        """Whether that day was planned."""
        return visit_on in {LIST_DAY} | {plan["visit_on"] for plan in self.planned}

    def show_day(self, *, worker_id: str | None = None, visit_on: date | None = None) -> DayView:
        """The list of the one worker, on the list's day and on days planned since."""
        planned = {LIST_DAY} | {plan["visit_on"] for plan in self.planned}
        if visit_on not in planned | {None} or worker_id not in (None, WORKER):
            raise NotFound("That day was not planned.", cure="Plan it.")
        shown = list(self.people.values())
        worker = WorkerDay(WORKER, "Worker 1", "Village 3", 1, 1, 1, 42.0, 300.0)
        others = [replace(worker, worker_id=new_id()) for _ in range(self.n_workers - 1)]
        return DayView(
            visit_on=visit_on or LIST_DAY,
            as_of=_KNOWN_ON,
            population=self.population or "real",
            ordered_by="Danger signs first, then guideline rules.",
            workers=(worker, *others),
            worker=worker if worker_id else None,
            stops=(self._stop(shown[0]),) if worker_id else (),
            waiting=tuple(
                Waiting(p.person_id, p.name, p.age, "routine", "No minutes left today", None)
                for p in shown[1:]
                if worker_id
            ),
            notes=("A note.",),
        )

    def _stop(self, person: PersonView) -> Stop:
        seen = {v.person_id: v.outcome for v in self.visits.values()}
        return Stop(
            position=1,
            person_id=person.person_id,
            household_id=None,
            name=person.name,
            sex=person.sex,
            age=person.age,
            place=person.place,
            urgency=person.advice[0].urgency if person.advice else "routine",
            reason=person.advice[0].reason if person.advice else "A routine visit.",
            actions=tuple(item.action for item in person.advice),
            due_on=LIST_DAY,
            overdue_days=3,
            minutes=34.0,
            travel_minutes=8.0,
            is_must=True,
            done=seen.get(person.person_id),
        )

    def show_person(self, *, person_id: str, as_of: date | None = None) -> PersonView:
        """One of the people."""
        if person_id not in self.people:
            raise NotFound("No such person in the register.", cure="Search by name.")
        return self.people[person_id]

    def show_household(self, *, household_id: str, as_of: date | None = None) -> HouseholdView:
        """One home, in which both people live."""
        if household_id != HOUSEHOLD:
            raise NotFound("Nobody lives in this household.", cure="Look the person up first.")
        members = tuple(
            HouseholdMember(p.person_id, p.name, p.sex, p.age, p.advice)
            for p in self.people.values()
        )
        return HouseholdView(
            household_id=HOUSEHOLD,
            place="Village 3",
            as_of=_KNOWN_ON,
            members=members,
            follow_up_on=LIST_DAY,
            population=self.population or "real",
        )

    def take_census(self) -> Census:
        """Two people, one visit on a list."""
        return Census(
            records={"people": len(self.people), "visits": len(self.visits)},
            scores={("hospital_admission_180d", "invented 1", "estimated"): 1},
            planned_on=LIST_DAY,
            planned_visits=1,
            unvisited=1,
            last_recorded_on=_KNOWN_ON,
        )

    def find_people(self, *, text: str, limit: int = 30) -> tuple[PersonFound, ...]:
        """People whose name holds the text."""
        return tuple(
            PersonFound(p.person_id, p.name, p.sex, p.age, p.place, p.status)
            for p in self.people.values()
            if text.lower() in p.name.lower()
        )[:limit]

    def record_visit(self, *, entry: VisitEntry, known_on: date | None = None) -> str:
        """Remember a visit."""
        self.show_person(person_id=entry.person_id)
        visit_id = entry.visit_id or new_id()
        if self.visits.setdefault(visit_id, entry) != entry:
            raise Conflict("A visit of that key holds something else.")
        self.known_on[visit_id] = known_on
        return visit_id

    def plan_visits(
        self,
        *,
        as_of: date | None = None,
        visit_on: date | None = None,
        worker_id: str | None = None,
    ) -> Any:
        """Remember that a day was planned."""
        on = visit_on or LIST_DAY
        self.planned.append({"as_of": as_of, "visit_on": on, "worker_id": worker_id})
        frames = SimpleNamespace(visits=pd.DataFrame([{}]), unvisited=pd.DataFrame([{}]))
        return SimpleNamespace(
            run_id=new_id(), as_of=as_of or _KNOWN_ON, visit_on=on, plan=frames, notes=()
        )

    def check_planning(self, asked: PlanningAsked) -> None:
        """As the real one."""
        check_planning(asked)

    def run_planning(self, asked: PlanningAsked, progress: Progress) -> str:
        """Keep an empty plan; no needs are ever found."""
        progress("weeks planned", 1, 2)
        if asked.kind == "needs":
            raise NothingToRead("Nothing was ever recorded.", cure="Ingest records first.")
        run = StoredRun(
            new_id(), asked.kind, asked.as_of or _KNOWN_ON, asked.on, "2026-01-04", {}, {}
        )
        self.runs.append(run)
        return run.id

    def find_runs(self, *, kind: str | None = None, limit: int = 20) -> list[StoredRun]:
        """The plans kept, newest first."""
        found = [run for run in reversed(self.runs) if kind in (None, run.kind)]
        return found[:limit]

    def show_run(self, *, run_id: str) -> StoredRun:
        """A plan that was kept."""
        for run in self.runs:
            if run.id == run_id:
                return run
        raise NotFound("No such plan was kept.")

    def put_in_force(self, *, run_id: str) -> str:
        """Keep a draft once more, in force."""
        draft = self.show_run(run_id=run_id)
        if draft.kind != "caseloads_draft":
            raise Conflict("This plan holds no caseloads.", cure="Plan caseloads or a district.")
        self.runs.append(replace(draft, id=new_id(), kind="caseloads"))
        return self.runs[-1].id

    def load_week(self, *, run_id: str) -> KeptWeek:
        """A week of two visits, one person waiting."""
        run = self.show_run(run_id=run_id)
        if run.kind != "week":
            raise NotFound("This plan has no routes.", cure="Ask for a week or a district.")
        return a_week(run_id, self.population)

    def show_planning(self, *, run_id: str) -> PlanningView:
        """A kept plan with something of everything that a page may show."""
        run = self.show_run(run_id=run_id)
        someone = PersonWaiting(ADULT, "Invented Person", "Worker 1", "same_day", "No minutes.")
        return PlanningView(
            run_id=run_id,
            kind=run.kind,
            as_of=run.as_of,
            from_on=LIST_DAY,
            made_at=run.made_at,
            population=self.population,
            said=(Said("planned", {"n": 2, "n_homes": "2", "n_workers": "1"}), Said("fits")),
            tables=(
                ShownTable("reasons", ("why", "due_now", "due_later"), (("Full.", "1", "0"),), 1),
            ),
            workers=(
                {"worker_id": WORKER, "name": "Worker 1", "n_visits": 2, "n_must": 1, "hours": 1.4},
            ),
            waiting=(someone,),
            n_waiting=1,
            has_map=run.kind == "week",
            can_be_put_in_force=run.kind == "caseloads_draft",
            is_in_force=run.kind == "caseloads",
            notes=("A note.",),
        )

    def workers(self) -> dict[str, str]:
        """The one worker."""
        return {WORKER: "Worker 1"}

    def replan_day(self, asked: RestAsked) -> Any:
        """Remember what was asked; nothing is ordered."""
        as_minute_of(asked.at)
        if asked.worker_id != WORKER:
            raise NotFound("This worker has no list that day.")
        self.replanned.append(asked)
        return SimpleNamespace(
            run_id=new_id(),
            visit_on=asked.visit_on or LIST_DAY,
            n_done=1,
            n_left=2,
            n_waiting=1,
            n_handed_over=0,
            ends_at={WORKER: "12:40"},
            names={WORKER: "Worker 1"},
            notes=("Ordered anew at 11:30 from where it stood.",),
        )

    def score_people(
        self, *, as_of: date | None = None, person_ids: Collection[str] | None = None
    ) -> Any:
        """No risks."""
        return SimpleNamespace(shown_risks=lambda: empty_table(DERIVED_TABLES["risks"]))

    def recommend_actions(
        self, *, as_of: date | None = None, person_ids: Collection[str] | None = None
    ) -> Any:
        """No advice."""
        return SimpleNamespace(recommendations=empty_table(DERIVED_TABLES["recommendations"]))

    def show_outreach(self) -> OutreachView:
        """Some messages on their way, one unknown, two calls to make."""
        stages = dict.fromkeys(STAGES, 0) | {"planned": 4, "arrived": 3, "unknown": 1}
        return OutreachView(
            as_of=datetime(2026, 1, 5, 9, 30, tzinfo=UTC),
            everything_stopped=self.stopped is not None,
            stop_reason=self.stopped or "",
            channels=(ChannelView("sms", False, False, "", 5, stages),),
            was_looked=True,
            follow_ups={"same_day": 2},
            tasks={"call": 2},
            n_opted_out=1,
            n_bad_numbers=0,
            oldest_due_at=None,
            n_unmatched_receipts=0,
            population=self.population,
        )

    def show_rehearsal(self, *, days: int) -> RehearsalView:
        """Two hours: one message goes out, one is kept for want of consent."""
        at = datetime(2026, 1, 5, 9, tzinfo=UTC)
        kept = {("G2", "consent_missing"): 1}
        hours = (
            HourView(at, 1, 1, {}, "sms", "en", "Health programme: somebody will visit you."),
            HourView(at + timedelta(hours=1), 0, 1, kept),
        )
        return RehearsalView(at, days, "UTC", hours, kept, self.population)

    def show_timeline(self, *, person_id: str) -> list[Happening]:
        """Planned, and refused for want of consent; nothing of anybody else."""
        at = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
        both = (("planned", ""), ("suppressed", "G2:consent_missing"))
        return [
            Happening(at, "message", new_id(), "sms", "due_day", "", state, reason, 0, "worker")
            for state, reason in both
            if person_id == ADULT
        ]

    def show_calls(self, *, worker_id: str | None = None) -> CallsView:
        """One person to call, unless that was done."""
        row = CallRow(
            task_id=TASK,
            position=1,
            kind="call",
            urgency="within_days",
            person_id=ADULT,
            name="Invented Person",
            facts="58 years · Village 3",
            phone="+99900000001",
            reason="Blood pressure was 140/90 or more on 2 days.",
            why="silent",
            due_on=date(2026, 1, 7),
            waiting_days=2,
            late_days=1,
            tries=1,
            worker_id=worker_id,
        )
        rows = () if self.outcomes else (row,)
        return CallsView(date(2026, 1, 5), rows, 1, self.population, worker_id)

    def record_outcome(
        self, *, task_id: str, outcome: str, on: date | None = None, event_id: str | None = None
    ) -> str:
        """Remember what a call came to, once."""
        if task_id != TASK:
            raise NotFound("No such task.")
        if self.outcomes:
            raise Conflict("That task is done already.")
        self.outcomes.append(outcome)
        return event_id or new_id()

    def show_experiments(self) -> tuple[ExperimentView, ...]:
        """One experiment that is running and may be read."""
        arms = (Arm("reminded", 0.8), Arm("holdout", 0.2, withholds=("reminders",)))
        trial = Experiment(
            "words", "Do reminders help?", "visit_reminder", arms, SEEN, 14, 400, date(2026, 1, 1)
        )
        counts = (ArmCount("reminded", 400, 400, 120), ArmCount("holdout", 100, 100, 20))
        found = (compare((120, 400), (20, 100)),)
        reading = Reading(counts, 1.0, False, True, found, found, "Read at the number planned.")
        at = datetime(2026, 1, 1, tzinfo=UTC)
        return (ExperimentView(trial, "running", at, reading, at.date(), self.population),)

    def stop_messages(self, *, reason: str) -> bool:
        """Remember why."""
        self.stopped = reason
        return True

    def start_messages(self) -> bool:
        """Forget why."""
        self.stopped = None
        return True

    def merge_person(self, *, person_id: str, into_person_id: str, on: date) -> str:
        """Remember a merge."""
        self.show_person(person_id=into_person_id)
        if person_id == into_person_id:
            raise Conflict("An entry cannot be merged into itself.")
        return self._change(person_id, "merged", on, "merged into another entry")

    def move_person(self, *, person_id: str, on: date, area_id: str | None = None) -> str:
        """Remember a move."""
        return self._change(person_id, "moved", on, "moved away")

    def report_death(self, *, person_id: str, on: date) -> str:
        """Remember a death."""
        return self._change(person_id, "died", on, "died")

    def undo_change(self, *, person_id: str, change_id: str, on: date) -> str:
        """Forget a decision."""
        person = self.show_person(person_id=person_id)
        left = tuple(c for c in person.changes if c.change_id != change_id)
        if left == person.changes:
            raise NotFound("No such decision about this person.")
        self.people[person_id] = replace(person, changes=left, status="in the register")
        return new_id()

    def _change(self, person_id: str, change: str, on: date, status: str) -> str:
        person = self.show_person(person_id=person_id)
        made = Change(new_id(), change, on, None)
        changes = (*person.changes, made)
        self.people[person_id] = replace(person, changes=changes, status=status)
        return made.change_id
