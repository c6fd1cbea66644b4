"""Findings to follow-ups: raised once, and again where a word on the telephone did not help."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.monitoring.closing import GONE, base_key
from chw_tools.records import Source, conform
from chw_tools.records.contacting import FOLLOW_UPS
from chw_tools.records.ids import derived_ids

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from chw_tools.programme.monitoring import MonitoringRule

#: Keys of what the toolkit itself makes are derived, so that making it twice makes one.
OURS = Source("chw")


def raise_follow_ups(
    found: pd.DataFrame,
    held: pd.DataFrame,
    *,
    rules: Sequence[MonitoringRule],
    now: datetime,
) -> pd.DataFrame:
    """The follow-ups that are new, as declared.

    A finding is raised once. While one of the same person and rule is open no other is. One
    that a human closed is raised again after the rule's ``again_days`` if it still stands, as
    ``key#2``; one that a death or a move closed at once, if that was taken back; one that a
    record closed stands no longer, or rests on something else by now.

    Parameters
    ----------
    found : DataFrame
        Of :func:`~.finding.find_follow_ups`.
    held : DataFrame
        Every follow-up kept of these people, open or closed.
    rules : sequence of MonitoringRule
        The programme's.
    now : datetime
        When they are raised.
    """
    is_open = held["state"] == "open"
    busy = set(zip(held.loc[is_open, "person_id"], held.loc[is_open, "rule_id"], strict=True))
    pairs = zip(found["person_id"], found["rule_id"], strict=True)
    fresh = found[np.array([pair not in busy for pair in pairs], dtype=bool)]
    times = _times(fresh, held, {rule.id: rule.again_days for rule in rules})
    fresh = fresh[times > 0]
    times = times[times > 0]
    suffix = ["" if n == 1 else f"#{n}" for n in times]
    keys = [f"{key}{end}" for key, end in zip(fresh["dedupe_key"], suffix, strict=True)]
    made = fresh.assign(
        id=derived_ids(OURS, FOLLOW_UPS.name, keys),
        dedupe_key=keys,
        state="open",
        made_at=now,
        changed_at=now,
    )
    return conform(FOLLOW_UPS, made)


def _times(found: pd.DataFrame, held: pd.DataFrame, again: dict[str, int]) -> pd.Series:
    """Which time each finding is raised now: 1 the first, 0 not (yet) again."""
    based = held.assign(base=held["dedupe_key"].map(base_key))
    # Of whoever is here after all, a death or a move was taken back: nothing is waited for.
    by_word = based[~based["outcome"].isin(GONE)].groupby("base")["closed_on"].max()
    last = by_word.reindex(found["dedupe_key"]).set_axis(found.index)
    n = (
        based.groupby("base")
        .size()
        .reindex(found["dedupe_key"])
        .fillna(0)
        .set_axis(found.index)
        .astype("int64")
    )
    wait = pd.to_timedelta(found["rule_id"].map(again), unit="D")
    waits = (n > 0) & (found["as_of"] < last + wait)
    return (n + 1).mask(waits, 0)
