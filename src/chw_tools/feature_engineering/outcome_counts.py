"""How many rows of an outcome ended in each state, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The states that have a label.
LABELLED = ("positive", "negative")
#: What becomes of a row, with the words for a report, in the order of telling.
STATES = {
    "positive": "with the outcome",
    "negative": "without",
    "excluded": "not of the population",
    "competing": "something came first",
    "not_matured": "too early to know",
    "not_observed": "not observed",
    "not_settled": "settled only after judging begins",
}
COUNT_COLUMNS = ("state", "why", "competing", "n")


def count_states(rows: pd.DataFrame) -> pd.DataFrame:
    """How many rows ended in each state, and why.

    Parameters
    ----------
    rows : DataFrame
        As :func:`chw_tools.feature_engineering.label_rows` gives them.

    Returns
    -------
    DataFrame
        :data:`COUNT_COLUMNS`. ``why`` is the rule that excluded; ``competing`` the event that
        came first, however the outcome counts it; both empty where there was none.
    """
    return sum_counts([rows.assign(n=1)])


def sum_counts(counts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Counts of several days together."""
    keys = list(COUNT_COLUMNS[:3])
    told = pd.concat([one[list(COUNT_COLUMNS)] for one in counts], ignore_index=True)
    told[keys] = told[keys].fillna("").astype("str")
    summed = told.groupby(keys, as_index=False)["n"].sum()
    order = summed["state"].map({state: at for at, state in enumerate(STATES)})
    placed = summed.assign(order=order).sort_values(["order", "why", "competing"])
    return placed[list(COUNT_COLUMNS)].reset_index(drop=True)


def add_state(counts: pd.DataFrame, state: str, n: int) -> pd.DataFrame:
    """The counts with so many labelled rows told of as left out for another reason."""
    if not n:
        return counts
    more = pd.DataFrame([[state, "", "", n]], columns=list(COUNT_COLUMNS))
    return sum_counts([counts, more])


def describe_counts(counts: pd.DataFrame) -> str:
    """The counts in a sentence.

    >>> rows = pd.DataFrame({"state": ["positive", "excluded"], "why": ["", "age"]})
    >>> describe_counts(count_states(rows.assign(competing="")))
    '2 asked about: 1 with the outcome; 1 not of the population (age 1)'
    """
    if counts.empty:
        return "nobody asked about"
    told = []
    for state, words in STATES.items():
        mine = counts[counts["state"] == state]
        if mine.empty:
            continue
        detail = mine["why"].where(mine["why"] != "", mine["competing"])
        named = mine.assign(detail=detail.str.replace("_", " "))
        named = named[named["detail"] != ""].groupby("detail", sort=False)["n"].sum()
        more = ", ".join(f"{name} {n:,}" for name, n in named.items())
        told.append(f"{mine['n'].sum():,} {words}" + (f" ({more})" if more else ""))
    asked = counts.loc[counts["state"] != "not_settled", "n"].sum()
    return f"{asked:,} asked about: " + "; ".join(told)
