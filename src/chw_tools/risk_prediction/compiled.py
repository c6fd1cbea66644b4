"""Terms as a few arrays, so that a million people cost one look-up and one addition a term.

Every number is brought to a cell of an even grid over its term's borders, fine enough that
a cell holds at most one border; one comparison then tells the bin. Multiplication and
addition never change the order of two numbers, so the bin is the one that comparing with
every border would give, to the last bit. Where borders lie too close for a grid, they are
compared by bisection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from chw_tools.risk_prediction.terms import Levels, Pieces, Steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from chw_tools.risk_prediction.terms import Term

#: Cells of a term's grid at most: the tables of twenty terms stay in the processor's cache.
_MOST_CELLS = 4096
#: Values that are worked on at a time, all terms together: what fits in the cache.
_BLOCK = 32_768


@dataclass(frozen=True, eq=False)
class Grid:
    """How values of several terms become slots: a cell each, and on which side of its border.

    Parameters
    ----------
    scale, shift, lowest, highest, absent : ndarray of shape (terms, 1)
        ``cell = clip(value * scale + shift, lowest, highest)``; ``absent`` where missing.
    borders : ndarray of shape (cells,)
        The border within a cell; NaN where it has none.
    crowded : tuple of (int, ndarray)
        Terms whose borders lie too close, with those borders.
    """

    scale: NDArray[np.float64]
    shift: NDArray[np.float64]
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]
    absent: NDArray[np.float64]
    borders: NDArray[np.float64]
    crowded: tuple[tuple[int, NDArray[np.float64]], ...]

    def slots(self, values: NDArray[np.float64]) -> NDArray[np.intp]:
        """Twice the cell of each value, and one more on or above the border in it."""
        place = values * self.scale
        place += self.shift
        np.maximum(place, self.lowest, out=place)
        np.minimum(place, self.highest, out=place)
        np.fmax(place, self.absent, out=place)  # takes the other number where one is missing
        cells = place.astype(np.intp)
        above = values >= self.borders.take(cells)
        cells += cells
        cells += above
        return cells

    def bisected(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The values, those of crowded terms replaced by the number of their bin."""
        if not self.crowded:
            return values
        changed = values.copy()
        for row, cuts in self.crowded:
            known = ~np.isnan(values[row])
            changed[row, known] = np.searchsorted(cuts, values[row, known], side="right")
        return changed


@dataclass(frozen=True, eq=False)
class Flat:
    """Terms of steps and levels: a table of scores by slot."""

    rows: NDArray[np.intp]
    grid: Grid
    scores: NDArray[np.float64]

    def score(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The score of each value, terms by people."""
        found: NDArray[np.float64] = self.scores.take(self.grid.slots(self.grid.bisected(values)))
        return found


@dataclass(frozen=True, eq=False)
class Curved:
    """Piecewise polynomials: origin and coefficients by slot, lowest power first."""

    rows: NDArray[np.intp]
    grid: Grid
    origins: NDArray[np.float64]
    coefficients: NDArray[np.float64]

    def score(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The score of each value by Horner's rule, terms by people."""
        slots = self.grid.slots(self.grid.bisected(values))
        t = values - self.origins.take(slots)
        t[np.isnan(values)] = 0.0
        *lower, highest = self.coefficients
        total: NDArray[np.float64] = highest.take(slots)
        for coefficients in reversed(lower):
            total *= t
            total += coefficients.take(slots)
        return total


@dataclass(frozen=True, eq=False)
class Compiled:
    """All terms of a model, ready for many people."""

    n_terms: int
    parts: tuple[Flat | Curved, ...]

    def score(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The score of each encoded value, terms by people."""
        if not self.parts:
            return np.empty(values.shape)
        with np.errstate(over="ignore", invalid="ignore"):
            if len(self.parts) == 1:
                return self.parts[0].score(values)
            scores = np.empty(values.shape)
            for part in self.parts:
                scores[part.rows] = part.score(values[part.rows])
        return scores

    def add_up(self, values: NDArray[np.float64], start: float) -> NDArray[np.float64]:
        """``start`` and the scores of each person, added term after term in their order."""
        total = np.full(values.shape[1], start)
        width = max(256, _BLOCK // max(self.n_terms, 1))
        for first in range(0, values.shape[1], width):
            part = slice(first, first + width)
            sums = total[part]
            for scores in self.score(values[:, part]):
                sums += scores
        return total


def compile_terms(terms: Sequence[Term]) -> Compiled:
    """The terms as arrays."""
    flat = [at for at, term in enumerate(terms) if not isinstance(term, Pieces)]
    curved = [at for at, term in enumerate(terms) if isinstance(term, Pieces)]
    parts: list[Flat | Curved] = []
    if flat:
        parts.append(_flat(np.array(flat), [terms[at] for at in flat]))
    if curved:
        parts.append(_curved(np.array(curved), [terms[at] for at in curved]))
    return Compiled(len(terms), tuple(parts))


def _flat(rows: NDArray[np.intp], terms: Sequence[Term]) -> Flat:
    grid, bins = _make_grid([_cuts(term) for term in terms])
    scores = []
    for term, of_slot in zip(terms, bins, strict=True):
        assert not isinstance(term, Pieces)  # noqa: S101 - told apart by compile_terms
        known = np.append(term.scores, term.unknown) if isinstance(term, Levels) else term.scores
        scores.append(np.append(term.missing, known)[of_slot])
    return Flat(rows, grid, np.concatenate(scores))


def _curved(rows: NDArray[np.intp], terms: Sequence[Term]) -> Curved:
    grid, bins = _make_grid([_cuts(term) for term in terms])
    pieces = [term for term in terms if isinstance(term, Pieces)]
    width = max(term.coefficients.shape[1] for term in pieces)
    origins, coefficients = [], []
    for term, of_slot in zip(pieces, bins, strict=True):
        padded = np.zeros((len(term.coefficients) + 1, width))
        padded[0, 0] = term.missing
        padded[1:, : term.coefficients.shape[1]] = term.coefficients
        origins.append(np.concatenate([[0.0, term.knots[0]], term.knots])[of_slot])
        coefficients.append(padded[of_slot])
    return Curved(rows, grid, np.concatenate(origins), np.concatenate(coefficients).T.copy())


def _cuts(term: Term) -> NDArray[np.float64] | int:
    """Borders of a number, or how many levels a choice has with the unknown one."""
    if isinstance(term, Steps):
        return term.cuts
    return term.knots if isinstance(term, Pieces) else len(term.levels) + 1


@dataclass(frozen=True, eq=False)
class _Row:
    """The grid of one term: its cells begin at ``start``, which is that of missing values."""

    start: int
    scale: float
    shift: float
    borders: NDArray[np.float64]  # one a cell, that of missing values first
    bins: NDArray[np.intp]  # two a cell: below its border, and on or above it; 0 is missing
    crowded: NDArray[np.float64] | None = None


def _make_grid(
    borders: Sequence[NDArray[np.float64] | int],
) -> tuple[Grid, list[NDArray[np.intp]]]:
    """The grid of several terms, and of each the bin of each of its slots."""
    rows: list[_Row] = []
    start = 0
    for cuts in borders:
        row = _counted(cuts, start) if isinstance(cuts, int) else _gridded(cuts, start)
        start += len(row.borders)
        rows.append(row)
    absent = _column([row.start for row in rows])
    grid = Grid(
        scale=_column([row.scale for row in rows]),
        shift=_column([row.shift for row in rows]),
        lowest=absent + 1,
        highest=_column([row.start + len(row.borders) - 1 for row in rows]),
        absent=absent,
        borders=np.concatenate([row.borders for row in rows]),
        crowded=tuple((at, r.crowded) for at, r in enumerate(rows) if r.crowded is not None),
    )
    return grid, [row.bins for row in rows]


def _counted(n: int, start: int, crowded: NDArray[np.float64] | None = None) -> _Row:
    # The value is the number of its bin already: a choice, or bisected borders.
    bins = np.repeat(np.arange(n + 1), 2)
    return _Row(start, 1.0, start + 1.0, np.full(n + 1, np.nan), bins, crowded)


def _gridded(cuts: NDArray[np.float64], start: int) -> _Row:
    cells = 1
    while cells <= _MOST_CELLS:
        with np.errstate(all="ignore"):
            span = cuts[-1] - cuts[0] if len(cuts) > 1 else 0.0
            scale = (cells - 1) / span if span > 0 else 1.0
            shift = start + 1.0 - (cuts[0] * scale if len(cuts) else 0.0)
            found = cuts * scale + shift
        if not np.isfinite(found).all() or not np.isfinite(scale):
            break
        held = np.clip(found, start + 1.0, start + cells).astype(np.intp) - start
        if len(np.unique(held)) == len(cuts):
            return _separated(cuts, held, start=start, scale=scale, shift=shift, cells=cells)
        cells *= 2
    return _counted(len(cuts) + 1, start, cuts)


def _separated(
    cuts: NDArray[np.float64],
    held: NDArray[np.intp],
    *,
    start: int,
    scale: float,
    shift: float,
    cells: int,
) -> _Row:
    borders = np.full(cells + 1, np.nan)
    borders[held] = cuts
    below = np.searchsorted(held, np.arange(cells + 1), side="left") + 1
    bins = np.repeat(below, 2)
    bins[2 * held + 1] += 1
    bins[:2] = 0
    return _Row(start, float(scale), float(shift), borders, bins)


def _column(values: Sequence[float]) -> NDArray[np.float64]:
    return np.array(values, dtype="float64")[:, None]
