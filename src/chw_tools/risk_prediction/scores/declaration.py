"""What a published score declares: for whom it holds, what it needs, and where it is from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from chw_tools.risk_prediction.inputs import numbers_of, positions_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from chw_tools.risk_prediction.scores.formula import Limits, Numbers

Columns: TypeAlias = "Mapping[str, Numbers]"
#: How a column of features is read as a number.
Reading = Literal["number", "male", "smokes", "yes", "flag", "relatives"]
_LEVELS = {
    "male": ("female", "male"),
    "smokes": ("never", "former", "current"),
    "yes": ("no", "yes"),
    "relatives": ("none", "second_degree", "first_degree"),
}


@dataclass(frozen=True)
class Input:
    """One input of a score.

    Parameters
    ----------
    name : str
        Column of the feature table; also its name in notes and reasons.
    label, unit : str
        In the field's words.
    reading : str
        How the column becomes a number: ``male`` and ``yes`` give 1 or 0, ``smokes`` 1 for
        who smokes now, ``relatives`` 0 to 2.
    recorded : bool
        Whether the register holds it; if not, the function of arrays must be used, or a
        feature table that brings the column.
    """

    name: str
    label: str
    unit: str = ""
    reading: Reading = "number"
    recorded: bool = True

    def read(self, frame: pd.DataFrame) -> Numbers:
        """The column as numbers; missing is NaN."""
        values = frame[self.name]
        if self.reading in ("number", "flag"):
            return numbers_of(values)
        levels = _LEVELS[self.reading]
        places: NDArray[np.float64] = positions_of(values, levels)
        places[places == len(levels)] = float("nan")
        if self.reading == "smokes":
            known = places == places
            places[known] = places[known] == 2
        return places


@dataclass(frozen=True)
class Band:
    """Points from ``lowest`` on: what the source calls them, and our band.

    The band (``low`` to ``very_high``) is a decision of this project, so that scores can be
    sorted together; the note shows the source's own word.
    """

    lowest: float
    label: str
    level: str


@dataclass(frozen=True, eq=False)
class Score:
    """The declaration of a published score.

    Parameters
    ----------
    name, label : str
        Name for commands, and for people.
    outcome : str
        What is foreseen or found, as in ``RISKS``.
    meaning : str
        The outcome in words.
    gives : {"probability", "points"}
        Points are never turned into a probability.
    population : str
        For whom, in words.
    inputs : tuple of Input
    function : str
        Name of the function of arrays.
    source, checked : str
        Where it is from, and what it was checked against.
    verified : bool
        Whether a second source was read or its numbers were reproduced.
    version : str
        Year of publication; with regions, the region stands in its place.
    horizon_years : int, optional
        Years foreseen; ``None`` for a state of now.
    limits : mapping of str to (lowest, highest)
        Beyond, it is not valid.
    not_with : mapping of str to str
        Flags with which it does not hold, and why.
    regions : tuple of str
        Regions to choose from; empty where there is one calibration.
    formula : callable, optional
        ``formula(columns, region)`` gives the risk; for probabilities.
    reference, reference_text
        The person that reasons compare with; for probabilities.
    pairwise : bool
        Whether at most two inputs meet in a term of the log-odds: reasons are then quick.
    items : callable, optional
        ``items(columns)`` gives points by input; for points.
    bands : tuple of Band
        For points, lowest first.
    highest : int
        Most points possible.
    enough : int, optional
        From so many points on, what is missing no longer matters.
    alarm : (int, Band), optional
        So many points in one item alone are at least this band.
    applies : callable, optional
        ``applies(frame)`` says for whom, where no limit can.
    applies_to : str
        The same in words.
    applies_needs : tuple of str
        Columns that it reads.
    remark : callable, optional
        ``remark(frame)`` gives what to say with an estimate, one a row or ``None``.
    caution : str
        What a reader must know; shown on the page of scores.
    """

    name: str
    label: str
    outcome: str
    meaning: str
    gives: Literal["probability", "points"]
    population: str
    inputs: tuple[Input, ...]
    function: str
    source: str
    checked: str
    verified: bool
    version: str
    horizon_years: int | None = None
    limits: Limits = field(default_factory=dict)
    not_with: Mapping[str, str] = field(default_factory=dict)
    regions: tuple[str, ...] = ()
    formula: Callable[[Columns, str | None], Numbers] | None = None
    reference: Mapping[str, float] = field(default_factory=dict)
    reference_text: str = ""
    pairwise: bool = False
    items: Callable[[Columns], Mapping[str, Numbers]] | None = None
    bands: tuple[Band, ...] = ()
    highest: int = 0
    enough: int | None = None
    alarm: tuple[int, Band] | None = None
    applies: Callable[[pd.DataFrame], NDArray[np.bool_]] | None = None
    applies_to: str = ""
    applies_needs: tuple[str, ...] = ()
    remark: Callable[[pd.DataFrame], NDArray[np.object_]] | None = None
    caution: str = ""

    def read(self, frame: pd.DataFrame) -> dict[str, Numbers]:
        """The inputs as numbers, by column."""
        return {given.name: given.read(frame) for given in self.inputs}

    @property
    def labels(self) -> dict[str, str]:
        """Names of the inputs."""
        return {given.name: given.label for given in self.inputs}
