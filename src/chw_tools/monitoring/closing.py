"""What ends a follow-up: something recorded since. Time alone never does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.monitoring.evidence import AT_FACILITY, IN_PERSON
from chw_tools.records import Code, load_catalogue
from chw_tools.records.condition_groups import group_members, load_code_groups

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from chw_tools.monitoring.evidence import Evidence
    from chw_tools.programme.monitoring import MonitoringRule
    from chw_tools.records import Catalogue

#: Outcomes of whoever is no longer there to be followed up.
GONE = ("died", "moved", "merged")
_EVENT = ["person_id", "what", "on", "known_on", "about"]
_CLOSED = {"id": "str", "outcome": "str", "closed_on": "datetime64[s]"}


def close_follow_ups(
    open_follow_ups: pd.DataFrame,
    found: pd.DataFrame,
    evidence: Evidence,
    *,
    rules: Sequence[MonitoringRule],
    catalogue: Catalogue | None = None,
) -> pd.DataFrame:
    """Which open follow-ups something recorded has ended, and what.

    A follow-up ends when what was found no longer stands *and* one of the things that its rule
    names happened after what it rests on, known since it was raised; or when its person died,
    moved away or was merged into another entry. What no longer stands because time passed, or
    because its rule was taken out, stays open for a human.

    Parameters
    ----------
    open_follow_ups : DataFrame
        As declared, state ``open``.
    found : DataFrame
        What :func:`~.finding.find_follow_ups` gives for the same evidence.
    evidence : Evidence
        The day's.
    rules : sequence of MonitoringRule
        The programme's.
    catalogue : Catalogue, optional
        What can be observed; the shipped one by default.

    Returns
    -------
    DataFrame
        ``id``, ``outcome`` (of :data:`GONE`, or of the closings of rules), ``closed_on``.
    """
    gone = _gone(open_follow_ups, evidence)
    stands = open_follow_ups["dedupe_key"].map(base_key).isin(found["dedupe_key"])
    rest = open_follow_ups[~stands & ~open_follow_ups["id"].isin(gone["id"])]
    events = _events(evidence, rest["person_id"].unique(), catalogue or load_catalogue())
    ended = _ended(rest, events, {rule.id: rule for rule in rules})
    ended = ended.assign(closed_on=evidence.as_of)
    both = pd.concat([gone, ended[list(_CLOSED)]], ignore_index=True)
    return both.astype(_CLOSED)


def base_key(dedupe_key: str) -> str:
    """The key of the finding itself, whichever time it is that it was raised.

    >>> base_key("unseen:p:2026-01-01#2")
    'unseen:p:2026-01-01'
    """
    return dedupe_key.partition("#")[0]


def _gone(follow_ups: pd.DataFrame, evidence: Evidence) -> pd.DataFrame:
    away = follow_ups[evidence.place(follow_ups["person_id"]) < 0]
    people = evidence.known.people.set_index("id")[["died_on", "moved_on"]]
    said = people.reindex(away["person_id"]).set_axis(away.index)
    outcome = np.where(said["died_on"].notna(), "died", "merged")
    outcome = np.where(said["died_on"].isna() & said["moved_on"].notna(), "moved", outcome)
    return pd.DataFrame({"id": away["id"], "outcome": outcome, "closed_on": evidence.as_of})


def _ended(
    rows: pd.DataFrame, events: pd.DataFrame, rules: dict[str, MonitoringRule]
) -> pd.DataFrame:
    """The first event of each follow-up that ends it."""
    since = pd.to_datetime(
        pd.Series([facts.get("day") for facts in rows["facts"]], index=rows.index, dtype="object")
    )
    since = since.astype("datetime64[s]").fillna(rows["as_of"])
    group = [str(facts.get("group", "")) for facts in rows["facts"]]
    open_ones = rows[["id", "person_id", "rule_id", "as_of"]].assign(since=since, group=group)
    both = open_ones.merge(events, on="person_id")
    later = (both["on"] > both["since"]) & (both["known_on"] >= both["as_of"])
    both = both[later]
    counts = [
        rule_id in rules and _counts(rules[rule_id], what, about, group)
        for rule_id, what, about, group in zip(
            both["rule_id"], both["what"], both["about"], both["group"], strict=True
        )
    ]
    both = both[np.array(counts, dtype=bool)].sort_values(["id", "on", "what"])
    return both.drop_duplicates("id").rename(columns={"what": "outcome"})


def _counts(rule: MonitoringRule, what: str, about: str, group: str) -> bool:
    if what not in rule.closes_on:
        return False
    if what == "measured":
        return not rule.observed() or about in rule.observed()
    return what != "supplied" or about == group


def _events(evidence: Evidence, people: Collection[str], catalogue: Catalogue) -> pd.DataFrame:
    """What happened to some people: who, what, when, known when, about what."""
    parts = [part for part in _kinds_of_events(evidence, people, catalogue) if len(part)]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype="object") for name in _EVENT}).astype(
            {"person_id": "str", "on": "datetime64[s]", "known_on": "datetime64[s]"}
        )
    return pd.concat(parts, ignore_index=True)[_EVENT].drop_duplicates()


def _kinds_of_events(
    evidence: Evidence, people: Collection[str], catalogue: Catalogue
) -> Iterator[pd.DataFrame]:
    known, wanted = evidence.known, list(people)
    visits = known.visits[known.visits["person_id"].isin(wanted)]
    visits = visits[visits["outcome"] == "seen"].rename(columns={"visited_on": "on"})
    for what, kinds in (("treated", AT_FACILITY), ("seen", IN_PERSON)):
        yield visits[visits["kind"].isin(kinds)].assign(what=what, about="")
    yield _measurements(known.observations, wanted, catalogue)
    given = known.immunisations[known.immunisations["person_id"].isin(wanted)]
    yield given.rename(columns={"given_on": "on"}).assign(what="vaccinated", about="")
    yield from _supplies(known.medications, wanted)
    answered = evidence.inbound[evidence.inbound["person_id"].isin(wanted)]
    day = answered["received_at"].dt.tz_localize(None).dt.normalize().astype("datetime64[s]")
    # An answer ends the silence of the same day.
    yield answered.assign(on=day + pd.Timedelta(days=1), known_on=day, what="answered", about="")


def _measurements(
    observations: pd.DataFrame, wanted: list[str], catalogue: Catalogue
) -> pd.DataFrame:
    rows = observations[
        observations["person_id"].isin(wanted) & observations["value_number"].notna()
    ]
    names = catalogue.by_code()
    about = [
        entry.name if (entry := names.get(Code(*pair))) else ""
        for pair in zip(rows["system"], rows["code"], strict=True)
    ]
    return rows.rename(columns={"observed_on": "on"}).assign(what="measured", about=about)


def _supplies(medications: pd.DataFrame, wanted: list[str]) -> Iterator[pd.DataFrame]:
    rows = medications[medications["person_id"].isin(wanted)]
    rows = rows.rename(columns={"started_on": "on"})
    groups = load_code_groups().medicines.values()
    for name, is_member in group_members(groups, rows["system"], rows["code"]).items():
        yield rows[is_member].assign(what="supplied", about=name)
