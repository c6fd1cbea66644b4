"""Advice as the declared table: in doing order, ranked, each column built once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from chw_tools.records.derived import RECOMMENDATIONS, URGENCIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    #: One text a row, or one for all of them.
    Texts: TypeAlias = Sequence[str] | str

#: Among equally urgent advice of one day: what to do, then what to measure, then the risk.
_KIND_ORDER = {"danger_sign": 0, "guideline": 1, "measure": 2, "risk": 3}
_TEXTS = ("rule_id", "kind", "urgency", "action", "reason", "source")
_WORDS = pd.StringDtype(na_value=np.nan)  # what "str" stands for


@dataclass
class Part:
    """What one rule, the vaccines or the risks say: rows of the table, by place of the person.

    ``urgency`` is the place in ``URGENCIES``, ``days`` counts from the day of the advice. A
    text that is the same in all rows stands once.
    """

    person: NDArray[np.intp]
    rule_id: str
    kind: str
    urgency: NDArray[np.int8]
    action: Texts
    reason: Texts
    source: Texts
    is_verified: bool | NDArray[np.bool_]
    days: NDArray[np.int64]


def advice_table(parts: Sequence[Part], people: pd.Index, as_of: pd.Timestamp) -> pd.DataFrame:
    """The parts as one table, by person and in doing order.

    Parameters
    ----------
    parts : sequence of Part
        In the order of the rules.
    people : Index
        Keys of the people.
    as_of : Timestamp
        The day.

    Returns
    -------
    DataFrame
        As declared in ``RECOMMENDATIONS``.
    """
    sizes = [len(part.person) for part in parts]
    person = _joined([part.person for part in parts]).astype(np.intp)
    level = _joined([part.urgency for part in parts])
    days = _joined([part.days for part in parts]).astype(np.int64)
    rule = np.repeat(np.arange(len(parts)), sizes)
    kind = np.repeat(np.array([_KIND_ORDER[p.kind] for p in parts], dtype=np.int8), sizes)
    order = np.lexsort((rule, kind, days, level, kind != 0, person))
    person = person[order]
    verified = _joined([np.full(n, p.is_verified) for p, n in zip(parts, sizes, strict=True)])
    columns = {
        "person_id": _keys(people).take(person),
        **_texts(parts, sizes, level, order),
        "is_verified": _flags(verified.astype(bool)[order]),
        "due_on": np.datetime64(as_of.date(), "s") + days[order].astype("timedelta64[D]"),
        "as_of": np.full(len(order), as_of.to_datetime64(), dtype="datetime64[s]"),
        "rank": _whole(_place(person)),
    }
    return pd.DataFrame({name: columns[name] for name in RECOMMENDATIONS.column_names}, copy=False)


def first_places(
    rank: NDArray[np.int64], due: NDArray[np.int64], most: int
) -> tuple[NDArray[np.bool_], pd.api.extensions.ExtensionArray]:
    """Which rows are the first few of their person, and their new ranks.

    What falls due first is among them: it takes the last place where it would have none.
    """
    first = np.flatnonzero(rank == 1)
    sizes = np.diff(np.append(first, len(rank)))
    is_first_due = due == np.repeat(np.minimum.reduceat(due, first), sizes)
    earliest = np.minimum.reduceat(np.where(is_first_due, rank, len(rank)), first).repeat(sizes)
    kept = (rank <= most - (earliest > most)) | (rank == earliest)
    return kept, _whole(_place(np.repeat(np.arange(len(first)), sizes)[kept]))


def _keys(people: pd.Index) -> pd.api.extensions.ExtensionArray:
    return people.array if people.dtype == _WORDS else people.astype(_WORDS).array


def _joined(arrays: Sequence[NDArray[np.generic]]) -> NDArray[np.generic]:
    return np.concatenate(arrays) if arrays else np.empty(0, dtype=np.int8)


def _texts(
    parts: Sequence[Part],
    sizes: Sequence[int],
    level: NDArray[np.generic],
    order: NDArray[np.intp],
) -> dict[str, pd.api.extensions.ExtensionArray]:
    """The columns of text: each part's texts are held once, and taken by place.

    All columns are made of one array, since making one costs more than filling it for one
    person.
    """
    held: list[Texts] = [URGENCIES]
    places: list[NDArray[np.intp]] = []
    starts = len(URGENCIES)
    for name in _TEXTS:
        if name == "urgency":
            places.append(level.astype(np.intp))
            continue
        texts = [getattr(part, name) for part in parts]
        for text, size in zip(texts, sizes, strict=True):
            is_one = isinstance(text, str)
            held.append((text,) if is_one else text)
            places.append(np.full(size, starts) if is_one else np.arange(starts, starts + size))
            starts += 1 if is_one else size
    every = pd.array(list(chain.from_iterable(held)), dtype=_WORDS)
    n = len(order)
    at = _joined(places).astype(np.intp).reshape(len(_TEXTS), n)[:, order]
    taken = every.take(at.ravel())
    return {name: taken[k * n : (k + 1) * n] for k, name in enumerate(_TEXTS)}


def _place(person: NDArray[np.intp]) -> NDArray[np.int64]:
    """Place of each row within its person, from 1; the people in order."""
    row = np.arange(len(person))
    starts = np.ones(len(person), dtype=bool)
    starts[1:] = person[1:] != person[:-1]
    place: NDArray[np.int64] = row - np.maximum.accumulate(np.where(starts, row, 0)) + 1
    return place


def _whole(values: NDArray[np.int64]) -> pd.arrays.IntegerArray:
    return pd.arrays.IntegerArray(values.astype(np.int64), np.zeros(len(values), dtype=bool))


def _flags(values: NDArray[np.bool_]) -> pd.arrays.BooleanArray:
    return pd.arrays.BooleanArray(values, np.zeros(len(values), dtype=bool))
