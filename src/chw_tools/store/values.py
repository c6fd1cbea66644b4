"""Between a trusted frame and rows of plain values, the same for both databases.

A plain value is what both drivers take as it is: text, float, int, bool or None; days and
instants as ISO 8601 text. The digest of a row is taken over these, so it does not depend
on the database, on the order of columns, or on columns declared later.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa

from chw_tools.errors import TableFault
from chw_tools.records.columns import DTYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chw_tools.records import Table
    from chw_tools.records.columns import Kind

Row = tuple[Any, ...]

#: The key says which row, and the correction which row it follows; neither is content.
_NOT_CONTENT = ("id", "supersedes_id")
_WORDS = pd.StringDtype(na_value=np.nan)  # what "str" stands for


def plain_columns(table: Table, frame: pd.DataFrame) -> list[list[Any]]:
    """The declared columns as lists of plain values.

    Raises
    ------
    TableFault
        If a column holds what no database keeps (an infinite number, a NUL character), or a
        required one is missing.
    """
    columns = []
    for column in table.columns:
        values = _plain(frame[column.name], column.kind, where=f"{table.name}.{column.name}")
        if column.required and None in values:
            raise TableFault("must be given", where=f"{table.name}.{column.name}")
        columns.append(values)
    return columns


def _plain(series: pd.Series[Any], kind: Kind, *, where: str) -> list[Any]:
    if kind == "day":
        return _iso(series, "D")
    if kind == "instant":
        utc = series if series.dt.tz is None else series.dt.tz_convert("UTC").dt.tz_localize(None)
        return [value and f"{value}+00:00" for value in _iso(utc, "us")]
    if kind == "json":
        return [_json(value) for value in series.array]
    if kind == "number":
        values = series.to_numpy(dtype="float64") + 0.0  # no negative zero
        if np.isinf(values).any():
            raise TableFault("holds an infinite number", where=where)
    else:
        values = series.to_numpy(dtype=object)
    missing = series.isna().to_numpy()
    if missing.any():
        values = values.astype(object)
        values[missing] = None
    plain: list[Any] = values.tolist()
    if kind in ("text", "choice") and any(value is not None and "\x00" in value for value in plain):
        raise TableFault("holds a NUL character", where=where, cure="Remove it at the source.")
    return plain


def _iso(series: pd.Series[Any], unit: str) -> list[Any]:
    days = series.to_numpy(dtype=f"datetime64[{'s' if unit == 'D' else unit}]")
    texts: list[Any] = np.datetime_as_string(days, unit=unit).tolist()  # type: ignore[call-overload]
    if np.isnat(days).any():
        return [None if text == "NaT" else text for text in texts]
    return texts


_JSON_AS_KEPT = orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS

#: A NUL in JSON, which PostgreSQL cannot keep; an even number of backslashes before it.
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def as_json(value: Any) -> str:
    """JSON text of a plain structure, its keys in order."""
    text = orjson.dumps(value, option=_JSON_AS_KEPT, default=_plain_scalar).decode()
    return without_nul(text)


def without_nul(text: str) -> str:
    """JSON text with each NUL character shown as the replacement character."""
    return _NUL.sub("\\1\N{REPLACEMENT CHARACTER}", text) if "\\u0000" in text else text


def _json(value: Any) -> str | None:
    is_missing = value is None or (isinstance(value, float) and np.isnan(value))
    return None if is_missing else as_json(value)


def _plain_scalar(value: Any) -> Any:
    if value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    raise TypeError(f"cannot be kept: {type(value).__name__}")


def digest_rows(names: Sequence[str], rows: Iterable[Row]) -> list[str]:
    """Digests of the content of rows: 128 bits of BLAKE2b, as hexadecimal.

    Missing values do not enter, so that a column declared later changes no digest.
    """
    content = sorted((name, at) for at, name in enumerate(names) if name not in _NOT_CONTENT)
    digests = []
    for row in rows:
        held = {name: row[at] for name, at in content if row[at] is not None}
        digests.append(blake2b(orjson.dumps(held), digest_size=16).hexdigest())
    return digests


def digest_body(*parts: str | None) -> str:
    """One digest of a few texts."""
    return blake2b(orjson.dumps(parts), digest_size=16).hexdigest()


def frame_of(kinds: Sequence[tuple[str, Kind]], columns: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """Columns as fetched (in the order of ``kinds``) as a frame of trusted dtypes."""
    return pd.DataFrame(
        {name: _series(values, kind) for (name, kind), values in zip(kinds, columns, strict=True)}
    )


def series_of_texts(texts: pa.LargeStringArray) -> pd.Series[Any]:
    """Texts of Arrow as a column of trusted dtype, without a copy."""
    return pd.Series(pd.array(texts, dtype=_WORDS))


def _series(values: Sequence[Any], kind: Kind) -> pd.Series[Any]:
    if DTYPES[kind] == "str":
        # By way of Arrow: the driver gives texts and None only, so that none need be looked at.
        return series_of_texts(pa.array(values, pa.large_string()))
    if kind == "day":
        days = np.array(values, dtype="datetime64[D]")
        return pd.Series(days.astype("datetime64[s]"))
    if kind == "instant":
        return pd.to_datetime(pd.Series(values, dtype="object"), utc=True).astype(DTYPES[kind])
    if kind == "json":
        return pd.Series([None if v is None else orjson.loads(v) for v in values], dtype="object")
    if kind == "flag":
        # SQLite has no truth values: it gives 0 and 1.
        values = [None if value is None else bool(value) for value in values]
    return pd.Series(list(values), dtype=DTYPES[kind])
