"""What humans are asked to do: tasks as rows, their states, and the visits they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from chw_tools.outreach.machines import Machine
from chw_tools.records import Source, conform, empty_table
from chw_tools.records.contacting import TASK_STATES, TASKS
from chw_tools.records.derived import REQUIRED_VISITS
from chw_tools.records.ids import derived_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

#: Keys of what the toolkit itself makes are derived, so that making it twice makes one.
OURS = Source("chw")
#: States of a task that somebody still has to do.
OPEN = ("requested", "received", "accepted", "in_progress")
TASK = Machine(
    "task",
    "requested",
    {
        state: frozenset(TASK_STATES[TASK_STATES.index(state) + 1 :] if state in OPEN else ())
        for state in TASK_STATES
    },
)


def new_tasks(rows: Sequence[Mapping[str, Any]], *, now: datetime) -> pd.DataFrame:
    """Tasks as declared, of the same key where they are asked for again.

    Parameters
    ----------
    rows : sequence of mapping
        ``dedupe_key``, ``kind``, ``urgency``, ``due_on`` and what else a task holds.
    now : datetime
        When they are asked for.
    """
    if not rows:
        return empty_table(TASKS)
    frame = pd.DataFrame(list(rows))
    keys = frame["dedupe_key"].tolist()
    made = frame.assign(
        id=derived_ids(OURS, TASKS.name, keys),
        state="requested",
        tries=0,
        made_at=now,
        changed_at=now,
    )
    return conform(TASKS, made)


def required_visits(
    tasks: pd.DataFrame,
    follow_ups: pd.DataFrame,
    *,
    say: Callable[[str, Mapping[str, Any]], str],
) -> pd.DataFrame:
    """Open visit tasks as the planner takes them.

    Parameters
    ----------
    tasks, follow_ups : DataFrame
        As declared; follow-ups of the tasks.
    say : callable
        The sentence of a follow-up, from its rule and its facts.

    Returns
    -------
    DataFrame
        As declared in ``REQUIRED_VISITS``; of several tasks of a person all.
    """
    visits = tasks[(tasks["kind"] == "visit") & tasks["state"].isin(OPEN)]
    about = follow_ups.set_index("id")[["rule_id", "facts"]].to_dict("index")
    reasons = [
        say(found["rule_id"], found["facts"]) if (found := about.get(key)) else None
        for key in visits["follow_up_id"]
    ]
    asked = visits["made_at"].dt.tz_localize(None).dt.normalize()
    later = visits["snoozed_until"].fillna(asked.astype("datetime64[s]"))
    rows = pd.DataFrame(
        {
            "person_id": visits["person_id"],
            "due_from": pd.concat([asked.astype("datetime64[s]"), later], axis=1).max(axis=1),
            "due_by": visits["due_on"],
            "urgency": visits["urgency"],
            "reason_key": visits["reason"],
            "reason": pd.Series(reasons, index=visits.index, dtype="str"),
        }
    )
    return conform(REQUIRED_VISITS, rows.sort_values(["person_id", "due_by"]))
