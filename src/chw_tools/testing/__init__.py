"""The simulated programme: people who do not exist, drawn from declared assumptions.

Simulated data prove plumbing, not medicine. The truth behind them is kept apart.
"""

from chw_tools.testing.mess import spoil
from chw_tools.testing.simulation import (
    Simulated,
    simulate_part,
    simulate_parts,
    simulate_programme,
)
from chw_tools.testing.writing import write_programme

__all__ = [
    "Simulated",
    "simulate_part",
    "simulate_parts",
    "simulate_programme",
    "spoil",
    "write_programme",
]
