"""When a solver stops."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stop:
    """When to stop looking for a better plan, whichever comes first.

    Parameters
    ----------
    seconds : float
        By the clock. A plan stopped by it depends on the machine.
    iterations : int
        Steps of the local search. The same seed and the same number of steps give the same
        plan wherever the clock does not end it earlier.
    """

    seconds: float = 60.0
    iterations: int = 1_000_000

    def __post_init__(self) -> None:
        if not self.seconds > 0 or self.iterations < 0:
            raise ValueError("a stop needs some seconds and no negative iterations")
