"""The terms of a portable model: what one feature adds to the log-odds.

Each kind says what a value scores; the compiled form in :mod:`.compiled` gives the same
numbers for many people at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Steps:
    """A step function of a number; a value on a border falls in the upper bin.

    Parameters
    ----------
    feature : str
        Name of the input.
    cuts : ndarray of shape (k,)
        Rising borders.
    scores : ndarray of shape (k + 1,)
        One a bin, lowest bin first.
    missing : float
        Score of a value that is not known.
    """

    feature: str
    cuts: NDArray[np.float64]
    scores: NDArray[np.float64]
    missing: float

    @property
    def weight(self) -> float:
        """How much the feature can move the log-odds."""
        return float(np.ptp(self.scores))


@dataclass(frozen=True, eq=False)
class Levels:
    """A score for each answer to a choice.

    Parameters
    ----------
    feature : str
        Name of the input.
    levels : tuple of str
        The answers that the model knows.
    scores : ndarray of shape (k,)
        One a level.
    missing, unknown : float
        Score where there is no answer, and of an answer that is none of the levels.
    """

    feature: str
    levels: tuple[str, ...]
    scores: NDArray[np.float64]
    missing: float
    unknown: float

    @property
    def weight(self) -> float:
        """How much the feature can move the log-odds."""
        return float(np.ptp(np.append(self.scores, self.unknown)))


@dataclass(frozen=True, eq=False)
class Pieces:
    """A piecewise polynomial of a number; a value on a knot belongs to the upper piece.

    ``score = c0 + t (c1 + t (c2 + ...))`` with ``t = value - origin``; the origin is the
    knot at the lower end of the piece, and the first knot for the lowest piece. A straight
    line is one knot with the same two coefficients on either side.

    Parameters
    ----------
    feature : str
        Name of the input.
    knots : ndarray of shape (k,)
        Rising, at least one.
    coefficients : ndarray of shape (k + 1, degree + 1)
        Of each piece, lowest piece and lowest power first.
    missing : float
        Score of a value that is not known.
    usual : (float, float)
        Range over which the weight of the term is looked at.
    """

    feature: str
    knots: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    missing: float
    usual: tuple[float, float] = (0.0, 1.0)

    @property
    def weight(self) -> float:
        """How much the feature moves the log-odds over its usual range."""
        values = np.linspace(*self.usual, 33)
        place = np.searchsorted(self.knots, values, side="right")
        t = values - np.append(self.knots[0], self.knots)[place]
        scores = np.zeros(len(values))
        for power in reversed(range(self.coefficients.shape[1])):
            scores = scores * t + self.coefficients[place, power]
        return float(np.ptp(scores))


Term: TypeAlias = Steps | Levels | Pieces


def read_term(read: Mapping[str, Any], usual: tuple[float, float]) -> Term:
    """One term of a model file whose structure was checked."""
    name, missing = read["feature"], float(read["missing"])
    kind = read["kind"]
    if kind == "steps":
        return Steps(name, _floats(read["cuts"]), _floats(read["scores"]), missing)
    if kind == "levels":
        unknown = float(read["unknown"])
        return Levels(name, tuple(read["levels"]), _floats(read["scores"]), missing, unknown)
    if kind == "linear":
        line = [[0.0, float(read["slope"])]] * 2
        return Pieces(name, _floats([read["at"]]), _floats(line), missing, usual)
    width = max(map(len, read["pieces"]))
    padded = [[*piece, *[0.0] * (width - len(piece))] for piece in read["pieces"]]
    return Pieces(name, _floats(read["knots"]), _floats(padded), missing, usual)


def _floats(values: Any) -> NDArray[np.float64]:
    return np.array(values, dtype="float64")
