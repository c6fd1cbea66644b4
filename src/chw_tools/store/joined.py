"""Texts and days that the database joined to one text, taken apart by NumPy.

A value between two ends costs no object of Python. What cannot be told apart for certain,
since a value holds one of the two marks itself, is said so by None and read otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

#: Between two values: the unit separator of ASCII, which hardly any text holds.
END = "\x1f"
#: In place of a missing text: the record separator of ASCII.
NO_TEXT = "\x1e"
#: In place of a missing day: one of no calendar.
NO_DAY = "0000-00-00"
_END, _NO_TEXT, _DASH, _ZERO = (np.uint8(ord(mark)) for mark in (END, NO_TEXT, "-", "0"))
_DIGITS = (0, 1, 2, 3, 5, 6, 8, 9)


def split_texts(joined: bytes, n_rows: int, *, n_missing: int) -> pa.LargeStringArray | None:
    """Texts joined by :data:`END`, those missing as :data:`NO_TEXT`.

    Parameters
    ----------
    joined : bytes
        In UTF-8.
    n_rows, n_missing : int
        How many values there are (at least one), and how many of them are missing.

    Returns
    -------
    LargeStringArray or None
        None where a value holds a mark itself.

    Examples
    --------
    >>> split_texts("Ada\x1f\x1e".encode(), 2, n_missing=1).to_pylist()
    ['Ada', None]
    """
    if n_missing == n_rows:
        return pa.nulls(n_rows, pa.large_string())
    found = _split_equal(joined, n_rows) if not n_missing else None
    return _split_any(joined, n_rows, n_missing) if found is None else found


def _split_equal(joined: bytes, n_rows: int) -> pa.LargeStringArray | None:
    """Values that are all of one length, as keys and most codes are; else None."""
    width, rest = divmod(len(joined) + 1, n_rows)
    if rest:
        return None
    table = np.frombuffer(joined + END.encode(), dtype=np.uint8).reshape(n_rows, width)
    texts = np.ascontiguousarray(table[:, :-1])
    if not (table[:, -1] == _END).all() or (texts == _END).any():
        return None
    starts = np.arange(n_rows + 1, dtype=np.int64) * (width - 1)
    return _texts(starts, texts)


def _split_any(joined: bytes, n_rows: int, n_missing: int) -> pa.LargeStringArray | None:
    held = np.frombuffer(joined + END.encode(), dtype=np.uint8)
    ends = np.flatnonzero(held == _END)
    marks = held == _NO_TEXT
    if len(ends) != n_rows or np.count_nonzero(marks) != n_missing:
        return None
    first = np.concatenate([[0], ends[:-1] + 1])
    is_missing = marks[first]
    if np.count_nonzero(is_missing) != n_missing:
        return None
    starts = np.zeros(n_rows + 1, dtype=np.int64)
    np.cumsum(ends - first - is_missing, out=starts[1:])
    present = np.packbits(~is_missing, bitorder="little") if n_missing else None
    return _texts(starts, held[(held != _END) & ~marks], present)


def _texts(
    starts: NDArray[np.int64], texts: Bytes, present: Bytes | None = None
) -> pa.LargeStringArray:
    valid = None if present is None else pa.py_buffer(present)
    return pa.LargeStringArray.from_buffers(
        len(starts) - 1, pa.py_buffer(starts), pa.py_buffer(texts), valid
    )


def split_days(joined: bytes, n_rows: int) -> NDArray[np.datetime64] | None:
    """Days such as ``2024-03-01`` joined by :data:`END`, those missing as :data:`NO_DAY`.

    None where something else stands among them.

    Examples
    --------
    >>> split_days(b"2024-02-29\x1f0000-00-00", 2)
    array(['2024-02-29',        'NaT'], dtype='datetime64[D]')
    """
    width = len(NO_DAY) + 1
    if len(joined) + 1 != n_rows * width:
        return None
    table = np.frombuffer(joined + END.encode(), dtype=np.uint8).reshape(n_rows, width)
    digits = np.ascontiguousarray(table[:, _DIGITS].T) - _ZERO  # what is below "0" comes out large
    if (digits > 9).any() or (table[:, (4, 7)] != _DASH).any() or (table[:, -1] != _END).any():
        return None
    year, month, day = _number(digits[:4]), _number(digits[4:6]), _number(digits[6:])
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1).astype("timedelta64[D]")
    is_day = (days.astype("datetime64[M]") == months) & (month > 0) & (month <= 12)
    is_missing = (year == 0) & (month == 0) & (day == 0)
    days[is_missing] = np.datetime64("NaT")
    return days if (is_day | is_missing).all() else None


def _number(digits: Bytes) -> NDArray[np.int32]:
    number: NDArray[np.int32] = digits[0].astype(np.int32)
    for digit in digits[1:]:
        number = number * 10 + digit
    return number
