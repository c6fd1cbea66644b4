"""The inputs of a model: as a matrix of numbers, and as one digest a person."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# One bit pattern for "not known", and one for each answer: what a digest is made of.
_MISSING = np.frombuffer(b"not here", dtype="<u8")[0]


def numbers_of(values: pd.Series) -> NDArray[np.float64]:
    """A number or flag as float64; missing is NaN."""
    numbers: NDArray[np.float64] = (
        values.to_numpy()
        if values.dtype == np.float64
        else values.to_numpy(dtype="float64", na_value=np.nan)
    )
    return numbers


def positions_of(values: pd.Series, levels: Sequence[str]) -> NDArray[np.float64]:
    """The position of each answer among the levels; NaN not given, ``len(levels)`` unknown."""
    wanted = pd.Index(list(levels), dtype="object")
    held = values if isinstance(values.dtype, pd.CategoricalDtype) else values.astype("category")
    of_category = wanted.get_indexer(held.cat.categories.astype("object")).astype("float64")
    of_category[of_category < 0] = len(levels)
    positions: NDArray[np.float64] = np.append(of_category, np.nan)[held.cat.codes.to_numpy()]
    return positions


def digest_rows(frame: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """SHA-256 of each row's inputs: names and values, numbers to the last bit.

    Minus zero counts as zero, a flag as 0 or 1, and an answer by its text, so that the same
    inputs have the same digest whatever the table around them.
    """
    columns = [_bits(frame[name]) for name in names]
    matrix = np.column_stack(columns) if columns else np.empty((len(frame), 0), dtype="<u8")
    start = sha256("\x1f".join(names).encode() + b"\x1e")
    width, data = matrix.shape[1] * 8, matrix.tobytes()
    digests = []
    for row in range(len(frame)):
        digest = start.copy()
        digest.update(data[row * width : (row + 1) * width])
        digests.append(digest.hexdigest())
    return digests


def _bits(values: pd.Series) -> NDArray[np.uint64]:
    if isinstance(values.dtype, pd.CategoricalDtype) or values.dtype in ("object", "str"):
        held = values.astype("category")
        of_level = [_level_bits(str(level)) for level in held.cat.categories]
        coded = held.cat.codes.to_numpy()
        answers: NDArray[np.uint64] = np.array([*of_level, _MISSING], dtype="<u8")[coded]
        return answers
    numbers = numbers_of(values) + 0.0
    bits: NDArray[np.uint64] = numbers.astype("<f8").view("<u8").copy()
    bits[np.isnan(numbers)] = _MISSING
    return bits


def _level_bits(level: str) -> int:
    return int.from_bytes(sha256(level.encode()).digest()[:8], "little")
