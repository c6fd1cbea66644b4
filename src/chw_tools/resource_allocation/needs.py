"""Who needs a visit: one row per person, with urgency, due day and the weight in the order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from chw_tools.records.derived import URGENCIES, URGENCY_LEVEL
from chw_tools.resource_allocation.required import MUST, as_advice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chw_tools.programme import Programme

#: A follow-up weighs so many times the longest overdue advice: a decision of this project.
_ASKED = 2.0
_GUIDELINE = "what cannot wait, then urgency and days overdue for the minutes they take"


class Benefit(NamedTuple):
    """Expected benefit of a visit from the risk of one outcome, by person; zero is none."""

    by_person: pd.Series
    score: pd.Series
    note: str


def needs(
    recommendations: pd.DataFrame,
    benefit: Benefit,
    *,
    programme: Programme,
    visit_on: pd.Timestamp,
    follow_ups: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """One row per person with advice or a follow-up.

    Parameters
    ----------
    recommendations : DataFrame
        As declared.
    benefit : Benefit
    programme : Programme
    visit_on : Timestamp
        The day planned, or the first of them.
    follow_ups : DataFrame, optional
        As declared in ``REQUIRED_VISITS``.

    Returns
    -------
    DataFrame
        Indexed by ``person_id``: ``urgency`` (most urgent), ``level``, ``is_must``,
        ``due_on`` (earliest), ``overdue_days``, ``reason`` and ``reason_due_on`` (of the
        first advice), ``floor`` and ``value``. The floor is the largest weight of any of the
        advice, each grown by its own days overdue; the value is that or the expected
        benefit, if larger.
    """
    plan = programme.planning
    rows = _advice(recommendations, follow_ups, visit_on).sort_values(
        ["person_id", "rank"], kind="stable"
    )
    overdue = (visit_on - rows["late_after"]).dt.days.clip(lower=0)
    growth = (1.0 + overdue / plan.overdue_doubling_days).clip(upper=plan.overdue_most)
    is_routine = (rows["level"] == URGENCY_LEVEL["routine"]) & ~rows["is_follow_up"]
    weight = growth * np.where(is_routine, plan.weight_routine, plan.weight_within_days)
    # What somebody asked for goes before all that can wait.
    most = plan.weight_within_days * plan.overdue_most
    weight = weight.where(~rows["is_follow_up"], _ASKED * most)
    rows = rows.assign(overdue_days=overdue, growth=growth, floor=weight)
    table = rows.groupby("person_id", sort=True).agg(
        level=("level", "min"),
        due_on=("due_on", "min"),
        overdue_days=("overdue_days", "max"),
        growth=("growth", "max"),
        floor=("floor", "max"),
        reason=("reason", "first"),
        reason_due_on=("due_on", "first"),
    )
    table["urgency"] = np.array(URGENCIES, dtype=object)[table["level"].to_numpy()]
    table["is_must"] = table["urgency"].isin(MUST)
    expected = benefit.by_person.reindex(table.index).fillna(0.0) * table["growth"]
    table["value"] = np.maximum(table["floor"], expected)
    table["by_risk"] = expected > table["floor"]
    table["score"] = benefit.score.reindex(table.index)
    return table


def _advice(
    recommendations: pd.DataFrame, follow_ups: pd.DataFrame | None, visit_on: pd.Timestamp
) -> pd.DataFrame:
    """Advice and follow-ups as rows of one shape."""
    columns = ["person_id", "rank", "due_on", "reason"]
    advice = recommendations[columns].assign(
        level=recommendations["urgency"].map(URGENCY_LEVEL).astype("int64"),
        late_after=recommendations["due_on"],
        is_follow_up=False,
    )
    if follow_ups is None or not len(follow_ups):
        return advice
    return pd.concat([advice, as_advice(follow_ups, recommendations, visit_on=visit_on)])


def expected_benefit(
    risks: pd.DataFrame, people: pd.Index, *, outcome: str | None, programme: Programme
) -> Benefit:
    """Risk times what a visit takes off it, where the programme declares such an effect.

    A person whose risk is not known counts as the average of those estimated: not known is
    not low. Where no effect is declared, the benefit is zero for everybody and the score
    only decides between equals.
    """
    none = pd.Series(0.0, index=people)
    if outcome is None:
        return Benefit(none, none, f"Order: {_GUIDELINE}.")
    rows = risks[(risks["outcome"] == outcome) & (risks["state"] == "estimated")]
    risk = rows.drop_duplicates("person_id").set_index("person_id")["risk"].reindex(people)
    effect = programme.effect_for(outcome)
    if effect is None or risk.notna().sum() == 0:
        said = f"Order: {_GUIDELINE}; the score of {outcome} decides between equals."
        return Benefit(none, risk.fillna(0.0), said)
    known = "read" if effect.verified else "to be confirmed"
    note = (
        f"Order: what cannot wait, then the larger of the guideline's weight and expected benefit "
        f"(risk of {outcome} times {effect.reduction:.0%}, {known}), growing with days overdue, "
        "for the minutes it takes."
    )
    n_unknown = int(risk.isna().sum())
    if n_unknown:
        note += f" {n_unknown} people without an estimate count as the average."
    filled = risk.fillna(float(risk.mean()))
    return Benefit(filled * effect.reduction, filled, note)


def why(table: pd.DataFrame, *, with_score: bool) -> NDArray[np.object_]:
    """The reason of each visit: the first advice's, and what put it on today's list."""
    score = " and the risk score" if with_score else ""
    because = np.select(
        [table["is_must"], table["is_further"], table["by_risk"], table["overdue_days"] > 0],
        [
            "",
            " Seen with others at the same home.",
            " Put forward because of the risk.",
            f" Ordered by urgency, days overdue{score}.",
        ],
        default=f" Ordered by urgency, day due{score}.",
    )
    return np.asarray(table["reason"].astype("object") + because, dtype=object)
