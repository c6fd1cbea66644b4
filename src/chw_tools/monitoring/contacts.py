"""Findings in what did not happen: care overdue, a medicine not fetched, nobody met, silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.monitoring.evidence import IN_PERSON, whole_days
from chw_tools.monitoring.found import Found, on_days, texts_of
from chw_tools.programme.monitoring import ANY_ADVICE
from chw_tools.records.condition_groups import group_members, load_code_groups
from chw_tools.records.derived import RISK_BANDS, URGENCY_LEVEL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from chw_tools.monitoring.evidence import Evidence
    from chw_tools.programme.monitoring import MonitoringRule

_STOPPED = ("stopped", "completed")
#: States of messages that reached the provider, as far as is known.
_SENT = ("accepted", "sent", "delivered", "read")
_DAY = pd.Timedelta(days=1)


def care(evidence: Evidence, rule: MonitoringRule, *, named: Iterable[str]) -> Found:
    """Whose advice of the rule's names is past its day; ``named`` are those of other rules."""
    rows = evidence.recommendations
    if ANY_ADVICE in rule.advice:
        rows = rows[~rows["rule_id"].isin([*named, *rule.but_not])]
    else:
        rows = rows[rows["rule_id"].isin(rule.advice)]
    late = (evidence.as_of - rows["due_on"]).dt.days > rule.overdue_days
    rows = rows[late]
    place = evidence.place(rows["person_id"])
    concerned = (place >= 0) & np.append(evidence.concerns(rule), False)[place]
    rows = rows.assign(place=place, level=rows["urgency"].map(URGENCY_LEVEL))[concerned]
    most = rows.groupby("place")["level"].min()
    rows = rows.sort_values(["place", "due_on", "rule_id"]).drop_duplicates("place")
    since = whole_days(rows["due_on"])
    days = texts_of(since)
    named_by = rows["rule_id"].tolist()
    return Found(
        rows["place"].to_numpy(dtype="int64"),
        since,
        [f"{rule_id}/{day}" for rule_id, day in zip(named_by, days, strict=True)],
        [
            {"day": day, "what": what}
            for day, what in zip(days, rows["action"].tolist(), strict=True)
        ],
        # What only sums up other advice leaves its urgency to the plan, which has all of it.
        None if ANY_ADVICE in rule.advice else most.reindex(rows["place"]).to_numpy("int64"),
    )


def refills(evidence: Evidence, rule: MonitoringRule) -> Found:
    """Whose supply of a medicine ended, and no new one is recorded.

    The end is the one on record; where only days of supply are, it is reckoned, but from the
    second supply on: a medicine that was noted once says nothing of when it runs out.
    """
    groups = load_code_groups().medicines
    rows = evidence.known.medications
    place = evidence.place(rows["person_id"])
    members = group_members([groups[name] for name in rule.medicines], rows["system"], rows["code"])
    parts = []
    for name in rule.medicines:
        which = members[name] & (place >= 0)
        if which.any():
            parts.append(_supplies(rows[which], place[which], rule).assign(group=name))
    if not parts:
        return on_days(np.array([], "int64"), np.array([], "datetime64[D]"), [])
    ends = pd.concat(parts)
    late = (evidence.as_of - ends["end"]).dt.days
    ends = ends[(late > rule.grace_days) & (late <= rule.fresh_days)]
    ends = ends[evidence.concerns(rule)[ends["place"].to_numpy()]]
    ends = ends.sort_values(["place", "end", "group"]).drop_duplicates("place")
    since = whole_days(ends["end"])
    days, what = texts_of(since), ends["group"].tolist()
    return Found(
        ends["place"].to_numpy(dtype="int64"),
        since,
        [f"{name}/{day}" for name, day in zip(what, days, strict=True)],
        [
            {"day": day, "what": groups[name].label, "group": name}
            for name, day in zip(what, days, strict=True)
        ],
    )


def _supplies(rows: pd.DataFrame, place: NDArray[np.int64], rule: MonitoringRule) -> pd.DataFrame:
    """``place`` and ``end`` of the newest supply of each person; without those stopped."""
    held = pd.DataFrame(
        {
            "place": place,
            "start": rows["started_on"].to_numpy(),
            "end": rows["ended_on"].to_numpy(),
            "stopped": rows["status"].isin(_STOPPED).to_numpy(),
        }
    ).sort_values(["place", "start", "end"])
    grouped = held.groupby("place")
    newest = grouped.tail(1).set_index("place")
    reckoned = newest["start"] + pd.Timedelta(days=rule.supply_days)
    reckoned = reckoned.where(grouped["start"].min() < grouped["start"].max())
    # What was given for longer and still lasts is no missed refill.
    end = grouped["end"].max().where(newest["end"].notna(), reckoned)
    end = end[~newest["stopped"]].dropna()
    return pd.DataFrame({"place": end.index.to_numpy(), "end": end.to_numpy()})


def unseen(evidence: Evidence, rule: MonitoringRule) -> Found:
    """Whose risk is in one of the bands, and whom nobody met for so many days."""
    worst = _worst_band(evidence, rule)
    entered = whole_days(evidence.people["known_on"])
    met = evidence.met(IN_PERSON)
    since = np.where(np.isnat(met), entered, met)
    unmet = (evidence.today - since).astype("int64") >= rule.days
    places = np.flatnonzero((worst >= 0) & unmet & evidence.concerns(rule)).astype("int64")
    bands = [RISK_BANDS[at] for at in worst[places]]
    return on_days(places, since[places], [{"what": band} for band in bands])


def _worst_band(evidence: Evidence, rule: MonitoringRule) -> NDArray[np.int64]:
    """Place of the highest band of each person that the rule names; -1 where there is none."""
    risks = evidence.risks
    named = risks[(risks["state"] == "estimated") & risks["band"].isin(rule.bands)]
    place = evidence.place(named["person_id"])
    level = named["band"].map({band: at for at, band in enumerate(RISK_BANDS)})
    worst = np.full(len(evidence.ids) + 1, -1, dtype="int64")
    np.maximum.at(worst, place, level.to_numpy(dtype="int64"))
    return worst[:-1]


def silences(evidence: Evidence, rule: MonitoringRule) -> Found:
    """Who did not answer a message that no protocol watches over, nor was met since.

    Messages of an enrolment are left out: its own ladder counts their silence.
    """
    rows = evidence.messages
    rows = rows[rows["state"].isin(_SENT) & rows["enrolment_id"].isna() & rows["handed_at"].notna()]
    place = evidence.place(rows["person_id"])
    concerned = (place >= 0) & np.append(evidence.concerns(rule), False)[place]
    rows = rows.assign(place=place)[concerned].sort_values(["place", "handed_at", "id"])
    rows = rows.drop_duplicates("place", keep="last")
    # What was known at the end of the day.
    until = (evidence.as_of + _DAY).tz_localize("UTC")
    waited = (until - rows["handed_at"]) / pd.Timedelta(hours=1)
    rows = rows[(waited >= rule.hours) & (waited <= rule.fresh_days * 24)]
    inbound = evidence.inbound[["person_id", "received_at"]].dropna()
    answered = inbound.groupby("person_id")["received_at"].max().reindex(rows["person_id"])
    sent = rows["handed_at"].to_numpy()
    met = evidence.met(IN_PERSON)[rows["place"].to_numpy(dtype="int64")]
    day = whole_days(rows["handed_at"].dt.tz_localize(None))
    silent = ~(answered.to_numpy() > sent) & ~(met >= day)
    places = rows["place"].to_numpy(dtype="int64")[silent]
    keys = rows["id"].to_numpy()[silent].tolist()
    days = texts_of(day[silent])
    return Found(places, day[silent], keys, [{"day": text} for text in days])
