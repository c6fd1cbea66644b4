"""All that was drawn of one part, and the identifiers and dates its rows are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.testing.chance import stream
from chw_tools.testing.life import HOME
from chw_tools.testing.population import NEVER

if TYPE_CHECKING:
    from chw_tools.testing.assumptions import Assumptions
    from chw_tools.testing.course import Course
    from chw_tools.testing.places import Places


@dataclass(frozen=True)
class Drawn:
    """All that was drawn of one part, before anything has a name."""

    part: int
    seed: int
    first_day: np.datetime64
    days: int
    assumed: Assumptions
    places: Places
    folk: pd.DataFrame
    pregnancies: pd.DataFrame
    course: Course
    findings: pd.DataFrame


class Names:
    """Identifiers of one part's rows, days as dates, and who is in the register at all."""

    def __init__(self, drawn: Drawn) -> None:
        self.drawn = drawn
        self.folk = drawn.folk
        self.died = drawn.course.died
        self.moved = np.where(drawn.course.moved < self.died, drawn.course.moved, NEVER)
        self.gone = np.minimum(self.died, self.moved)
        enrolled = drawn.folk["enrolled"].to_numpy()
        self.registered = self._exists() & (enrolled <= drawn.days)
        self.person = self.ids("P", len(self.folk))
        self.village = self.ids("V", len(drawn.places.villages), width=4)
        self.facility = self.ids("F", len(drawn.places.facilities), width=4)
        self.worker = self.ids("W", len(drawn.places.workers), width=4)
        self.subdistrict = f"S-{drawn.part:02d}"
        self.hospital = "F-00-0001"
        self.visit_known = self._visit_known()
        self.visit = self.ids("N", len(drawn.course.visits))
        self.household = self.ids("H", len(drawn.places.households))

    def _exists(self) -> np.ndarray:
        # A child is born here only of a mother who lived here that day.
        mother = self.folk["mother"].to_numpy()
        born_here: np.ndarray = (mother < 0) | (self.gone[mother] > self.folk["born"].to_numpy())
        return born_here

    def _visit_known(self) -> np.ndarray:
        # A worker's own visits are known at once, a facility's come with its reports.
        visits = self.drawn.course.visits
        lag = stream(self.drawn.seed, self.drawn.part, "visit lag").geometric(0.12, len(visits))
        day = visits["day"].to_numpy() + np.where(visits["kind"] == HOME, 0, lag)
        known: np.ndarray = np.minimum(day, self.drawn.days)
        return known

    @property
    def beginning(self) -> np.datetime64:
        """The day the programme began to register."""
        before = int(self.drawn.assumed.number("programme.enrolment_days")) + 1
        return self.drawn.first_day - np.timedelta64(before, "D")

    def ids(self, letter: str, n: int, width: int = 6) -> Any:
        """``n`` identifiers, numbered within the part."""
        numbers = pd.Series(np.arange(1, n + 1)).astype("str").str.zfill(width)
        return (f"{letter}-{self.drawn.part:02d}-" + numbers).array

    def date(self, day: Any) -> np.ndarray:
        """Days as dates; :data:`NEVER` as missing."""
        day = np.asarray(day, dtype=np.int64)
        dates = self.drawn.first_day + (day * 86_400).astype("timedelta64[s]")
        return np.where(day >= NEVER // 2, np.datetime64("NaT", "s"), dates)
