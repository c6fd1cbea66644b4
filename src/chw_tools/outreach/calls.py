"""Call lists: whom to call first, and what each outcome of a call does.

Outcomes as Simple words them (simple.org, appointment results), with `wrong number` beside.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd

from chw_tools.outreach.tasks import OPEN
from chw_tools.records.contacting import CALL_OUTCOMES
from chw_tools.records.derived import URGENCY_LEVEL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Effect:
    """What an outcome of a call or visit does.

    Parameters
    ----------
    after : str
        State of the task.
    snooze_days : int
        Days in which nobody is asked again, nor reminded.
    closes : bool
        Whether the follow-up ends with this outcome.
    visit : str
        Outcome of the telephone contact as a visit is recorded; empty where none is.
    change : str
        Decision about the register entry; empty where none is.
    withdraws : bool
        Whether consent to being reached is withdrawn.
    spoils : bool
        Whether the number that was called is somebody else's, so that no message goes to it.
    """

    after: str
    snooze_days: int = 0
    closes: bool = False
    visit: str = ""
    change: str = ""
    withdraws: bool = False
    spoils: bool = False


#: 30 and 7 days: Simple's snooze (as the outreach specification has it). A call that reached
#: nobody is tried again on another day.
EFFECTS: dict[str, Effect] = {
    "agreed": Effect("accepted", snooze_days=30, visit="seen"),
    "call_later": Effect("accepted", snooze_days=7, visit="seen"),
    "not_reachable": Effect("in_progress", snooze_days=1, visit="away"),
    "visited_elsewhere": Effect("completed", closes=True, visit="seen"),
    # Where somebody moved or died the decision says it, so that it can be taken back.
    "moved": Effect("completed", closes=True, change="moved"),
    "refused": Effect("completed", closes=True, visit="refused", withdraws=True),
    "died": Effect("completed", closes=True, change="died"),
    "wrong_number": Effect("failed", spoils=True),
}
assert set(EFFECTS) == set(CALL_OUTCOMES)  # noqa: S101 (a table that lacks one is no table)


def snoozed_until(outcome: str, *, on: date) -> date | None:
    """The first day on which a task is shown again; None where it was not put off.

    >>> from datetime import date
    >>> snoozed_until("call_later", on=date(2026, 3, 1))
    datetime.date(2026, 3, 8)
    """
    days = EFFECTS[outcome].snooze_days
    return on + timedelta(days=days) if days else None


def state_after(state: str, outcome: str) -> str:
    """The state of a task after an outcome: never a step back.

    >>> state_after("in_progress", "agreed")
    'in_progress'
    """
    after = EFFECTS[outcome].after
    if after in OPEN and state in OPEN and OPEN.index(after) < OPEN.index(state):
        return state
    return after


def call_list(tasks: pd.DataFrame, *, risks: Mapping[str, float], today: date) -> pd.DataFrame:
    """Open tasks in order of need: urgency, then risk, then days waiting.

    Parameters
    ----------
    tasks : DataFrame
        As declared.
    risks : mapping of str to float
        Risk that orders, by person. Whoever has none stands by urgency and days alone, after
        those of the same urgency whose risk is known to be above the middle.
    today : date
        The day; whoever is put off beyond it is not shown.

    Returns
    -------
    DataFrame
        The tasks with ``position`` (from 1), ``risk``, ``waiting_days`` and ``late_days``.
    """
    day = pd.Timestamp(today)
    asleep = tasks["snoozed_until"] > day
    shown = tasks[tasks["state"].isin(OPEN) & ~asleep]
    made = shown["made_at"].dt.tz_localize(None).dt.normalize()
    listed = shown.assign(
        level=shown["urgency"].map(URGENCY_LEVEL),
        risk=shown["person_id"].map(risks).astype("float64"),
        waiting_days=(day - made).dt.days,
        late_days=(day - shown["due_on"]).dt.days.clip(lower=0),
    )
    middle = listed["risk"].median()
    listed["need"] = listed["risk"].fillna(0.0 if pd.isna(middle) else middle)
    listed = listed.sort_values(
        ["level", "need", "waiting_days", "due_on", "id"],
        ascending=[True, False, False, True, True],
    )
    listed["position"] = _from_one(len(listed))
    return listed.drop(columns=["level", "need"]).reset_index(drop=True)


def _from_one(n: int) -> NDArray[np.int64]:
    import numpy as np

    return np.arange(1, n + 1, dtype="int64")
