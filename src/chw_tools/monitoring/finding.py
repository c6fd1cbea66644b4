"""Who must be followed up, and why: every rule over a population, or over one person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.monitoring import contacts, measured
from chw_tools.monitoring.readings import read_measures
from chw_tools.records import load_catalogue
from chw_tools.records.derived import URGENCIES, URGENCY_LEVEL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chw_tools.monitoring.evidence import Evidence
    from chw_tools.monitoring.found import Found
    from chw_tools.programme.monitoring import MonitoringRule
    from chw_tools.records import Catalogue

#: Columns of findings, in order; ``since`` is the day of what the finding rests on.
COLUMNS = (
    "dedupe_key",
    "person_id",
    "rule_id",
    "urgency",
    "facts",
    "as_of",
    "due_from",
    "due_by",
    "since",
)


def find_follow_ups(
    evidence: Evidence,
    *,
    rules: Sequence[MonitoringRule],
    catalogue: Catalogue | None = None,
) -> pd.DataFrame:
    """What the rules find in what is known at the end of a day.

    Parameters
    ----------
    evidence : Evidence
        Of a population, or of one person: the same answer.
    rules : sequence of MonitoringRule
        The programme's.
    catalogue : Catalogue, optional
        What can be observed; the shipped one by default.

    Returns
    -------
    DataFrame
        One row a person and rule at most, in the order of the rules and then of people's
        keys: :data:`COLUMNS`. A finding is the same one as long as its ``dedupe_key`` is.
    """
    catalogue = catalogue or load_catalogue()
    wanted = {name for rule in rules for name in (*rule.measures, *(a.measure for a in rule.any))}
    readings = read_measures(evidence, sorted(wanted), catalogue)
    parts = []
    for rule in rules:
        if rule.kind == "trend":
            found = measured.trends(evidence, rule, readings)
        elif rule.kind == "level":
            found = measured.levels(evidence, rule, readings)
        elif rule.kind == "referral":
            found = measured.referrals(evidence, rule, readings, catalogue)
        elif rule.kind == "care":
            found = contacts.care(evidence, rule, named=_named(rules))
        else:
            found = _NOT_HAPPENED[rule.kind](evidence, rule)
        parts.append(_rows(evidence, rule, found))
    return pd.concat(parts, ignore_index=True) if parts else _rows_of_none()


_NOT_HAPPENED = {
    "refill": contacts.refills,
    "unseen": contacts.unseen,
    "silent": contacts.silences,
}


def _named(rules: Iterable[MonitoringRule]) -> set[str]:
    return {name for rule in rules for name in rule.advice}


def _rows(evidence: Evidence, rule: MonitoringRule, found: Found) -> pd.DataFrame:
    people = evidence.ids.to_numpy()[found.place]
    own = URGENCY_LEVEL[rule.urgency]
    level = np.full(len(people), own) if found.level is None else np.minimum(found.level, own)
    return pd.DataFrame(
        {
            "dedupe_key": [
                f"{rule.id}:{person}:{occasion}"
                for person, occasion in zip(people, found.occasion, strict=True)
            ],
            "person_id": people,
            "rule_id": rule.id,
            "urgency": np.array(URGENCIES, dtype=object)[level],
            "facts": pd.Series(list(found.facts), dtype="object"),
            "as_of": evidence.as_of,
            "due_from": evidence.as_of,
            "due_by": evidence.as_of + pd.Timedelta(days=rule.due_days),
            "since": found.since.astype("datetime64[s]"),
        }
    ).astype(_DTYPES)


_DTYPES = {
    "dedupe_key": "str",
    "person_id": "str",
    "rule_id": "str",
    "urgency": "str",
    "as_of": "datetime64[s]",
    "due_from": "datetime64[s]",
    "due_by": "datetime64[s]",
    "since": "datetime64[s]",
}


def _rows_of_none() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=_DTYPES.get(name, "object")) for name in COLUMNS})
