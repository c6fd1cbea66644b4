"""Visits that must be made within a window: follow-ups asked for, and contacts due.

A follow-up (an escalated message, a check after a visit) raises its person: from ``due_from``
on where its urgency cannot wait, else on the last day of its window, and before that ahead of
all that can wait. Contacts of mothers and newborns (rules with a schedule) are required in
the week in which they are due.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from chw_tools.records import conform
from chw_tools.records.derived import REQUIRED_VISITS, URGENCY_LEVEL

if TYPE_CHECKING:
    from chw_tools.programme import Programme

#: Urgencies that no risk and no lack of minutes may push off the day's list.
MUST = ("emergency", "same_day")
_SAME_DAY, _WITHIN_DAYS, _ROUTINE = (
    URGENCY_LEVEL[name] for name in ("same_day", "within_days", "routine")
)
_LAST = 10_000
_NEVER = pd.Timestamp("2262-01-01").as_unit("s")


def living_follow_ups(
    follow_ups: pd.DataFrame | None, living: pd.Index
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The follow-ups of people who can be visited, and a note of the others.

    Parameters
    ----------
    follow_ups : DataFrame or None
        As declared in ``REQUIRED_VISITS``; ``reason`` may be left out.
    living : Index
        Keys of the people of the programme.
    """
    if follow_ups is None:
        return conform(REQUIRED_VISITS, pd.DataFrame()), ()
    rows = conform(REQUIRED_VISITS, follow_ups)
    known = living.get_indexer(pd.Index(rows["person_id"])) >= 0
    n = int((~known).sum())
    if not n:
        return rows, ()
    who = "1 follow-up names" if n == 1 else f"{n} follow-ups name"
    return rows[known], (f"{who} somebody who died, moved away or is not in the register.",)


def as_advice(
    follow_ups: pd.DataFrame, recommendations: pd.DataFrame, *, visit_on: pd.Timestamp
) -> pd.DataFrame:
    """Follow-ups as rows beside the advice: first of a person's where they are more urgent.

    Returns
    -------
    DataFrame
        ``person_id``, ``rank``, ``level`` (of urgency, as on ``visit_on``), ``due_on`` (first
        day), ``late_after``, ``reason``, ``is_follow_up`` (its window is open).
    """
    given = follow_ups["urgency"].map(URGENCY_LEVEL).astype("int64")
    is_open = follow_ups["due_from"] <= visit_on
    # The last day of a window is the day on which it must be done.
    is_now = (given <= _SAME_DAY) | (follow_ups["due_by"] <= visit_on)
    level = given.clip(upper=_SAME_DAY).where(is_now, _WITHIN_DAYS).where(is_open, _ROUTINE)
    advised = recommendations["urgency"].map(URGENCY_LEVEL).groupby(recommendations["person_id"])
    other = advised.min().reindex(follow_ups["person_id"]).fillna(_LAST).to_numpy()
    said = "A visit was asked for: " + follow_ups["reason_key"].str.replace("_", " ") + "."
    return pd.DataFrame(
        {
            "person_id": follow_ups["person_id"],
            "rank": (level >= other).astype("int64") * _LAST,
            "level": level,
            "due_on": follow_ups["due_from"],
            "late_after": follow_ups["due_by"],
            "reason": follow_ups["reason"].fillna(said),
            "is_follow_up": is_open,
        }
    )


def windows(
    follow_ups: pd.DataFrame,
    recommendations: pd.DataFrame,
    *,
    programme: Programme,
    first: pd.Timestamp,
    last: pd.Timestamp,
) -> pd.DataFrame:
    """Who must be visited between two days, and within which of them.

    Returns
    -------
    DataFrame
        By ``person_id``: ``required_from``, ``required_by`` (far off where any day will do).
        Windows that do not overlap count as the earlier.
    """
    asked = follow_ups[follow_ups["due_from"] <= last]
    asked = asked[["person_id", "due_from", "due_by"]]
    both = pd.concat([asked, _contacts(recommendations, programme, last)])
    from_day = both["due_from"].clip(lower=first)
    until = both["due_by"].clip(lower=first)
    grouped = both.assign(due_from=from_day, due_by=until).groupby("person_id")
    found = grouped.agg(
        required_from=("due_from", "max"),
        required_by=("due_by", "min"),
        earliest=("due_from", "min"),
    )
    empty = found["required_from"] > found["required_by"]
    found["required_from"] = found["required_from"].where(~empty, found["earliest"])
    return found[["required_from", "required_by"]]


def _contacts(
    recommendations: pd.DataFrame, programme: Programme, last: pd.Timestamp
) -> pd.DataFrame:
    """Contacts of mothers and newborns due by ``last``; so many days early still count."""
    early = {
        rule.id: pd.Timedelta(days=rule.schedule.early_days)
        for rule in programme.rules
        if rule.schedule is not None
    }
    rows = recommendations[
        recommendations["rule_id"].isin(list(early)) & (recommendations["due_on"] <= last)
    ]
    since = rows["due_on"] - pd.to_timedelta(rows["rule_id"].map(early))
    return pd.DataFrame(
        {
            "person_id": rows["person_id"],
            "due_from": since.astype("datetime64[s]"),
            "due_by": _NEVER,
        }
    )
