"""Declared tables of planning over a longer time: stock, orders, posts and caseloads."""

from __future__ import annotations

from chw_tools.records.columns import Column, Table

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
    table.name: table for table in (STOCK, SUPPLY_ORDERS, COMMUNITY_NEEDS, POSTED, CASELOADS)
}
