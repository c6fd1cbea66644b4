"""Declared tables of follow-up and outreach: what is owed to whom, said to whom, and by whom.

Unlike the register's events, rows of :data:`WORK_TABLES` change: each is the present state of
one of the state machines, changed only by compare-and-swap. The rows whose name ends in
``_events`` are the diary of those changes and are only ever added.
"""

from __future__ import annotations

from chw_tools.records.columns import Column, Table
from chw_tools.records.derived import URGENCIES

CHANNELS = ("sms", "whatsapp", "email", "call", "visit")
#: Channels that a message goes out by; the others are a human's work.
MESSAGE_CHANNELS = ("sms", "whatsapp", "email")

MESSAGE_STATES = (
    "planned",
    "due",
    "sending",
    "accepted",
    "sent",
    "delivered",
    "read",
    "retry_wait",
    "unknown",
    "suppressed",
    "cancelled",
    "expired",
    "failed",
)
INBOUND_STATES = (
    "received",
    "opted_out",
    "opted_in",
    "helped",
    "flagged",
    "answered",
    "asked_who",
    "to_a_human",
    "looping",
)
ENROLMENT_STATES = ("active", "goal_met", "withdrawn", "escalated", "resolved", "closed", "expired")
FOLLOW_UP_STATES = ("open", "closed")
TASK_KINDS = ("call", "visit", "read_reply", "red_flag", "supervise")
TASK_STATES = (
    "requested",
    "received",
    "accepted",
    "in_progress",
    "completed",
    "failed",
    "cancelled",
)
#: What a call or a visit of follow-up can come to.
CALL_OUTCOMES = (
    "agreed",
    "call_later",
    "not_reachable",
    "visited_elsewhere",
    "moved",
    "refused",
    "died",
    "wrong_number",
)


def _id(what: str) -> Column:
    return Column("id", "id", f"Key of the {what}, a UUID version 7.", required=True)


def _person(*, required: bool = True) -> Column:
    return Column("person_id", "id", "Whom it is about.", required=required, refers_to="people")


def _state(allowed: tuple[str, ...]) -> tuple[Column, Column]:
    return (
        Column("state", "choice", "Where it stands.", required=True, allowed=allowed),
        Column("reason", "text", "Why it stands there, by a key of the programme's texts."),
    )


_MADE = (
    Column("made_at", "instant", "When the row was made.", required=True),
    Column("changed_at", "instant", "When its state last changed.", required=True),
)

FOLLOW_UPS = Table(
    "follow_ups",
    "Something found that somebody must follow up; closed only by a recorded outcome.",
    (
        _id("follow-up"),
        Column(
            "dedupe_key",
            "text",
            "Rule, person and occasion: the same finding is raised once.",
            required=True,
        ),
        _person(),
        Column("rule_id", "text", "Monitoring rule that raised it.", required=True),
        Column("urgency", "choice", "How soon.", required=True, allowed=URGENCIES),
        *_state(FOLLOW_UP_STATES),
        Column("facts", "json", "What it rests on, for the sentence shown; never logged."),
        Column("as_of", "day", "Day whose knowledge it rests on.", required=True),
        Column("due_from", "day", "First day on which it may be followed up.", required=True),
        Column("due_by", "day", "Last day by which it must be.", required=True),
        Column("outcome", "text", "What came of it."),
        Column("closed_on", "day", "Day it was closed."),
        *_MADE,
    ),
)

ENROLMENTS = Table(
    "enrolments",
    "One person on one protocol of reminders, from an anchor day to its end.",
    (
        _id("enrolment"),
        Column("dedupe_key", "text", "Person, protocol and anchor: enrolled once.", required=True),
        _person(),
        Column("follow_up_id", "id", "Follow-up that it serves."),
        Column("protocol", "text", "Protocol, by its name in the programme.", required=True),
        Column("protocol_version", "integer", "Version of the protocol.", required=True, low=1),
        Column(
            "anchor_on", "day", "Day the steps count from: due, discharge, finding.", required=True
        ),
        Column("goal_from", "day", "A visit from this day on meets the goal; else the anchor."),
        *_state(ENROLMENT_STATES),
        Column("experiment", "text", "Experiment that the person takes part in."),
        Column("arm", "text", "Arm of it."),
        Column("closed_on", "day", "Day it ended."),
        *_MADE,
    ),
)

MESSAGES = Table(
    "messages",
    "One message to one person, from plan to receipt (the outbox).",
    (
        _id("message"),
        Column(
            "dedupe_key",
            "text",
            "enrolment:step:occurrence:template version:channel; sent once.",
            required=True,
        ),
        _person(),
        Column("enrolment_id", "id", "Enrolment whose step it is."),
        Column("purpose", "text", "Purpose that consent must cover.", required=True),
        Column("step", "text", "Step of the protocol, or `reply`.", required=True),
        Column("occurrence", "integer", "Which time this step comes, from 1.", required=True),
        Column("channel", "choice", "By what means.", required=True, allowed=MESSAGE_CHANNELS),
        Column("template", "text", "Template, by its name in the programme.", required=True),
        Column("template_version", "integer", "Version of it.", required=True, low=1),
        Column("language", "text", "Language sent in, as a BCP 47 tag."),
        Column("variables", "json", "Values that the template is filled with; never logged."),
        Column(
            "number",
            "text",
            "Number or address it goes to, E.164 for telephones.",
            identifying=True,
        ),
        *_state(MESSAGE_STATES),
        Column("is_urgent", "flag", "May pass the caps; never consent.", required=True),
        Column("priority", "integer", "Lower goes first.", required=True),
        Column("due_at", "instant", "Not before; moved by quiet hours and retries.", required=True),
        Column("not_after", "instant", "Stale after this; then expired.", required=True),
        Column("attempt", "integer", "Hand-overs tried.", required=True, low=0),
        Column("lease_token", "text", "Claim of the worker that holds it."),
        Column("lease_until", "instant", "When the claim lapses."),
        Column("handed_at", "instant", "When the hand-over to the provider began."),
        Column("client_ref", "id", "Our reference, told to the provider where it takes one."),
        Column("provider", "text", "Gateway it went by."),
        Column("provider_id", "text", "The provider's own reference."),
        Column("segments", "integer", "Segments it takes.", low=1),
        Column("experiment", "text", "Experiment it belongs to."),
        Column("arm", "text", "Arm of it."),
        *_MADE,
    ),
)

MESSAGE_EVENTS = Table(
    "message_events",
    "One change of state of one message; only ever added.",
    (
        _id("change"),
        Column("message_id", "id", "The message.", required=True),
        _person(),
        Column("from_state", "text", "State before; empty at its making."),
        Column("to_state", "text", "State after.", required=True),
        Column("reason", "text", "Why, by key."),
        Column("attempt", "integer", "Hand-over it belongs to."),
        Column("by", "text", "Worker process, callback or act that made it.", required=True),
        Column("at", "instant", "When.", required=True),
    ),
)

RECEIPTS = Table(
    "receipts",
    "One report of a provider on a message, also where the message is not known (yet).",
    (
        _id("receipt"),
        Column("provider", "text", "Gateway.", required=True),
        Column("provider_id", "text", "The provider's reference.", required=True),
        Column("state", "text", "State it reports, in our words.", required=True),
        Column("reason", "text", "Why, by key, where it failed."),
        Column("message_id", "id", "The message, once known."),
        Column("received_at", "instant", "When it came first.", required=True),
    ),
)

CONTACT_POINTS = Table(
    "contact_points",
    "One number or address: what holds for it, whoever shares it.",
    (
        Column("number", "text", "E.164 number, or address.", required=True, identifying=True),
        Column(
            "kind",
            "choice",
            "What sort of number.",
            required=True,
            allowed=("mobile", "landline", "email", "unknown"),
        ),
        Column("is_opted_out", "flag", "STOP was said from it.", required=True),
        Column("opted_out_at", "instant", "When."),
        Column("is_bad", "flag", "Found not to work for messages.", required=True),
        Column("bad_reason", "text", "Why, by key."),
        Column("changed_at", "instant", "When the row last changed.", required=True),
    ),
    key="number",
)

INBOUND_MESSAGES = Table(
    "inbound_messages",
    "One message received, and what was made of it.",
    (
        _id("message"),
        Column("provider", "text", "Gateway it came by.", required=True),
        Column("provider_id", "text", "The provider's reference; taken once.", required=True),
        Column("channel", "choice", "By what means.", required=True, allowed=MESSAGE_CHANNELS),
        Column("number", "text", "Number it came from.", required=True, identifying=True),
        _person(required=False),
        Column("answers_id", "id", "Message of ours that it answers."),
        Column("text", "text", "What was written, as received.", identifying=True),
        *_state(INBOUND_STATES),
        Column("received_at", "instant", "When.", required=True),
        Column("changed_at", "instant", "When its state last changed.", required=True),
    ),
)

TASKS = Table(
    "tasks",
    "Something a human is asked to do: call, visit, read a reply, step in.",
    (
        _id("task"),
        Column("dedupe_key", "text", "What asks for it: asked once.", required=True),
        _person(required=False),
        Column("kind", "choice", "What sort.", required=True, allowed=TASK_KINDS),
        Column("urgency", "choice", "How soon.", required=True, allowed=URGENCIES),
        *_state(TASK_STATES),
        Column("follow_up_id", "id", "Follow-up that it serves."),
        Column("enrolment_id", "id", "Enrolment that it serves."),
        Column("inbound_id", "id", "Message received that it is about."),
        Column("worker_id", "id", "Who is asked.", refers_to="workers"),
        Column("due_on", "day", "Day by which to do it.", required=True),
        Column("snoozed_until", "day", "Not shown before."),
        Column("tries", "integer", "Calls or visits tried.", required=True, low=0),
        Column("outcome", "text", "What came of it, of the call outcomes."),
        *_MADE,
    ),
)

TASK_EVENTS = Table(
    "task_events",
    "One try or decision on one task; only ever added.",
    (
        _id("event"),
        Column("task_id", "id", "The task.", required=True),
        _person(required=False),
        Column("to_state", "text", "State after.", required=True),
        Column("outcome", "text", "What came of the try.", allowed=CALL_OUTCOMES),
        Column("by", "text", "Who, by role or key; never a name.", required=True),
        Column("at", "instant", "When.", required=True),
    ),
)

CHANNEL_STATES = Table(
    "channel_states",
    "Whether a channel may send, and how much it sent today; `*` is the switch of all.",
    (
        Column("channel", "text", "Channel, or `*`.", required=True),
        Column("is_stopped", "flag", "A person stopped it (the kill switch).", required=True),
        Column("is_broken", "flag", "The provider refuses the whole account.", required=True),
        Column("reason", "text", "Why, by key."),
        Column("budget_day", "day", "Day that the count is of."),
        Column("n_sent", "integer", "Segments handed over on that day.", required=True, low=0),
        Column("minute_at", "instant", "Minute that the rate is counted in."),
        Column("n_in_minute", "integer", "Messages handed over in it.", low=0),
        Column("changed_at", "instant", "When the row last changed.", required=True),
    ),
    key="channel",
)

EXPERIMENTS = Table(
    "experiments",
    "One comparison of ways to reach people, declared before it began.",
    (
        Column("name", "text", "Name, and key.", required=True),
        Column(
            "declared", "json", "Arms, shares, outcome, window, design, as declared.", required=True
        ),
        Column("salt", "text", "Key of the hash that gives the arm.", required=True),
        Column(
            "state",
            "choice",
            "Where it stands.",
            required=True,
            allowed=("running", "stopped", "read"),
        ),
        *_MADE,
    ),
    key="name",
)

EXPOSURES = Table(
    "exposures",
    "One person's arm in one experiment, from the first time it mattered.",
    (
        Column("dedupe_key", "text", "Experiment and person: exposed once.", required=True),
        Column("experiment", "text", "The experiment.", required=True),
        _person(),
        Column("arm", "text", "Arm of the person.", required=True),
        Column("exposed_on", "day", "Day the outcome window counts from.", required=True),
    ),
    key="dedupe_key",
)

#: Every table of follow-up and outreach, by name.
WORK_TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        FOLLOW_UPS,
        ENROLMENTS,
        MESSAGES,
        MESSAGE_EVENTS,
        RECEIPTS,
        CONTACT_POINTS,
        INBOUND_MESSAGES,
        TASKS,
        TASK_EVENTS,
        CHANNEL_STATES,
        EXPERIMENTS,
        EXPOSURES,
    )
}

#: Columns, or groups of them, that may occur once in a table.
UNIQUE: dict[str, tuple[tuple[str, ...], ...]] = {
    "follow_ups": (("dedupe_key",),),
    "enrolments": (("dedupe_key",),),
    "messages": (("dedupe_key",),),
    "receipts": (("provider", "provider_id", "state"),),
    "inbound_messages": (("provider", "provider_id"),),
    "tasks": (("dedupe_key",),),
}

#: What is looked up often enough to index.
INDEXED: dict[str, tuple[tuple[str, ...], ...]] = {
    "follow_ups": (("person_id",), ("state", "due_by")),
    "enrolments": (("person_id",), ("state",)),
    "messages": (
        ("state", "due_at"),
        ("state", "channel", "priority", "due_at"),
        ("person_id",),
        ("number", "handed_at"),
        ("provider", "provider_id"),
        ("enrolment_id",),
    ),
    "message_events": (("message_id",), ("person_id",)),
    "receipts": (("message_id",),),
    "inbound_messages": (("number", "received_at"), ("person_id",)),
    "tasks": (("state", "due_on"), ("person_id",), ("worker_id",)),
    "task_events": (("task_id",), ("person_id",)),
    "exposures": (("experiment",), ("person_id",)),
}
