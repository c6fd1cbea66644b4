"""What is true of everybody while the windows of the simulation pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from chw_tools.testing.population import NEVER

if TYPE_CHECKING:
    import pandas as pd

# Kinds of contacts and what came of them, as small numbers while they are drawn.
HOME, FACILITY, INPATIENT = range(3)
SEEN, AWAY, REFUSED, MOVED, DIED = range(5)


@dataclass
class Life:
    """What is true of everybody as the windows pass; arrays by position."""

    folk: pd.DataFrame
    pregnancies: pd.DataFrame
    wealth: np.ndarray
    km: np.ndarray
    died: np.ndarray
    moved: np.ndarray
    admitted: np.ndarray
    last_seen: np.ndarray
    last_home: np.ndarray
    has_phone: np.ndarray
    last_day: int
    first_day: np.datetime64

    @classmethod
    def begin(
        cls,
        folk: pd.DataFrame,
        pregnancies: pd.DataFrame,
        households: pd.DataFrame,
        last_day: int,
        first_day: np.datetime64,
    ) -> Life:
        """Before the first window."""
        home = folk["household"].to_numpy()
        n = len(folk)
        return cls(
            folk,
            pregnancies,
            households["wealth"].to_numpy()[home],
            households["facility_km"].to_numpy()[home],
            np.full(n, NEVER),
            folk["moved"].to_numpy().copy(),
            np.zeros(n, dtype=bool),
            folk["enrolled"].to_numpy().copy(),
            folk["enrolled"].to_numpy().copy(),
            folk["phone"].to_numpy(dtype=bool),
            last_day,
            first_day,
        )

    def month_of(self, day: np.ndarray) -> np.ndarray:
        """The month of each day, 1 to 12."""
        dates = self.first_day + day.astype(np.int64).astype("timedelta64[D]")
        return dates.astype("datetime64[M]").astype(np.int64) % 12 + 1

    def at_risk(self, start: int, length: int) -> np.ndarray:
        """Positions of those who live here at some time of the window, newborns included."""
        born = self.folk["born"].to_numpy()
        here = (born <= start + length - 1) & (self.died > start) & (self.moved > start)
        return np.flatnonzero(here)

    def pregnant(self, day: int) -> tuple[np.ndarray, np.ndarray]:
        """Who is pregnant that day, and whose pregnancy is complicated."""
        now = self.pregnancies[
            (self.pregnancies["last_period"] <= day) & (self.pregnancies["ends"] > day)
        ]
        pregnant, complicated = np.zeros((2, len(self.folk)), dtype=bool)
        pregnant[now["person"]] = True
        complicated[now.loc[now["complicated"], "person"]] = True
        return pregnant, complicated

    def suffer(self, befell: pd.DataFrame, window_end: int) -> None:
        """Events of the window: deaths, and nobody leaves in a window with an event.

        So an event never follows the leaving, and events keep their true probability.
        """
        person = befell["person"].to_numpy()
        self.died[person] = np.where(befell["is_death"], befell["day"], NEVER)
        self.moved[person] = np.maximum(self.moved[person], window_end + 1)

    def remember(self, befell: pd.DataFrame, met: pd.DataFrame, day: int) -> None:
        """What the next window takes from this one."""
        self.admitted = np.zeros(len(self.folk), dtype=bool)
        self.admitted[befell["person"]] = True
        seen = met[(met["kind"] == HOME) & (met["outcome"] == SEEN) & (met["day"] <= day)]
        np.maximum.at(self.last_seen, seen["person"].to_numpy(), seen["day"].to_numpy())
        home = met[(met["kind"] == HOME) & (met["day"] <= day)]
        np.maximum.at(self.last_home, home["person"].to_numpy(), home["day"].to_numpy())
