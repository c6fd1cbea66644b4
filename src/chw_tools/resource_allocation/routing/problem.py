"""What is to be walked: stops with a value, shifts with hours, minutes between places.

>>> import numpy as np
>>> problem = RouteProblem(
...     travel=np.array([[0.0, 10.0], [10.0, 0.0]]),
...     stop_at=np.array([1]),
...     service=np.array([30.0]),
...     value=np.array([1.0]),
...     shifts=(Shift("Monday", start=0, closes=300.0),),
... )
>>> problem.n_stops, problem.why_unplannable()
(1, {})
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Flags = NDArray[np.bool_]

#: Minutes beyond which a walk counts as none at all; also what PyVRP is given for it. Larger
#: figures make PyVRP run past its limit (planning design of this project).
NO_WAY = 1e7


@dataclass(frozen=True)
class Shift:
    """One worker's hours of one day, or several alike.

    Parameters
    ----------
    name : str
    start : int
        Place where it begins.
    end : int, optional
        Place where it ends; None where the way home is not counted.
    opens, closes : float
        Minutes of the day.
    n : int
        How many workers alike.
    load : float
        Most that can be carried.
    longest : float
        Most minutes from leaving to the end, where less than the hours.
    """

    name: str
    start: int
    end: int | None = None
    opens: float = 0.0
    closes: float = 480.0
    n: int = 1
    load: float = inf
    longest: float = inf


@dataclass(frozen=True)
class RouteProblem:
    """Stops, shifts and the minutes between places.

    Parameters
    ----------
    travel : ndarray, shape (places, places)
        Minutes from place to place; infinite or missing where there is no way.
    stop_at : ndarray of int, shape (n,)
        Place of each stop.
    service, value : ndarray, shape (n,)
        Minutes there, and what the stop is worth.
    shifts : tuple of Shift
    required : ndarray of bool, optional
        Stops that may not be left out.
    opens, closes : ndarray, optional
        Earliest and latest minute of the day at which the stop may begin.
    load : ndarray, optional
        What the stop takes of a shift's load.
    allowed : ndarray of bool, shape (n, shifts), optional
        Which shift may make which stop (days, skills, teams).
    travel_cost : float
        What a minute of walking costs, in the unit of value.
    ticks, cost_ticks : float
        Whole units a minute and a unit of value are counted in by the solver.

    Raises
    ------
    ValueError
        If shapes do not fit, or a value or a duration is negative.
    """

    travel: Numbers
    stop_at: NDArray[np.int64]
    service: Numbers
    value: Numbers
    shifts: tuple[Shift, ...]
    required: Flags = None  # type: ignore[assignment]  # filled in below
    opens: Numbers = None  # type: ignore[assignment]  # filled in below
    closes: Numbers = None  # type: ignore[assignment]  # filled in below
    load: Numbers = None  # type: ignore[assignment]  # filled in below
    allowed: Flags = None  # type: ignore[assignment]  # filled in below
    travel_cost: float = 0.0
    ticks: float = 10.0
    cost_ticks: float = 1000.0

    def __post_init__(self) -> None:
        n, m = len(self.stop_at), len(self.shifts)
        defaults = {
            "required": np.zeros(n, dtype=bool),
            "opens": np.zeros(n),
            "closes": np.full(n, inf),
            "load": np.zeros(n),
            "allowed": np.ones((n, m), dtype=bool),
        }
        for name, default in defaults.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, default)
        shapes = {"service": (n,), "value": (n,), "allowed": (n, m)}
        shapes |= dict.fromkeys(("required", "opens", "closes", "load"), (n,))
        wrong = [name for name, shape in shapes.items() if getattr(self, name).shape != shape]
        if wrong or self.travel.ndim != 2 or self.travel.shape[0] != self.travel.shape[1]:
            raise ValueError(f"shapes do not fit: {wrong or ['travel']}")
        if any((getattr(self, name) < 0).any() for name in ("service", "value", "load")):
            raise ValueError("minutes, values and loads may not be negative")
        walk = np.where(np.isfinite(self.travel), self.travel, NO_WAY)
        if (walk < 0).any():
            raise ValueError("minutes, values and loads may not be negative")
        object.__setattr__(self, "travel", np.minimum(walk, NO_WAY))

    @property
    def n_stops(self) -> int:
        """How many stops there are."""
        return len(self.stop_at)

    def why_unplannable(self) -> dict[int, str]:
        """The stops that fit into no shift even alone, each with the reason."""
        reasons: dict[int, str] = {}
        alone = self._fits_alone()
        for stop in range(self.n_stops):
            if not self.shifts:
                reasons[stop] = "Nobody is at work."
            elif self.opens[stop] > self.closes[stop]:
                reasons[stop] = "Its hours contradict each other: they end before they begin."
            elif not self.allowed[stop].any():
                reasons[stop] = "No shift may make it: day, skill or team."
            elif not alone[stop].any():
                reasons[stop] = self._why_not_alone(stop)
        return reasons

    def _fits_alone(self) -> Flags:
        fits = np.zeros((self.n_stops, len(self.shifts)), dtype=bool)
        for at, shift in enumerate(self.shifts):
            begins = np.maximum(shift.opens + self.travel[shift.start, self.stop_at], self.opens)
            back = 0.0 if shift.end is None else self.travel[self.stop_at, shift.end]
            ends = begins + self.service + back
            fits[:, at] = (begins <= self.closes) & (ends <= shift.closes)
            fits[:, at] &= self._least_minutes(shift, back) <= shift.longest
            fits[:, at] &= (self.load <= shift.load) & (self.allowed[:, at])
        return fits

    def _least_minutes(self, shift: Shift, back: Numbers | float) -> Numbers:
        return np.asarray(self.travel[shift.start, self.stop_at] + self.service + back)

    def _why_not_alone(self, stop: int) -> str:
        ways = [self.travel[shift.start, self.stop_at[stop]] for shift in self.shifts]
        if min(ways) >= NO_WAY:
            return "There is no way there."
        return "Even alone it does not fit into a shift: the walk, its hours or its minutes."


@dataclass(frozen=True)
class Walked:
    """One shift's stops in walking order, with when each begins."""

    shift: int
    stops: tuple[int, ...]
    begins: tuple[float, ...]
    travel_minutes: float
    ends: float


@dataclass(frozen=True)
class RoutePlan:
    """The routes, how good they are, and who is left out.

    Parameters
    ----------
    routes : tuple of Walked
        Shifts that make at least one stop.
    value, bound, gap : float
        Value of the stops made, what no plan can exceed, and the share between.
    cost : float
        Travel cost and the value of what is left out, as the solver counts.
    travel_minutes : float
    left_out : dict
        Reason by stop.
    is_feasible : bool
        Whether all required stops are made and every route holds, by an own check.
    why_not : tuple of str
    seconds : float
    method : str
        ``pyvrp`` or ``insertion``.
    notes : tuple of str
        Such as that the solver crashed.
    """

    routes: tuple[Walked, ...]
    value: float
    bound: float
    gap: float
    cost: float
    travel_minutes: float
    left_out: dict[int, str]
    is_feasible: bool
    why_not: tuple[str, ...]
    seconds: float
    method: str
    notes: tuple[str, ...] = field(default=())
