"""From features and risks to what should be done, in doing order.

Every rule is tried on everybody at once; the guideline is the floor, and a risk can only
add to it or bring it forward.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from chw_tools.recommendations import risk as risk_advice
from chw_tools.recommendations import vaccines as vaccine_advice
from chw_tools.recommendations.advice_table import Part, advice_table, first_places
from chw_tools.recommendations.conditions import Columns, meets
from chw_tools.recommendations.reasons import filled
from chw_tools.recommendations.timing import due, urgency
from chw_tools.records.derived import URGENCIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Features
    from chw_tools.programme import Programme, Rule

_ROUTINE = URGENCIES.index("routine")
_WITHIN_DAYS = URGENCIES.index("within_days")


@dataclass
class _Advice:
    """One rule's answer, by person of the whole table."""

    rule: Rule
    mask: NDArray[np.bool_]
    days: NDArray[np.int64]
    urgency: NDArray[np.int8]
    contact: NDArray[np.int64]


def recommend(
    features: Features,
    risks: pd.DataFrame,
    *,
    programme: Programme,
    as_of: pd.Timestamp,
    vaccines: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The first few things to do for each person (``max_recommendations`` of the programme).

    Parameters
    ----------
    features : Features
        One row per living person; one person is a table of one row.
    risks : DataFrame
        As declared in ``RISKS``; may be empty.
    programme : Programme
        Rules, bands and intervals.
    as_of : Timestamp
        The day.
    vaccines : DataFrame, optional
        As of :func:`chw_tools.recommendations.vaccines_due`.

    Returns
    -------
    DataFrame
        As declared in ``RECOMMENDATIONS``, by person and rank. What falls due first for a
        person is always among them, so that a follow-up day agrees with all advice.
    """
    everything = all_recommendations(
        features, risks, programme=programme, as_of=as_of, vaccines=vaccines
    )
    return first_few(everything, int(programme.planning.max_recommendations))


def all_recommendations(
    features: Features,
    risks: pd.DataFrame,
    *,
    programme: Programme,
    as_of: pd.Timestamp,
    vaccines: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Everything to do for each person, in doing order; see :func:`recommend`."""
    columns = Columns(features.frame, programme.translation())
    columns.check(programme.features_of_rules)
    given = [advice for rule in programme.rules if (advice := _tried(columns, rule))]
    _drop_replaced(given)
    _wait_for_visits(given, len(columns))
    more = []
    if vaccines is not None and len(vaccines):
        more.append(_vaccine_part(vaccines, features.frame.index))
    high, at = risk_advice.highest_risks(risks, features.frame.index)
    if len(at):
        since = columns.numbers("days_since_visit")[at]
        soon = risk_advice.visit_due_days(high["band"], since, programme=programme)
        is_near = soon <= int(programme.planning.look_ahead_days)
        _bring_forward(given, at, soon, is_near)
        more.append(_risk_part(high[is_near], at[is_near], soon[is_near], programme))
    parts = [_part(columns, advice, as_of) for advice in given if np.count_nonzero(advice.mask)]
    parts += more
    return advice_table(parts, features.frame.index, as_of)


def follow_up_on(recommendations: pd.DataFrame, *, as_of: pd.Timestamp) -> pd.Series:
    """The day by which to see each person again: the earliest due day, not before ``as_of``.

    Returns
    -------
    Series
        Days, indexed by ``person_id``; no later than any of the person's advice asks for.
    """
    first = recommendations.groupby("person_id", sort=True)["due_on"].min()
    return first.clip(lower=as_of).rename("follow_up_on")


def first_few(everything: pd.DataFrame, most: int) -> pd.DataFrame:
    """The first few of each person; the last of them gives way to what is due earliest.

    Parameters
    ----------
    everything : DataFrame
        As of :func:`all_recommendations`.
    most : int
        How many are kept of each person; the rest is what stands under "more".
    """
    rank = everything["rank"].to_numpy(dtype=np.int64)
    if len(rank) == 0 or rank.max() <= most:
        return everything.copy(deep=False)
    kept, places = first_places(rank, everything["due_on"].to_numpy().astype(np.int64), most)
    few = everything[kept].reset_index(drop=True)
    few["rank"] = places
    return few


def _tried(columns: Columns, rule: Rule) -> _Advice | None:
    mask = meets(columns, rule)
    if not np.count_nonzero(mask):
        return None
    when = due(columns, rule)
    return _Advice(rule, mask & when.shown, when.days, urgency(rule, when.days), when.contact)


def _drop_replaced(given: Sequence[_Advice]) -> None:
    """Leave out what a firmer rule also says, unless it would have been sooner or more urgent."""
    by_id = {advice.rule.id: advice for advice in given}
    fired = {advice.rule.id: advice.mask.copy() for advice in given}
    for advice in given:
        for name in advice.rule.replaces:
            # A replaced rule that holds for nobody, or is switched off, is not there.
            other = by_id.get(name)
            if other is None:
                continue
            no_later = np.maximum(advice.days, 0) <= np.maximum(other.days, 0)
            no_less = advice.urgency <= other.urgency
            other.mask &= ~(fired[advice.rule.id] & no_later & no_less)


def _wait_for_visits(given: Sequence[_Advice], n: int) -> None:
    """What is done when somebody is there anyway is due with the first of the other advice."""
    never = np.iinfo(np.int64).max
    first = np.full(n, never)
    for advice in given:
        if not advice.rule.at_visit:
            first = np.minimum(first, np.where(advice.mask, advice.days, never))
    first = np.where(first == never, 0, first)
    for advice in given:
        if advice.rule.at_visit:
            advice.days = np.maximum(advice.days, np.maximum(first, 0))


def _bring_forward(
    given: Sequence[_Advice],
    at: NDArray[np.intp],
    soon: NDArray[np.int64],
    is_near: NDArray[np.bool_],
) -> None:
    """At high risk routine advice is due by the next visit; nothing becomes later."""
    for advice in given:
        routine = advice.urgency[at] == _ROUTINE
        who = at[routine]
        advice.days[who] = np.minimum(advice.days[who], soon[routine])
        advice.urgency[at[routine & is_near]] = _WITHIN_DAYS


def _part(columns: Columns, advice: _Advice, as_of: pd.Timestamp) -> Part:
    rule, at = advice.rule, np.flatnonzero(advice.mask)
    who, contact = columns.rows(at), advice.contact[at]
    action, reason = (
        filled(_text(columns, rule, part), who, rule, contact, as_of=as_of)
        for part in ("action", "reason")
    )
    return Part(
        person=at,
        rule_id=rule.id,
        kind=rule.kind,
        urgency=advice.urgency[at],
        action=action,
        reason=reason,
        source=rule.source,
        is_verified=rule.verified,
        days=advice.days[at],
    )


def _text(columns: Columns, rule: Rule, part: str) -> str:
    return columns.words.text(f"{rule.id}.{part}", getattr(rule, part))


def _vaccine_part(vaccines: pd.DataFrame, people: pd.Index) -> Part:
    at = people.get_indexer(vaccines["person_id"])
    asked = vaccines[at >= 0]
    return Part(
        person=at[at >= 0],
        rule_id=vaccine_advice.RULE_ID,
        kind="guideline",
        urgency=np.where(asked["is_late"].astype(bool), _WITHIN_DAYS, _ROUTINE).astype(np.int8),
        action=asked["action"].tolist(),
        reason=asked["reason"].tolist(),
        source=asked["source"].tolist(),
        is_verified=asked["is_verified"].to_numpy(dtype=bool),
        days=asked["days"].to_numpy(dtype=np.int64),
    )


def _risk_part(
    high: pd.DataFrame, at: NDArray[np.intp], soon: NDArray[np.int64], programme: Programme
) -> Part:
    return Part(
        person=at,
        rule_id=risk_advice.RULE_ID,
        kind="risk",
        urgency=np.full(len(high), _WITHIN_DAYS, dtype=np.int8),
        action=risk_advice.risk_actions(high, programme),
        reason=risk_advice.risk_reasons(high, programme.translation()),
        source=risk_advice.risk_sources(high, programme),
        is_verified=risk_advice.risk_are_verified(high, programme),
        days=soon,
    )
