"""What a request may hold, and the shape of answers that are tables.

The dataclasses of :mod:`chw_tools.workflows.views` and the declared tables carry the rest.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StrictBool, create_model

from chw_tools.api import examples
from chw_tools.records import DERIVED_TABLES
from chw_tools.records.contacting import CALL_OUTCOMES
from chw_tools.workflows.views import VisitEntry

if TYPE_CHECKING:
    import pandas as pd

    from chw_tools.records import Column, Table
    from chw_tools.store.longer_plans import StoredRun
    from chw_tools.workflows.planning import PlanningAsked

UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
Key = Annotated[str, Field(pattern=UUID)]
#: Name of a catalogue entry; the workflow says which there are.
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,63}$")]
Keys = Annotated[list[Key], Field(min_length=1, max_length=10_000)]


def _with_example(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"example": example})


class Sent(BaseModel):
    """A request body: unknown fields are refused, so that a misspelt one is not lost."""

    model_config = ConfigDict(extra="forbid")


class VisitSent(Sent):
    """A visit as a worker enters it."""

    model_config = _with_example(examples.VISIT_SENT)

    person_id: Key
    visited_on: date
    outcome: Literal["seen", "away", "refused", "moved", "died"] = "seen"
    worker_id: Key | None = None
    measurements: Annotated[
        dict[Name, FiniteFloat | Annotated[str, Field(max_length=40)]], Field(max_length=100)
    ] = Field(default_factory=dict, description="By name in the catalogue, in its unit.")
    danger_signs: Annotated[dict[Name, StrictBool], Field(max_length=100)] | None = Field(
        default=None, description="Each sign asked about; null where none was asked."
    )
    minutes: Annotated[FiniteFloat, Field(ge=0, le=1440)] | None = None
    supersedes_id: Key | None = None
    visit_id: Key | None = Field(
        default=None, description="Key given by the sender; sending it twice changes nothing."
    )

    known_on: date | None = Field(
        default=None, description="Day the programme came to know; by default that of the visit."
    )

    def entry(self) -> VisitEntry:
        """The visit as the workflow takes it."""
        return VisitEntry(**self.model_dump(exclude={"known_on"}))


class SearchSent(Sent):
    """A search by name; in a body, because addresses end up in histories and logs."""

    model_config = _with_example({"text": "invented"})

    text: Annotated[str, Field(min_length=2, max_length=80)]
    limit: Annotated[int, Field(ge=1, le=100)] = 30


class MergeSent(Sent):
    """The entry that stays, and since when the two are known to be one."""

    model_config = _with_example({"into_person_id": examples.OTHER, "on": "2026-01-05"})

    into_person_id: Key
    on: date


class MoveSent(Sent):
    """The day of a move, and where to."""

    model_config = _with_example({"on": "2026-01-05"})

    on: date
    area_id: Key | None = None


class DeathSent(Sent):
    """The day of a death."""

    model_config = _with_example({"on": "2026-01-05"})

    on: date


class UndoSent(Sent):
    """Whose decision is taken back, and on which day."""

    model_config = _with_example({"person_id": examples.PERSON, "on": "2026-01-05"})

    person_id: Key
    on: date


class PeopleSent(Sent):
    """Who is asked about (everybody, where nobody is named), as known on which day."""

    model_config = _with_example({"person_ids": [examples.PERSON]})

    person_ids: Keys | None = None
    as_of: date | None = None


class PlanSent(Sent):
    """Which day to plan, from which day's knowledge, and for whom."""

    model_config = _with_example({"visit_on": "2026-01-05"})

    as_of: date | None = None
    visit_on: date | None = None
    worker_id: Key | None = None


Kind = Literal["needs", "posts", "caseloads", "supplies", "week", "district", "what_if", "replay"]
#: What may be kept; caseloads that are not in force are a draft.
KeptKind = Kind | Literal["caseloads_draft"]
#: A floor, a change or a place, in a few characters.
Word = Annotated[str, Field(max_length=80)]
Words = Annotated[list[Word], Field(max_length=100)]


class StockSent(Sent):
    """One batch of one item at one place, as counted."""

    place_id: Word
    item: Word
    quantity: Annotated[FiniteFloat, Field(ge=0)]
    batch: Word | None = None
    expires_on: date | None = None
    counted_on: date | None = None


class PlanningSent(Sent):
    """What longer plan to make; each kind takes some of the settings, and refuses the others."""

    model_config = _with_example({"kind": "week", "days": 5, "seconds": 60})

    kind: Kind
    as_of: date | None = None
    on: date | None = Field(default=None, description="First day planned or replayed.")
    until: date | None = Field(default=None, description="Last day of a replay.")
    seconds: Annotated[FiniteFloat, Field(ge=1, le=3600)] | None = Field(
        default=None, description="Time for the plan."
    )
    seed: int = 0
    posts: Annotated[int, Field(ge=1, le=100_000)] | None = None
    curve: Annotated[list[Annotated[int, Field(ge=1, le=100_000)]], Field(max_length=20)] = Field(
        default_factory=list
    )
    worst_first: StrictBool = False
    absent: Annotated[list[Key], Field(max_length=1000)] = Field(default_factory=list)
    in_force: StrictBool = Field(
        default=False, description="Days and weeks go by these caseloads from now on."
    )
    stock: Annotated[list[StockSent], Field(max_length=100_000)] | None = None
    depots: Words = Field(default_factory=list)
    days: Annotated[int, Field(ge=1, le=7)] = 5
    floors: Words = Field(default_factory=list, description="GROUP:NAME:N, at least N homes.")
    unseen_weeks: Annotated[FiniteFloat, Field(ge=0)] | None = None
    risk_floor: Annotated[FiniteFloat, Field(ge=0, le=1)] | None = None
    changes: Words = Field(default_factory=list, description="Such as workers=+5.")
    policies: Words = Field(default_factory=list, description="Rules of a replay.")

    def asked(self) -> PlanningAsked:
        """The plan as the workflow takes it."""
        import pandas as pd

        from chw_tools.workflows.planning import PlanningAsked

        sent = self.model_dump(exclude={"stock"})
        given: dict[str, Any] = {
            name: tuple(v) if isinstance(v, list) else v for name, v in sent.items()
        }
        stock = None
        if self.stock is not None:
            stock = pd.DataFrame([batch.model_dump() for batch in self.stock])
        return PlanningAsked(**given, stock=stock)


class RunShown(BaseModel):
    """A kept plan: its figures, and its tables by name."""

    run_id: str
    kind: str
    as_of: date
    from_on: date | None
    made_at: str
    summary: dict[str, Any]
    tables: dict[str, list[dict[str, Any]]]


def run_shown(run: StoredRun) -> RunShown:
    """A kept plan as JSON can hold it."""
    return RunShown(
        run_id=run.id,
        kind=run.kind,
        as_of=run.as_of,
        from_on=run.from_on,
        made_at=run.made_at,
        summary=run.summary,
        tables={name: rows_of(DERIVED_TABLES[name], frame) for name, frame in run.tables.items()},
    )


class InForceSent(Sent):
    """That caseloads shall come into force; nothing does without saying so."""

    model_config = _with_example({"confirmed": True})

    confirmed: Literal[True]


class InForce(BaseModel):
    """The run of the caseloads that days and weeks go by now."""

    run_id: str


class RestSent(Sent):
    """Whose day is planned anew from when; or who falls ill."""

    model_config = _with_example({"worker_id": examples.WORKER, "at": "11:30"})

    worker_id: Key
    at: Annotated[str, Field(max_length=5, description="Time of the day, HH:MM.")]
    is_ill: StrictBool = Field(
        default=False, description="The worker cannot go on: stops go to others, or wait."
    )
    done: Keys = Field(
        default_factory=list, description="People seen whose visit is not recorded yet."
    )
    place: Key | None = Field(
        default=None, description="Person at whose home the worker is; else the last visit."
    )
    visit_on: date | None = None


class RestMade(BaseModel):
    """The rest of a day in figures; the lists are at ``/day``."""

    run_id: str
    visit_on: date
    n_done: int
    n_left: int
    n_waiting: int
    n_handed_over: int
    ends_at: dict[str, str]
    notes: list[str]


class OutcomeSent(Sent):
    """What a call came to."""

    model_config = _with_example({"outcome": "not_reachable", "on": "2026-01-05"})

    outcome: Annotated[str, Field(json_schema_extra={"enum": list(CALL_OUTCOMES)})]
    on: date | None = None
    event_id: Key | None = Field(
        default=None, description="Key given by the sender; sending it twice changes nothing."
    )


class OutcomeKept(BaseModel):
    """The key of what was kept of a call."""

    event_id: str


class VisitKept(BaseModel):
    """The key of a kept visit."""

    visit_id: str


class ChangeKept(BaseModel):
    """The key of a decision, by which it can be undone."""

    change_id: str


class PlanMade(BaseModel):
    """A plan in figures; the lists are at ``/day``."""

    run_id: str
    as_of: date
    visit_on: date
    n_visits: int
    n_unvisited: int
    notes: list[str]


class Alive(BaseModel):
    """That the process answers."""

    status: Literal["ok"]


class Health(BaseModel):
    """That the service can serve, and for whom it is."""

    status: Literal["ok"]
    population: str | None


class ErrorSaid(BaseModel):
    """What is wrong, where, and the cure; never what was sent."""

    error: str
    what: str
    where: str
    cure: str


def table_model(table: Table) -> type[BaseModel]:
    """The shape of one row of a declared table."""
    members: dict[str, Any] = {column.name: _member(column) for column in table.columns}
    return create_model(f"{table.name.title().replace('_', '')}Row", **members)


def rows_of(table: Table, frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a declared table as JSON can hold them: ISO days, null where missing."""
    shown = frame[table.column_names].copy()
    for name in table.columns_of("day"):
        shown[name] = shown[name].dt.strftime("%Y-%m-%d")
    held = shown.astype(object).where(shown.notna(), None)
    rows: list[dict[str, Any]] = held.to_dict("records")
    return rows


def _member(column: Column) -> tuple[Any, Any]:
    kinds: dict[str, Any] = {
        "number": float,
        "integer": int,
        "flag": bool,
        "day": date,
        "json": Any,
    }
    kind = kinds.get(column.kind, str)
    described: dict[str, Any] = {"description": column.meaning}
    if column.allowed:
        kind = Literal[column.allowed]
    if column.required:
        return (kind, Field(**described))
    return (kind | None if kind is not Any else Any, Field(default=None, **described))


RiskRow = table_model(DERIVED_TABLES["risks"])
RecommendationRow = table_model(DERIVED_TABLES["recommendations"])

#: Names that an error may repeat, because they are ours.
FIELD_NAMES = frozenset(
    {
        "body",
        "query",
        "path",
        "header",
        "worker_id",
        "visit_on",
        "person_id",
        "change_id",
        "task_id",
        "job_id",
        "run_id",
        "known_on",
    }
    | {field.name for field in fields(VisitEntry)}
    | {
        name
        for body in (
            SearchSent,
            MergeSent,
            MoveSent,
            UndoSent,
            OutcomeSent,
            PeopleSent,
            PlanSent,
            PlanningSent,
            RestSent,
            InForceSent,
            StockSent,
        )
        for name in body.model_fields
    }
)
