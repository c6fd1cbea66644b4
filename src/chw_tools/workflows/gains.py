"""What a visit is worth, by the higher steps of the ladder: index, belief, or a forecaster.

Each rests on what a programme brings; while its visits are too few, the next step's gain
stands in, and a note says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import pandas as pd

from chw_tools.errors import InputError
from chw_tools.resource_allocation.choice import (
    ENOUGH_VISITED,
    HALF_TRUSTED,
    belief_benefit,
    estimate_transitions,
    index_benefit,
    steps_from_weeks,
)

if TYPE_CHECKING:
    from chw_tools.workflows.assess import Assessment

Step = Literal["index", "belief"]
STEPS: tuple[Step, ...] = ("index", "belief")
_WEEK = 7


class Gains(NamedTuple):
    """What a visit to each person is worth, and what a reader must know of it."""

    by_person: pd.Series
    notes: tuple[str, ...]
    transitions: pd.DataFrame


def gains_from_states(assessment: Assessment, states: pd.DataFrame, *, step: Step) -> Gains:
    """What a visit is worth where the states of people were recorded week by week.

    Parameters
    ----------
    assessment : Assessment
        Risks and people; a good week counts for as much as the person's risk.
    states : DataFrame
        ``person_id``, ``week`` (whole number), ``is_good``, ``is_visited``, ``stratum``.
    step : {"index", "belief"}
        ``index`` where the state is seen every week; ``belief`` where only at visits.

    Raises
    ------
    InputError
        If nobody in it is of this programme, or no two weeks of anybody follow each other.
    """
    people = assessment.features.frame.index
    this_week = (assessment.as_of - pd.Timestamp(0)).days // _WEEK
    # What was seen later is not known yet.
    known = states[states["person_id"].isin(people) & (states["week"] <= this_week)]
    steps = steps_from_weeks(known)
    if not len(steps):
        raise InputError(
            "no two weeks that follow each other were seen of anybody in the register.",
            where="states",
            cure="Use the keys of the register's people, and a row for each week.",
        )
    transitions = estimate_transitions(steps)
    last = (
        known[known["is_good"].notna()]
        .sort_values("week")
        .drop_duplicates("person_id", keep="last")
    )
    last = last.set_index("person_id").reindex(people)
    this_week = (assessment.as_of - pd.Timestamp(0)).days // _WEEK
    stratum, weight = last["stratum"].fillna(""), _risk(assessment, people)
    if step == "index":
        gain = index_benefit(stratum, last["is_good"], transitions=transitions, weight=weight)
    else:
        unseen = (this_week - last["week"]).clip(lower=1)
        gain = belief_benefit(
            stratum, last["is_good"], unseen, transitions=transitions, weight=weight
        )
    n_known = int(last["is_good"].notna().sum())
    return Gains(
        gain, _notes(step, transitions.is_enough, n_known, len(people)), transitions.table()
    )


def gains_from_forecast(assessment: Assessment, forecast: pd.Series) -> Gains:
    """What a forecaster of one's own says; whoever it leaves out counts as the average.

    Raises
    ------
    InputError
        If it names nobody of this programme.
    """
    people = assessment.features.frame.index
    own = forecast.reindex(people)
    n = int(own.notna().sum())
    if not n:
        raise InputError("the forecast names nobody of the register.", where="forecast")
    said = f"Order: what cannot wait, then your forecast ({n:,} of {len(people):,} people named)."
    return Gains(own.fillna(float(own.mean())), (said,), pd.DataFrame())


def _risk(assessment: Assessment, people: pd.Index) -> pd.Series:
    rows = assessment.risks
    own = rows[(rows["outcome"] == assessment.priority_outcome) & (rows["state"] == "estimated")]
    risk = own.drop_duplicates("person_id").set_index("person_id")["risk"].reindex(people)
    # Without any risk a good week is worth the same for everybody.
    return risk if risk.notna().any() else pd.Series(1.0, index=people)


def _notes(step: Step, is_enough: bool, n_known: int, n: int) -> tuple[str, ...]:
    name = "the index" if step == "index" else "the index at the belief since the last visit"
    rule = name if is_enough else "the next step's gain"
    said = [f"Order: what cannot wait, then {rule} ({n_known:,} of {n:,} people's state was seen)."]
    if not is_enough:
        said.append(
            f"Some stratum has fewer than {ENOUGH_VISITED} weeks after a visit: too few for the "
            "index, the next step's gain stands in."
        )
    else:
        said.append(
            "The index counts beside the next step's gain as far as the visits seen carry it: "
            f"half at {HALF_TRUSTED} in the stratum with the fewest, more where there were more."
        )
    said.append(
        "Where visits went to those who were worse, the difference between visited and "
        "unvisited is not what a visit does."
    )
    return tuple(said)
