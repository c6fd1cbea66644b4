"""Three years as they truly went: risks, admissions, deaths and contacts, window by window.

What a window leaves behind (an admission, a visit) goes into the next one's risks and
contacts; nothing looks ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.testing import contacts
from chw_tools.testing.chance import stream
from chw_tools.testing.contacts import HOME, SEEN
from chw_tools.testing.population import NEVER
from chw_tools.testing.true_risk import befall, compute_true_risks

if TYPE_CHECKING:
    from chw_tools.testing.assumptions import Assumptions


@dataclass(frozen=True)
class Course:
    """What happened: true risks, events and contacts, all by position and day."""

    risks: pd.DataFrame
    events: pd.DataFrame
    visits: pd.DataFrame
    died: np.ndarray
    moved: np.ndarray


def run_course(
    folk: pd.DataFrame,
    pregnancies: pd.DataFrame,
    households: pd.DataFrame,
    *,
    first_day: np.datetime64,
    part: int,
    seed: int,
    assumed: Assumptions,
) -> Course:
    """Live through all windows, the first of which begins after ``first_day``."""
    rng = stream(seed, part, "course")
    length = int(assumed.number("programme.window_days"))
    windows = int(assumed.number("programme.windows"))
    life = Life.begin(folk, pregnancies, households, length * windows, first_day)
    maternity = contacts.draw_maternity(stream(seed, part, "maternity"), pregnancies, assumed)
    risks, events, visits = [], [], [contacts.draw_surveys(folk), maternity]
    for window in range(windows):
        start = window * length
        at_risk = life.at_risk(start, length)
        truth = compute_true_risks(life, at_risk, start, length, assumed)
        befell = befall(rng, truth, folk, start, length, assumed)
        life.suffer(befell, start + length)
        met = contacts.draw_contacts(rng, life, at_risk, befell, start, length, assumed)
        life.remember(befell, pd.concat([met, maternity]), start + length)
        truth = truth.merge(befell, on="person", how="left")
        risks.append(truth)
        events.append(befell)
        visits.append(met)
    visits.append(contacts.draw_discoveries(rng, life))
    return Course(
        pd.concat(risks, ignore_index=True),
        pd.concat(events, ignore_index=True),
        contacts.while_here(pd.concat(visits, ignore_index=True), life),
        life.died,
        life.moved,
    )


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
