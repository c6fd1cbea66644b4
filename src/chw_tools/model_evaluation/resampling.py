"""People drawn again and again, by which every interval is made; households stay whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

#: Bootstrap samples for the intervals.
N_RESAMPLES = 200
#: Cells of one block of resampled counts, to bound memory (about 32 MB a block).
_BLOCK_CELLS = 4_000_000


@dataclass(frozen=True)
class Resampling:
    """How often each person is drawn in each bootstrap sample.

    The same object gives the same counts each time it is gone through, so that two models
    judged by it are judged by the same samples, and their difference has an interval.

    Parameters
    ----------
    n : int
        People.
    seed : int
        All chance comes from it.
    n_resamples : int
        Samples; none with 0.
    groups : array of shape (n,), optional
        Whom to draw together (household, or person with several rows). People of one group
        resemble each other, and an interval that draws them one by one is too narrow.

    Examples
    --------
    >>> drawn = Resampling(4, seed=1, n_resamples=3)
    >>> [block.sum(axis=1).tolist() for block in drawn.blocks()]
    [[4.0, 4.0, 4.0]]
    """

    n: int
    seed: int
    n_resamples: int = N_RESAMPLES
    groups: NDArray[Any] | None = None

    def blocks(self) -> Iterator[NDArray[np.float64]]:
        """Counts in blocks of rows, one row a sample, one column a person."""
        generator = np.random.default_rng(self.seed)
        codes = None if self.groups is None else pd.factorize(np.asarray(self.groups))[0]
        n_drawn = self.n if codes is None else int(codes.max()) + 1
        block = max(1, _BLOCK_CELLS // max(1, self.n))
        for start in range(0, self.n_resamples, block):
            rows = min(block, self.n_resamples - start)
            picks = generator.integers(0, n_drawn, size=(rows, n_drawn))
            picks += np.arange(rows)[:, None] * n_drawn
            counts = np.bincount(picks.ravel(), minlength=rows * n_drawn).astype(float)
            table = counts.reshape(rows, n_drawn)
            yield table if codes is None else table[:, codes]


def find_interval(draws: NDArray[np.float64] | pd.DataFrame) -> tuple[Any, Any]:
    """The 95 % percentile interval of each column of draws; samples without a value left out.

    A bound that falls among infinite draws (a ratio where a sample expects nothing) is not known.
    """
    table = pd.DataFrame(draws)
    with np.errstate(invalid="ignore"):
        low, high = table.quantile(0.025).to_numpy(), table.quantile(0.975).to_numpy()
    return np.where(np.isfinite(low), low, np.nan), np.where(np.isfinite(high), high, np.nan)
