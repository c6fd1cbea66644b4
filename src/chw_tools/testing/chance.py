"""Chance for the simulation: one stream for each part of the district and each subject.

A stream depends on the seed, the part and the subject alone. So a part can be made without
the others, and a change to how visits are drawn leaves the people as they were.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np


def stream(seed: int, part: int, subject: str) -> np.random.Generator:
    """The stream of one subject in one part.

    >>> bool(stream(7, 0, "people").random() == stream(7, 0, "people").random())
    True
    """
    return np.random.default_rng([seed, part, crc32(subject.encode())])


def choose(rng: np.random.Generator, shares: np.ndarray, n: int) -> np.ndarray:
    """Positions drawn with the given shares, which need not add up to one."""
    edges = np.cumsum(shares / np.sum(shares))
    return np.minimum(np.searchsorted(edges, rng.random(n), side="right"), len(shares) - 1)
