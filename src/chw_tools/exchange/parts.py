"""What reading gives: parts of an import, in pieces of some thousand rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from chw_tools.errors import FileFault
    from chw_tools.exchange.rows import RawBatch


@dataclass(frozen=True)
class Piece:
    """Some rows of a part: batches in the order of tables, and what did not become a row."""

    batches: list[RawBatch]
    rejected: pd.DataFrame
    unmodelled: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """One file, or several small ones, that go in or stay out.

    ``pieces`` may raise a :class:`~chw_tools.errors.FileFault` while it is gone through: then
    nothing of the part may be kept. ``faults`` are those of small files already left out.
    """

    files: tuple[str, ...]
    pieces: Iterable[Piece]
    faults: tuple[FileFault, ...] = ()
    notes: tuple[str, ...] = ()
