"""When a solver stops: after so long, or after so many steps, whichever comes first."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf


@dataclass(frozen=True)
class Stop:
    """A limit for a solver.

    Parameters
    ----------
    seconds : float
        Wall-clock seconds. Two runs with such a limit may differ: one may get further.
    iterations : int, optional
        Steps of the solver. With these alone, the same seed gives the same plan.

    Raises
    ------
    ValueError
        If there is no limit at all, or a negative one.
    """

    seconds: float = inf
    iterations: int | None = None

    def __post_init__(self) -> None:
        if self.seconds < 0 or (self.iterations is not None and self.iterations < 0):
            raise ValueError("a limit may not be negative")
        if self.seconds == inf and self.iterations is None:
            raise ValueError("a solver without a limit may run for ever")
