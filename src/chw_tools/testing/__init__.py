"""The simulated programme: people who do not exist, drawn from declared assumptions.

Simulated data prove plumbing, not medicine. The truth behind them is kept apart.
"""

from chw_tools.testing.mess import spoil
from chw_tools.testing.sample import draw_sample, write_sample
from chw_tools.testing.simulation import (
    Simulated,
    simulate_part,
    simulate_parts,
    simulate_programme,
)
from chw_tools.testing.truth import true_probabilities
from chw_tools.testing.writing import write_programme

__all__ = [
    "Simulated",
    "draw_sample",
    "simulate_part",
    "simulate_parts",
    "simulate_programme",
    "spoil",
    "true_probabilities",
    "write_programme",
    "write_sample",
]
