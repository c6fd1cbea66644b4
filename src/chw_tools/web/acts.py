"""The acts that pages and API offer, bound to the parts of one installation.

Every entrance under HTTP calls the workflows here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from chw_tools.errors import NotFound
from chw_tools.outreach.windows import zone_named
from chw_tools.wiring import (
    build_cases,
    build_gateways,
    build_inbox,
    build_outbox,
)
from chw_tools.workflows import (
    assess,
    calls,
    experiments,
    kept_plans,
    outreach_views,
    people,
    plan,
    planning,
    planning_views,
    rehearsing,
    replies,
    rest_of_day,
    show,
    visits,
)
from chw_tools.workflows.known_names import worker_names

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    import pandas as pd

    from chw_tools.outreach.templates import Preview
    from chw_tools.outreach.wire import Callbacks
    from chw_tools.records import Catalogue
    from chw_tools.store import Census
    from chw_tools.store.casebook import Casebook
    from chw_tools.store.inbox import Inbox
    from chw_tools.store.longer_plans import StoredRun
    from chw_tools.store.outbox import Outbox
    from chw_tools.store.outbox.looking import Happening
    from chw_tools.wiring import Parts
    from chw_tools.workflows.assess import Assessment
    from chw_tools.workflows.calls import CallsView
    from chw_tools.workflows.experiments import ExperimentView
    from chw_tools.workflows.kept_plans import KeptWeek
    from chw_tools.workflows.outreach_views import OutreachView
    from chw_tools.workflows.plan import PlanResult
    from chw_tools.workflows.planning import PlanningAsked
    from chw_tools.workflows.planning_views import PlanningView
    from chw_tools.workflows.ports import Progress
    from chw_tools.workflows.rehearsing import RehearsalView
    from chw_tools.workflows.rest_of_day import RestAsked, RestResult
    from chw_tools.workflows.views import (
        DayView,
        HouseholdView,
        PersonFound,
        PersonView,
        VisitEntry,
    )


@dataclass(frozen=True)
class Acts:
    """Each workflow with the store, models and programme already given."""

    parts: Parts

    @property
    def population(self) -> str | None:
        """Whether the people of this store are simulated or real; None while it is empty."""
        return self.parts.store.population

    @property
    def catalogue(self) -> Catalogue:
        """What can be observed."""
        return self.parts.catalogue

    def today(self) -> date:
        """The day on this machine; only to refuse what lies after it."""
        return datetime.now().astimezone().date()

    @cached_property
    def callbacks(self) -> Mapping[str, Callbacks]:
        """The providers that call back; none where no file names any."""
        settings = self.parts.settings
        return {} if settings.gateways is None else build_gateways(settings).callbacks

    @cached_property
    def inbox(self) -> Inbox:
        """The messages that people sent."""
        return build_inbox(self.parts, by="callback")

    @cached_property
    def reported(self) -> Outbox:
        """The messages, as providers report on them."""
        return build_outbox(self.parts, by="callback")

    def take_news(self, callbacks: Callbacks, headers: Mapping[str, str], body: bytes) -> None:
        """Keep what a callback tells; its signature was checked."""
        replies.take_news(
            outbox=self.reported,
            inbox=self.inbox,
            receipts=callbacks.receipts(headers=headers, body=body),
            inbound=callbacks.inbound(headers=headers, body=body),
            now=self.now(),
        )

    def read_replies(self) -> Mapping[str, int]:
        """Read every message received that waits."""
        return replies.read_replies(inbox=self.inbox, now=self.now())

    def preview_templates(self, *, language: str | None = None) -> list[Preview]:
        """Every message that may be sent, filled with samples, in every language or one."""
        from chw_tools.workflows.messages import preview_templates

        return preview_templates(folder=self.parts.settings.programme, language=language)

    def now(self) -> datetime:
        """The programme's instant; see :meth:`chw_tools.wiring.Parts.clock`."""
        return self.parts.clock()()

    def take_census(self) -> Census:
        """How much the store holds, in counts and days."""
        return self.parts.store.census()

    def is_recorded(self, visit_id: str) -> bool:
        """Whether a visit of that key is already kept."""
        return bool(self.parts.store.existing_ids("visits", [visit_id]))

    def is_planned(self, *, worker_id: str, visit_on: date) -> bool:
        """Whether a worker has a list for a day, an empty one included."""
        return self.parts.store.load_plan(visit_on=visit_on, worker_id=worker_id) is not None

    def show_day(self, *, worker_id: str | None = None, visit_on: date | None = None) -> DayView:
        """One worker's list for a day, or all workers' days."""
        store, programme = self.parts.store, self.parts.programme
        return show.show_day(
            store=store, programme=programme, worker_id=worker_id, visit_on=visit_on
        )

    def show_person(self, *, person_id: str, as_of: date | None = None) -> PersonView:
        """One person: what to do, why, and how sure."""
        parts = self.parts
        return show.show_person(
            store=parts.store,
            models=parts.models,
            programme=parts.programme,
            person_id=person_id,
            as_of=as_of,
        )

    def show_household(self, *, household_id: str, as_of: date | None = None) -> HouseholdView:
        """One home: what to do for each person in it."""
        parts = self.parts
        return show.show_household(
            store=parts.store,
            models=parts.models,
            programme=parts.programme,
            household_id=household_id,
            as_of=as_of,
        )

    def find_people(self, *, text: str, limit: int = 30) -> tuple[PersonFound, ...]:
        """People whose name fits."""
        return show.find_people(store=self.parts.store, text=text, limit=limit)

    def record_visit(self, *, entry: VisitEntry, known_on: date | None = None) -> str:
        """Keep a visit; gives its key."""
        store, catalogue = self.parts.store, self.catalogue
        return visits.record_visit(
            store=store, catalogue=catalogue, entry=entry, today=self.today(), known_on=known_on
        )

    def plan_visits(
        self,
        *,
        as_of: date | None = None,
        visit_on: date | None = None,
        worker_id: str | None = None,
    ) -> PlanResult:
        """Plan a day and keep the plan."""
        parts = self.parts
        return plan.plan_visits(
            store=parts.store,
            models=parts.models,
            programme=parts.programme,
            as_of=as_of,
            visit_on=visit_on,
            worker_id=worker_id,
            follow_ups=self.asked_visits(),
        )

    def check_planning(self, asked: PlanningAsked) -> None:
        """Refuse a longer plan that asks for what its kind does not take."""
        planning.check_planning(asked)
        planning.check_names(asked, self.parts.store)

    def run_planning(self, asked: PlanningAsked, progress: Progress) -> str:
        """Make a longer plan and keep it; the key of its run."""
        parts = self.parts
        return planning.run_planning(
            asked,
            store=parts.store,
            models=parts.models,
            programme=parts.programme,
            progress=progress,
            follow_ups=self.asked_visits(),
        )

    def find_runs(self, *, kind: str | None = None, limit: int = 20) -> Sequence[StoredRun]:
        """The newest longer plans kept, without their tables."""
        return self.parts.store.find_runs(kind=kind, limit=limit)

    def show_run(self, *, run_id: str) -> StoredRun:
        """A longer plan as it was kept."""
        found = self.parts.store.load_run(run_id)
        if found is None:
            raise NotFound("No such plan was kept.", cure="Ask for the list of kept plans.")
        return found

    def put_in_force(self, *, run_id: str) -> str:
        """Let days and weeks go by a plan's caseloads; the key of the run in force."""
        return kept_plans.put_in_force(self.parts.store, self.show_run(run_id=run_id))

    def load_week(self, *, run_id: str) -> KeptWeek:
        """A kept week with its places and names."""
        return kept_plans.load_week(self.parts.store, self.show_run(run_id=run_id))

    def show_planning(self, *, run_id: str) -> PlanningView:
        """A kept plan in words and tables."""
        return planning_views.show_planning(self.parts.store, self.show_run(run_id=run_id))

    def workers(self) -> dict[str, str]:
        """What each worker is called, by key."""
        return worker_names(self.parts.store.load_register(tables=("workers",)).workers)

    def replan_day(self, asked: RestAsked) -> RestResult:
        """Order anew what is left of a day, and keep it."""
        parts = self.parts
        return rest_of_day.replan_day(store=parts.store, programme=parts.programme, asked=asked)

    def score_people(
        self, *, as_of: date | None = None, person_ids: Collection[str] | None = None
    ) -> Assessment:
        """Estimate risks and keep them."""
        parts = self.parts
        return assess.score_people(
            store=parts.store,
            models=parts.models,
            programme=parts.programme,
            as_of=as_of,
            person_ids=person_ids,
        )

    def recommend_actions(
        self, *, as_of: date | None = None, person_ids: Collection[str] | None = None
    ) -> Assessment:
        """Risk and advice; nothing is kept."""
        parts = self.parts
        return assess.recommend_actions(
            store=parts.store,
            models=parts.models,
            programme=parts.programme,
            as_of=as_of,
            person_ids=person_ids,
        )

    @cached_property
    def outbox(self) -> Outbox:
        """The messages, as the pages act on them."""
        return build_outbox(self.parts, by="page")

    def show_outreach(self) -> OutreachView:
        """How outreach stands now."""
        zone = zone_named(self.parts.programme.outreach.quiet_hours.time_zone)
        return outreach_views.show_outreach(
            store=self.parts.store, outbox=self.outbox, now=self.now().astimezone(zone)
        )

    def show_rehearsal(self, *, days: int) -> RehearsalView:
        """What would go out in the days to come; nothing is sent."""
        now = self.now()
        return rehearsing.show_rehearsal(
            self.outbox.outlook(now=now, until=now + timedelta(days=days)),
            policy=self.parts.programme.outreach,
            now=now,
            days=days,
            population=self.population,
        )

    def show_timeline(self, *, person_id: str) -> list[Happening]:
        """One person's messages and replies, the oldest first, without numbers and texts."""
        return self.outbox.timeline(person_id)

    def stop_messages(self, *, reason: str) -> bool:
        """Stop every channel; whether one of them was running."""
        return self.outbox.stop(now=self.now(), reason=reason)

    def start_messages(self) -> bool:
        """Let messages go out again."""
        return self.outbox.start(now=self.now())

    @cached_property
    def cases(self) -> Casebook:
        """Follow-ups, tasks and experiments, as the pages act on them."""
        return build_cases(self.parts, by="page")

    def show_calls(self, *, worker_id: str | None = None) -> CallsView:
        """Whom to call, in order of need."""
        parts = self.parts
        return calls.show_calls(
            store=parts.store,
            cases=self.cases,
            programme=parts.programme,
            today=self.now().date(),
            worker_id=worker_id,
        )

    def record_outcome(
        self, *, task_id: str, outcome: str, on: date | None = None, event_id: str | None = None
    ) -> str:
        """Keep what a call came to; gives the key of the entry."""
        now = self.now()
        return calls.record_outcome(
            store=self.parts.store,
            cases=self.cases,
            outbox=self.outbox,
            task_id=task_id,
            outcome=outcome,
            on=on or now.date(),
            today=max(self.today(), now.date()),
            now=now,
            country=self.parts.programme.country,
            event_id=event_id,
        )

    def asked_visits(self) -> pd.DataFrame:
        """Visits that follow-ups ask for."""
        return calls.asked_visits(cases=self.cases, programme=self.parts.programme)

    def show_experiments(self) -> tuple[ExperimentView, ...]:
        """Experiments with what may be read of them, the newest first."""
        parts = self.parts
        return experiments.show_experiments(
            store=parts.store, cases=self.cases, programme=parts.programme
        )

    def merge_person(self, *, person_id: str, into_person_id: str, on: date) -> str:
        """Say that two entries are one person; gives the key of the decision."""
        return people.merge_person(
            store=self.parts.store,
            person_id=person_id,
            into_person_id=into_person_id,
            on=on,
            today=self.today(),
        )

    def move_person(self, *, person_id: str, on: date, area_id: str | None = None) -> str:
        """Say that a person left; gives the key of the decision."""
        return people.move_person(
            store=self.parts.store, person_id=person_id, on=on, today=self.today(), area_id=area_id
        )

    def report_death(self, *, person_id: str, on: date) -> str:
        """Say that a person died; gives the key of the decision."""
        return people.report_death(
            store=self.parts.store, person_id=person_id, on=on, today=self.today()
        )

    def undo_change(self, *, person_id: str, change_id: str, on: date) -> str:
        """Take a decision back; gives the key of the taking back."""
        return people.undo_change(
            store=self.parts.store,
            person_id=person_id,
            change_id=change_id,
            on=on,
            today=self.today(),
        )
