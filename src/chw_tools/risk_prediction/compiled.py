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
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from chw_tools.risk_prediction.terms import Term

#: Cells of a term's grid at most. Few terms need more than a thousand, and so the tables of
#: twenty terms stay in the processor's cache.
_MOST_CELLS = 32_768
#: Values that are worked on at a time, all terms together: what fits in the cache.
_BLOCK = 65_536


@dataclass(frozen=True, eq=False)
class Scratch:
    """Arrays that are written over, block by block: fetching new ones costs more than the sums."""

    place: NDArray[np.float64]
    found: NDArray[np.float64]
    cells: NDArray[np.intp]
    above: NDArray[np.bool_]

    @classmethod
    def of(cls, n_terms: int, width: int) -> Scratch:
        """For so many terms and so many people at a time."""
        shape = (n_terms, width)
        return cls(
            np.empty(shape), np.empty(shape), np.empty(shape, np.intp), np.empty(shape, bool)
        )

    def of_width(self, width: int) -> Scratch:
        """The same arrays for fewer people."""
        if width == self.place.shape[1]:
            return self
        return Scratch(
            self.place[:, :width],
            self.found[:, :width],
            self.cells[:, :width],
            self.above[:, :width],
        )


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

    def slots(self, values: NDArray[np.float64], scratch: Scratch) -> NDArray[np.intp]:
        """Twice the cell of each value, and one more on or above the border in it."""
        held = self._bisected(values)
        place, cells = scratch.place, scratch.cells
        np.multiply(held, self.scale, out=place)
        place += self.shift
        np.maximum(place, self.lowest, out=place)
        np.minimum(place, self.highest, out=place)
        np.fmax(place, self.absent, out=place)  # takes the other number where one is missing
        cells[...] = place
        # No cell lies outside the table: "clip" only spares numpy a copy.
        self.borders.take(cells, out=scratch.found, mode="clip")
        np.greater_equal(held, scratch.found, out=scratch.above)
        cells += cells
        cells += scratch.above
        return cells

    def _bisected(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
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

    def score(self, values: NDArray[np.float64], scratch: Scratch) -> NDArray[np.float64]:
        """The score of each value, terms by people; written over by the next block."""
        slots = self.grid.slots(values, scratch)
        self.scores.take(slots, out=scratch.found, mode="clip")
        return scratch.found


@dataclass(frozen=True, eq=False)
class Curved:
    """Piecewise polynomials: origin and coefficients by slot, lowest power first."""

    rows: NDArray[np.intp]
    grid: Grid
    origins: NDArray[np.float64]
    coefficients: NDArray[np.float64]

    def score(self, values: NDArray[np.float64], scratch: Scratch) -> NDArray[np.float64]:
        """The score of each value by Horner's rule, terms by people."""
        slots = self.grid.slots(values, scratch)
        t = values - self.origins.take(slots, out=scratch.place, mode="clip")
        t[np.isnan(values)] = 0.0
        *lower, highest = self.coefficients
        highest.take(slots, out=scratch.found, mode="clip")
        total = scratch.found
        for coefficients in reversed(lower):
            total *= t
            total += coefficients.take(slots, out=scratch.place, mode="clip")
        return total


@dataclass(frozen=True, eq=False)
class Compiled:
    """All terms of a model, ready for many people."""

    n_terms: int
    parts: tuple[Flat | Curved, ...]

    def score(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The score of each encoded value, terms by people."""
        scores = np.empty(values.shape)
        for people, found in self._in_blocks(values):
            scores[:, people] = found
        return scores

    def add_up(self, values: NDArray[np.float64], start: float) -> NDArray[np.float64]:
        """``start`` and the scores of each person, added term after term in their order."""
        total = np.full(values.shape[1], start)
        for people, found in self._in_blocks(values):
            sums = total[people]
            for scores in found:
                sums += scores
        return total

    def _in_blocks(
        self, values: NDArray[np.float64]
    ) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        n_people = values.shape[1]
        width = min(n_people, max(256, _BLOCK // max(self.n_terms, 1)))
        held = [Scratch.of(len(part.rows), width) for part in self.parts]
        mixed = np.empty((self.n_terms, width)) if len(self.parts) > 1 else None
        for first in range(0, n_people, width or 1):
            people = slice(first, min(first + width, n_people))
            yield people, self._score(values[:, people], held, mixed)

    def _score(
        self,
        values: NDArray[np.float64],
        held: Sequence[Scratch],
        mixed: NDArray[np.float64] | None,
    ) -> NDArray[np.float64]:
        width = values.shape[1]
        with np.errstate(over="ignore", invalid="ignore"):
            if mixed is None:
                one = zip(self.parts, held, strict=True)
                found = [part.score(values, scratch.of_width(width)) for part, scratch in one]
                return found[0] if found else values
            scores = mixed[:, :width]
            for part, scratch in zip(self.parts, held, strict=True):
                scores[part.rows] = part.score(values[part.rows], scratch.of_width(width))
        return scores


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
