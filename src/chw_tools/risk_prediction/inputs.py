"""The inputs of a model: read once from the table, as numbers, and as one digest a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

# One bit pattern for "not known", and one for each answer: what a digest is made of.
_MISSING = np.frombuffer(b"not here", dtype="<u8")[0]


@dataclass(frozen=True, eq=False)
class Answers:
    """The answers to a choice: positions among the levels met, -1 for none."""

    codes: NDArray[np.integer[Any]]
    levels: tuple[str, ...]

    def positions(self, levels: Sequence[str]) -> NDArray[np.float64]:
        """The position of each answer among other levels; NaN none, ``len(levels)`` unknown."""
        place = {level: float(at) for at, level in enumerate(levels)}
        unknown = float(len(place))
        of_level = [*(place.get(level, unknown) for level in self.levels), np.nan]
        positions: NDArray[np.float64] = np.array(of_level)[self.codes]
        return positions


Read: TypeAlias = "NDArray[np.float64] | Answers"


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns of a feature table, each read at most once.

    Taking a column out of a table costs more than scoring it for one person, and state,
    risk, reasons and digest all need the same columns.
    """

    frame: pd.DataFrame
    _read: dict[str, Read] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self._read or name in self.frame.columns

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, name: str) -> Read:
        read = self._read.get(name)
        if read is None:
            read = self._read[name] = _read_column(self.frame[name])
        return read

    def numbers(self, name: str) -> NDArray[np.float64]:
        """A number or flag as float64; missing is NaN."""
        read = self[name]
        return numbers_of(self.frame[name]) if isinstance(read, Answers) else read

    def missing(self, name: str) -> NDArray[np.bool_]:
        """Where the value is not known."""
        read = self[name]
        gaps: NDArray[np.bool_] = read.codes < 0 if isinstance(read, Answers) else np.isnan(read)
        return gaps

    def positions(self, name: str, levels: Sequence[str]) -> NDArray[np.float64]:
        """A choice as positions among levels; NaN not given, ``len(levels)`` unknown."""
        read = self[name]
        if isinstance(read, Answers):
            return read.positions(levels)
        return positions_of(self.frame[name], levels)


def _read_column(values: pd.Series) -> Read:
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        held = values.array
        return Answers(held.codes, tuple(map(str, held.categories)))
    if dtype in ("object", "str"):
        return _read_column(values.astype("category"))
    return numbers_of(values)


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
    held = values if isinstance(values.dtype, pd.CategoricalDtype) else values.astype("category")
    read = _read_column(held)
    assert isinstance(read, Answers)  # noqa: S101 - a categorical column is read as answers
    return read.positions(levels)


def digest_rows(columns: Columns | pd.DataFrame, names: Sequence[str]) -> list[str]:
    """SHA-256 of each row's inputs: names and values, numbers to the last bit.

    Minus zero counts as zero, a flag as 0 or 1, and an answer by its text, so that the same
    inputs have the same digest whatever the table around them.
    """
    held = Columns(columns) if isinstance(columns, pd.DataFrame) else columns
    matrix = np.empty((len(held), len(names)), dtype="<u8")
    for at, name in enumerate(names):
        matrix[:, at] = _bits(held[name])
    start = sha256("\x1f".join(names).encode() + b"\x1e")
    width, data = matrix.shape[1] * 8, matrix.tobytes()
    digests = []
    for row in range(len(held)):
        digest = start.copy()
        digest.update(data[row * width : (row + 1) * width])
        digests.append(digest.hexdigest())
    return digests


def _bits(read: Read) -> NDArray[np.uint64]:
    if isinstance(read, Answers):
        of_level = [*map(_level_bits, read.levels), _MISSING]
        answers: NDArray[np.uint64] = np.array(of_level, dtype="<u8")[read.codes]
        return answers
    bits: NDArray[np.uint64] = (read + 0.0).astype("<f8").view("<u8")
    bits[np.isnan(read)] = _MISSING
    return bits


@lru_cache(maxsize=4096)
def _level_bits(level: str) -> int:
    return int.from_bytes(sha256(level.encode()).digest()[:8], "little")


def columns_of(values: Mapping[str, NDArray[np.float64]], index: pd.Index) -> Columns:
    """Numbers that were read already, as columns."""
    return Columns(pd.DataFrame(index=index), dict(values))
