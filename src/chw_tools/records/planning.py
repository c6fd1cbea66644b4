"""Declared tables of planning: visits asked for, weeks, stock, orders, posts and caseloads."""

from __future__ import annotations

from chw_tools.records.columns import Column, Table
from chw_tools.records.urgencies import URGENCIES

#: What a plan takes as ``follow_ups``, whoever asks for them.
REQUIRED_VISITS = Table(
    "required_visits",
    "A visit that must be made in a window, beyond what the advice asks for.",
    (
        Column("person_id", "id", "Whom to visit.", required=True, refers_to="people"),
        Column("due_from", "day", "First day on which it may be made.", required=True),
        Column("due_by", "day", "Last day on which it is in time.", required=True),
        Column("urgency", "choice", "How soon.", required=True, allowed=URGENCIES),
        Column("reason_key", "text", "Key of the reason, such as `no_answer`.", required=True),
        Column("reason", "text", "The reason as a sentence; made from the key where missing."),
    ),
    key="person_id",
)

#: Why somebody is in a week: must be, unseen too long, a floor, benefit, chance, or at home
#: with somebody who is.
BECAUSE = ("required", "owed", "floor", "benefit", "explored", "together")

WEEK_VISITS = Table(
    "week_visits",
    "One person on one worker's round in a week.",
    (
        Column("person_id", "id", "Whom to visit.", required=True, refers_to="people"),
        Column("household_id", "id", "Household, where known.", refers_to="households"),
        Column("worker_id", "id", "Who visits.", required=True, refers_to="workers"),
        Column("visit_on", "day", "Day of the visit.", required=True),
        Column("position", "integer", "Place on the day's list, from 1.", required=True, low=1),
        Column("begins_minute", "number", "Minute of the day at which it begins.", "min", low=0),
        Column("urgency", "choice", "Most urgent advice.", required=True, allowed=URGENCIES),
        Column("is_must", "flag", "Whether it may not be displaced on that day.", required=True),
        Column("because", "choice", "What put it into the week.", required=True, allowed=BECAUSE),
        Column("reason", "text", "Why this person.", required=True),
        Column("due_on", "day", "Due day of the advice that is the reason."),
        Column("benefit", "number", "Expected benefit, the ordering weight."),
        Column("minutes", "number", "Minutes at the home.", "min", required=True, low=0),
        Column("travel_minutes", "number", "Minutes to walk there.", "min", low=0),
    ),
    key="person_id",
)

WEEK_WAITING = Table(
    "week_waiting",
    "One person with advice who is not visited in a week, and why.",
    (
        Column("person_id", "id", "Who waits.", required=True, refers_to="people"),
        Column("worker_id", "id", "Whose caseload.", refers_to="workers"),
        Column("urgency", "choice", "Most urgent advice.", required=True, allowed=URGENCIES),
        Column("reason", "text", "Why not this week.", required=True),
        Column("due_on", "day", "Earliest due day of the advice."),
        Column("benefit", "number", "Expected benefit, the ordering weight."),
        Column("is_due", "flag", "Whether it is due by the end of the week.", required=True),
        Column("is_displaced", "flag", "Whether a duty took the place.", required=True),
        Column("is_above_risk_floor", "flag", "Whether named for the risk.", required=True),
    ),
    key="person_id",
)

STOCK = Table(
    "stock",
    "One batch of one item at one place, as counted.",
    (
        Column("place_id", "text", "Worker or facility that holds it.", required=True),
        Column("item", "text", "Item, by its name in the programme's scope.", required=True),
        Column("batch", "text", "Batch number, where known."),
        Column("quantity", "number", "Units counted.", required=True, low=0),
        Column("expires_on", "day", "Last day of use; missing where it keeps."),
        Column("counted_on", "day", "Day of the count."),
    ),
    key="place_id",
)

SUPPLY_ORDERS = Table(
    "supply_orders",
    "What one place orders of one item, and what it is sent.",
    (
        Column("place_id", "text", "Worker or facility that orders.", required=True),
        Column("item", "text", "Item, by its name in the programme's scope.", required=True),
        Column("per_day", "number", "Units used a day, by the visits planned.", required=True),
        Column("days", "number", "Days until the next but one delivery.", "d", required=True),
        Column("expected", "number", "Units expected to be used in these days.", required=True),
        Column("spread", "number", "Standard deviation of that.", required=True, low=0),
        Column("level", "number", "Stock that lasts with the item's service level.", low=0),
        Column("safety", "number", "How much of it is for chance.", low=0),
        Column("usable", "number", "Units there that can be used before they expire.", low=0),
        Column("pack", "number", "Units in a pack.", required=True, low=1),
        Column("packs", "number", "Packs to order.", required=True, low=0),
        Column("packs_sent", "number", "Packs that depots can send.", required=True, low=0),
        Column("fill", "number", "Share of the order that is sent.", low=0, high=1),
    ),
    key="place_id",
)

COMMUNITY_NEEDS = Table(
    "community_needs",
    "What the people of one community need in a year.",
    (
        Column("area_id", "id", "The community; empty where no area is known.", required=True),
        Column("n_people", "integer", "People.", required=True, low=0),
        Column("n_homes", "integer", "Homes.", required=True, low=0),
        Column("visits", "number", "Visits a year that the scope asks for.", low=0),
        Column("stops", "number", "Stops at homes a year.", low=0),
        Column("visit_hours", "number", "Hours at homes a year.", "h", low=0),
        Column("travel_hours", "number", "Hours of walking a year, estimated.", "h", low=0),
        Column("hours", "number", "All hours a year.", "h", low=0),
        Column("travel_minutes", "number", "Walk to each stop, estimated.", "min", low=0),
        Column("latitude", "number", "Middle of its homes.", "deg", low=-90, high=90),
        Column("longitude", "number", "Middle of its homes.", "deg", low=-180, high=180),
        Column("is_rural", "flag", "Whether it is rural."),
    ),
    key="area_id",
)

POSTED = Table(
    "posted",
    "Posts planned at one community.",
    (
        Column("area_id", "id", "The community.", required=True, refers_to="areas"),
        Column("posts_before", "integer", "Posts there now.", required=True, low=0),
        Column("posts", "integer", "Posts planned.", required=True, low=0),
        Column("hours", "number", "Hours a year that its people need.", "h", low=0),
        Column("served", "number", "Share of them that posts near enough give.", low=0, high=1),
        Column("walk_minutes", "number", "Mean walk of those served, one way.", "min", low=0),
        Column("reason", "text", "Why a part is not served."),
    ),
    key="area_id",
)

CASELOADS = Table(
    "caseloads",
    "The worker planned for one home.",
    (
        Column("home", "id", "Household, or the person where none is known.", required=True),
        Column("worker_id", "id", "Worker planned.", refers_to="workers"),
        Column("worker_before", "id", "Worker until now.", refers_to="workers"),
        Column("load_minutes", "number", "Minutes a week.", "min", low=0),
        Column("reason", "text", "Why no worker is planned."),
    ),
    key="home",
)

PLANNING_TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        REQUIRED_VISITS,
        WEEK_VISITS,
        WEEK_WAITING,
        STOCK,
        SUPPLY_ORDERS,
        COMMUNITY_NEEDS,
        POSTED,
        CASELOADS,
    )
}
