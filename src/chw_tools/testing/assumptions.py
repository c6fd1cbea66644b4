"""The declared assumptions of the simulated programme, each with its source."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Assumption:
    """One number or list of numbers, and where it comes from."""

    value: Any
    source: str


@dataclass(frozen=True)
class Assumptions:
    """All assumptions, named ``section.name``.

    Examples
    --------
    >>> load_assumptions().number("programme.people_per_worker")
    650.0
    """

    entries: Mapping[str, Assumption]

    def number(self, name: str) -> float:
        """A single number."""
        return float(self.entries[name].value)

    def numbers(self, name: str) -> np.ndarray:
        """A list of numbers."""
        return np.asarray(self.entries[name].value, dtype=float)


@cache
def load_assumptions() -> Assumptions:
    """The assumptions shipped with the package."""
    text = files("chw_tools.testing").joinpath("assumptions.toml").read_text(encoding="utf-8")
    return Assumptions(
        {
            f"{section}.{name}": Assumption(entry["value"], entry["source"])
            for section, entries in tomllib.loads(text).items()
            for name, entry in entries.items()
        }
    )
