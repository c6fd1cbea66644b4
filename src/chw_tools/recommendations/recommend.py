"""From features and risks to what should be done, in doing order.

Every rule is tried on everybody at once; the guideline is the floor, and a risk can only
add to it or bring it forward.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.programme.texts import FALLBACK_MARK, WRITTEN_IN
from chw_tools.recommendations import risk as risk_advice
from chw_tools.recommendations import vaccines as vaccine_advice
from chw_tools.recommendations.conditions import Columns, meets
from chw_tools.recommendations.reasons import filled
from chw_tools.recommendations.timing import due, urgency
from chw_tools.records import conform
from chw_tools.records.derived import RECOMMENDATIONS, URGENCIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Features
    from chw_tools.programme import Programme, Rule

_ROUTINE = URGENCIES.index("routine")
_WITHIN_DAYS = URGENCIES.index("within_days")
#: Among equally urgent advice of one day: what to do, then what to measure, then the risk.
_KIND_ORDER = {"danger_sign": 0, "guideline": 1, "measure": 2, "risk": 3}


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
    columns.check(programme.rules)
    given = [_tried(columns, rule) for rule in programme.rules]
    _drop_replaced(given)
    _wait_for_visits(given, len(columns))
    high = risk_advice.highest_risks(risks, features.frame.index)
    at = features.frame.index.get_indexer(high.index)
    soon = risk_advice.visit_due_days(
        high["band"], columns.numbers("days_since_visit")[at], programme=programme
    )
    near = int(programme.planning.look_ahead_days)
    _bring_forward(given, at, soon, near=near)
    parts = [_rows(columns, advice, as_of) for advice in given if advice.mask.any()]
    if vaccines is not None:
        parts.append(_vaccine_rows(vaccines, features.frame.index))
    is_near = soon <= near
    parts.append(_risk_rows(high[is_near], at[is_near], soon[is_near]))
    if columns.words.language != WRITTEN_IN:
        _mark_untranslated(parts)
    return _table(parts, features.frame.index, as_of)


def follow_up_on(recommendations: pd.DataFrame, *, as_of: pd.Timestamp) -> pd.Series:
    """The day by which to see each person again: the earliest due day, not before ``as_of``.

    Returns
    -------
    Series
        Days, indexed by ``person_id``; no later than any of the person's advice asks for.
    """
    first = recommendations.groupby("person_id", sort=True)["due_on"].min()
    return first.clip(lower=as_of).rename("follow_up_on")


def _tried(columns: Columns, rule: Rule) -> _Advice:
    mask = meets(columns, rule)
    if not mask.any():
        nobody = np.zeros(len(columns), dtype=np.int64)
        return _Advice(rule, mask, nobody, np.zeros(len(columns), dtype=np.int8), nobody)
    when = due(columns, rule)
    mask &= when.shown
    return _Advice(rule, mask, when.days, urgency(rule, when.days), when.contact)


def _drop_replaced(given: Sequence[_Advice]) -> None:
    """Leave out what a firmer rule also says, unless it would have been sooner or more urgent."""
    by_id = {advice.rule.id: advice for advice in given}
    fired = {advice.rule.id: advice.mask.copy() for advice in given}
    for advice in given:
        if not fired[advice.rule.id].any():
            continue
        for name in advice.rule.replaces:
            # A replaced rule that the programme has switched off is not there.
            other = by_id.get(name)
            if other is None or not other.mask.any():
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
    given: Sequence[_Advice], at: NDArray[np.intp], soon: NDArray[np.int64], *, near: int
) -> None:
    """At high risk routine advice is due by the next visit; nothing becomes later."""
    for advice in given:
        if not advice.mask.any():
            continue
        routine = advice.urgency[at] == _ROUTINE
        who = at[routine]
        advice.days[who] = np.minimum(advice.days[who], soon[routine])
        advice.urgency[at[routine & (soon <= near)]] = _WITHIN_DAYS


def _rows(columns: Columns, advice: _Advice, as_of: pd.Timestamp) -> dict[str, Any]:
    rule, mask = advice.rule, advice.mask
    n = int(mask.sum())
    who, contact = columns.rows(mask, rule.features()), advice.contact[mask]
    return {
        "person": np.flatnonzero(mask),
        "rule_id": [rule.id] * n,
        "kind": [rule.kind] * n,
        "urgency": advice.urgency[mask],
        "action": filled(_text(columns, rule, "action"), who, rule, contact, as_of=as_of),
        "reason": filled(_text(columns, rule, "reason"), who, rule, contact, as_of=as_of),
        "source": [rule.source] * n,
        "is_verified": [rule.verified] * n,
        "days": advice.days[mask],
    }


def _mark_untranslated(parts: Sequence[dict[str, Any]]) -> None:
    """Vaccines and risks are told in English so far, which the reader must see."""
    for part in parts:
        for name in ("action", "reason"):
            if set(part["rule_id"]) <= {vaccine_advice.RULE_ID, risk_advice.RULE_ID}:
                part[name] = [f"{FALLBACK_MARK}{text}" for text in part[name]]


def _text(columns: Columns, rule: Rule, part: str) -> str:
    return columns.words.text(f"{rule.id}.{part}", getattr(rule, part))


def _vaccine_rows(vaccines: pd.DataFrame, people: pd.Index) -> dict[str, Any]:
    at = people.get_indexer(vaccines["person_id"])
    asked = vaccines[at >= 0]
    texts = ("action", "reason", "source", "is_verified")
    return {
        "person": at[at >= 0],
        "rule_id": [vaccine_advice.RULE_ID] * len(asked),
        "kind": ["guideline"] * len(asked),
        "urgency": np.where(asked["is_late"].astype(bool), _WITHIN_DAYS, _ROUTINE).astype(np.int8),
        "days": asked["days"].to_numpy(dtype=np.int64),
        **{name: asked[name].tolist() for name in texts},
    }


def _risk_rows(high: pd.DataFrame, at: NDArray[np.intp], soon: NDArray[np.int64]) -> dict[str, Any]:
    n = len(high)
    return {
        "person": at,
        "rule_id": [risk_advice.RULE_ID] * n,
        "kind": ["risk"] * n,
        "urgency": np.full(n, _WITHIN_DAYS, dtype=np.int8),
        "action": ["Visit soon. Ask how things are and check for danger signs."] * n,
        "reason": risk_advice.risk_reasons(high),
        "source": risk_advice.risk_sources(high),
        "is_verified": [False] * n,
        "days": soon,
    }


def _table(parts: Sequence[dict[str, Any]], people: pd.Index, as_of: pd.Timestamp) -> pd.DataFrame:
    person = np.concatenate([part["person"] for part in parts]).astype(np.intp)
    level = np.concatenate([part["urgency"] for part in parts]).astype(np.intp)
    days = np.concatenate([part["days"] for part in parts])
    rule = np.repeat(np.arange(len(parts)), [len(part["person"]) for part in parts])
    texts = ("rule_id", "kind", "action", "reason", "source", "is_verified")
    columns = {name: [value for part in parts for value in part[name]] for name in texts}
    kind = np.array([_KIND_ORDER[value] for value in columns["kind"]], dtype=np.int8)
    order = np.lexsort((rule, kind, days, level, kind != 0, person))
    starts = _starts(person[order])
    table = pd.DataFrame(
        {
            "person_id": people.to_numpy()[person],
            **columns,
            "urgency": np.array(URGENCIES, dtype=object)[level],
            "due_on": (as_of + pd.to_timedelta(days, unit="D")).astype("datetime64[s]"),
            "as_of": as_of.as_unit("s"),
        }
    ).iloc[order]
    table["rank"] = _place(starts)
    return conform(RECOMMENDATIONS, table)


def first_few(everything: pd.DataFrame, most: int) -> pd.DataFrame:
    """The first few of each person; the last of them gives way to what is due earliest.

    Parameters
    ----------
    everything : DataFrame
        As of :func:`all_recommendations`.
    most : int
        How many are kept of each person; the rest is what stands under "more".
    """
    if everything.empty:
        return everything
    rank = everything["rank"].to_numpy(dtype=np.int64)
    days = everything["due_on"].to_numpy().astype(np.int64)
    first = np.flatnonzero(rank == 1)
    sizes = np.diff(np.append(first, len(rank)))
    is_first_due = days == np.repeat(np.minimum.reduceat(days, first), sizes)
    earliest = np.minimum.reduceat(np.where(is_first_due, rank, len(rank)), first).repeat(sizes)
    few = everything[(rank <= most - (earliest > most)) | (rank == earliest)].copy()
    few["rank"] = _place(few["person_id"].ne(few["person_id"].shift()).to_numpy())
    return few.reset_index(drop=True)


def _starts(person: NDArray[np.intp]) -> NDArray[np.bool_]:
    starts = np.ones(len(person), dtype=bool)
    starts[1:] = person[1:] != person[:-1]
    return starts


def _place(starts: NDArray[np.bool_]) -> pd.Series:
    """Place of each row within its person, from 1, given where each person starts."""
    row = np.arange(len(starts))
    return pd.array(row - np.maximum.accumulate(np.where(starts, row, 0)) + 1, dtype="Int64")
