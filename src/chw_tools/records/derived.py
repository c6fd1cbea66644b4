"""Declared tables that the stages produce: rejected rows, risks, advice, planned visits."""

from __future__ import annotations

from chw_tools.records.columns import Column, Table
from chw_tools.records.planning import PLANNING_TABLES, REQUIRED_VISITS
from chw_tools.records.urgencies import URGENCIES, URGENCY_LEVEL

__all__ = [
    "DERIVED_TABLES",
    "PLANNED_VISITS",
    "RECOMMENDATIONS",
    "REJECTED",
    "REQUIRED_VISITS",
    "RISKS",
    "RISK_BANDS",
    "RISK_STATES",
    "SHADOW_RISKS",
    "UNVISITED",
    "URGENCIES",
    "URGENCY_LEVEL",
]

RISK_STATES = ("estimated", "not_valid", "not_known")
RISK_BANDS = ("low", "moderate", "high", "very_high")

REJECTED = Table(
    "rejected",
    "A record that did not go in, and why.",
    (
        Column("table", "text", "Table it was meant for.", required=True),
        Column("at", "text", "File and line, or file and resource.", required=True),
        Column("column", "text", "Column at fault, where one is."),
        Column("reason", "text", "What is wrong, without the value.", required=True),
        Column("cure", "text", "What to do about it."),
        Column("body", "json", "The record as received, kept for mending; never printed."),
    ),
    key="at",
)

RISKS = Table(
    "risks",
    "One estimate of one person's risk as of a day; append-only.",
    (
        Column("person_id", "id", "Whom it is about.", required=True, refers_to="people"),
        Column("outcome", "text", "Outcome foreseen.", required=True),
        Column("as_of", "day", "Day whose knowledge it rests on.", required=True),
        Column(
            "state", "choice", "Whether there is an estimate.", required=True, allowed=RISK_STATES
        ),
        Column(
            "risk", "number", "Calibrated probability; missing unless estimated.", low=0, high=1
        ),
        Column("band", "choice", "Band of the risk.", allowed=RISK_BANDS),
        Column("reasons", "json", "List of {feature, label, value, effect}, largest effect first."),
        Column("note", "text", "Why there is no estimate, or what to add for a better one."),
        Column("model", "text", "Model or published score, with its version.", required=True),
        Column("model_digest", "text", "SHA-256 of the model.", required=True),
        Column("inputs_digest", "text", "SHA-256 of the person's inputs.", required=True),
    ),
    key="person_id",
)

#: A model on trial is kept beside the one in use, in a table that no list is made from.
SHADOW_RISKS = Table(
    "shadow_risks",
    "One estimate by a model on trial (the shadow); compared later, shown to nobody, "
    "ordering nothing; append-only.",
    RISKS.columns,
    key="person_id",
)

RECOMMENDATIONS = Table(
    "recommendations",
    "One thing to do for one person, in doing order.",
    (
        Column("person_id", "id", "For whom.", required=True, refers_to="people"),
        Column("rank", "integer", "Place in the doing order, from 1.", required=True, low=1),
        Column("rule_id", "text", "Rule that gave it.", required=True),
        Column(
            "kind",
            "choice",
            "What sort of advice.",
            required=True,
            allowed=("danger_sign", "guideline", "measure", "risk"),
        ),
        Column("urgency", "choice", "How soon.", required=True, allowed=URGENCIES),
        Column("action", "text", "What to do, in plain words.", required=True),
        Column("reason", "text", "Why, a sentence about this person.", required=True),
        Column("source", "text", "Guideline, page or table, year.", required=True),
        Column(
            "is_verified",
            "flag",
            "Whether the source was read; if not, to be confirmed.",
            required=True,
        ),
        Column("due_on", "day", "Day by which to do it.", required=True),
        Column("as_of", "day", "Day whose knowledge it rests on.", required=True),
    ),
    key="person_id",
)

PLANNED_VISITS = Table(
    "planned_visits",
    "One person on one worker's list for a day.",
    (
        Column("person_id", "id", "Whom to visit.", required=True, refers_to="people"),
        Column("household_id", "id", "Household, where known.", refers_to="households"),
        Column("worker_id", "id", "Who visits.", required=True, refers_to="workers"),
        Column("visit_on", "day", "Day of the visit.", required=True),
        Column("position", "integer", "Place on the list, from 1.", required=True, low=1),
        Column("urgency", "choice", "Most urgent advice.", required=True, allowed=URGENCIES),
        Column("is_must", "flag", "Whether it may not be displaced.", required=True),
        Column("reason", "text", "Why this person today.", required=True),
        Column("due_on", "day", "Earliest due day of the advice."),
        Column("overdue_days", "integer", "Days past due.", low=0),
        Column("benefit", "number", "Expected benefit, the ordering weight."),
        Column("minutes", "number", "Minutes at the home.", "min", required=True, low=0),
        Column(
            "travel_minutes", "number", "Minutes to walk there from the stop before.", "min", low=0
        ),
    ),
    key="person_id",
)

UNVISITED = Table(
    "unvisited",
    "One person who is due but not on the day's list, and why.",
    (
        Column("person_id", "id", "Who waits.", required=True, refers_to="people"),
        Column("worker_id", "id", "Whose caseload.", refers_to="workers"),
        Column("urgency", "choice", "Most urgent advice.", required=True, allowed=URGENCIES),
        Column("reason", "text", "Why not today.", required=True),
        Column("due_on", "day", "Earliest due day of the advice."),
        Column("benefit", "number", "Expected benefit, the ordering weight."),
    ),
    key="person_id",
)

DERIVED_TABLES: dict[str, Table] = {
    table.name: table
    for table in (REJECTED, RISKS, SHADOW_RISKS, RECOMMENDATIONS, PLANNED_VISITS, UNVISITED)
} | PLANNING_TABLES
