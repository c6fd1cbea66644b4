"""What monitoring rules look at: the register as known, advice, risks, messages; and whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.feature_engineering.lookup import positions_among
from chw_tools.feature_engineering.people import age_years, likely_births
from chw_tools.records.contacting import WORK_TABLES
from chw_tools.records.derived import DERIVED_TABLES
from chw_tools.records.register import empty_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chw_tools.programme.monitoring import MonitoringRule
    from chw_tools.records import Register

    Days = NDArray[np.datetime64]
    Places = NDArray[np.int64]

#: Meetings in person. A telephone call is a contact, but nobody was looked at.
IN_PERSON = ("home", "facility", "inpatient", "emergency", "group")
#: Meetings at which somebody can be treated.
AT_FACILITY = ("facility", "inpatient", "emergency")
_MONTHS_A_YEAR = 12


def _none(name: str) -> pd.DataFrame:
    tables = {**DERIVED_TABLES, **WORK_TABLES}
    return empty_table(tables[name])


@dataclass(frozen=True)
class Evidence:
    """What is known at the end of a day.

    Parameters
    ----------
    known : Register
        As :func:`chw_tools.data_processing.as_known_on` gives it for that day.
    as_of : Timestamp
        The day.
    recommendations, risks : DataFrame
        As declared; all advice, not only the few pieces that are shown.
    messages, inbound : DataFrame
        As declared in :mod:`chw_tools.records.contacting`.
    """

    known: Register
    as_of: pd.Timestamp
    recommendations: pd.DataFrame = field(default_factory=lambda: _none("recommendations"))
    risks: pd.DataFrame = field(default_factory=lambda: _none("risks"))
    messages: pd.DataFrame = field(default_factory=lambda: _none("messages"))
    inbound: pd.DataFrame = field(default_factory=lambda: _none("inbound_messages"))

    @cached_property
    def people(self) -> pd.DataFrame:
        """The living people of the programme, by key, with their likely births."""
        everybody = self.known.people
        here = everybody["died_on"].isna() & everybody["moved_on"].isna()
        people = everybody[here].sort_values("id").reset_index(drop=True)
        people["born_on"] = likely_births(people, self.as_of).astype("datetime64[s]")
        return people

    @cached_property
    def ids(self) -> pd.Index:
        """Keys of the living, sorted."""
        return pd.Index(self.people["id"])

    @cached_property
    def today(self) -> np.datetime64:
        """The day, in whole days."""
        return np.datetime64(self.as_of.date(), "D")

    @cached_property
    def _age_years(self) -> NDArray[np.float64]:
        return age_years(self.people["born_on"].to_numpy(), self.as_of)

    def concerns(self, rule: MonitoringRule) -> NDArray[np.bool_]:
        """Whom a rule is about, by age. An unknown age bars nobody from a rule of adults."""
        whom = np.ones(len(self.ids), dtype=bool)
        if rule.from_years is not None:
            whom &= ~(self._age_years < rule.from_years)
        if rule.until_months is not None:
            whom &= self._age_years < rule.until_months / _MONTHS_A_YEAR
        return whom

    def place(self, people: pd.Series) -> Places:
        """Where each key stands among the living; -1 where it does not."""
        return positions_among(people, self.ids)

    def met(self, kinds: tuple[str, ...]) -> Days:
        """Last day on which each person was seen at a visit of some kinds."""
        visits = self.known.visits
        chosen = visits[(visits["outcome"] == "seen") & visits["kind"].isin(kinds)]
        return self.last_day(self.place(chosen["person_id"]), whole_days(chosen["visited_on"]))

    def last_day(self, place: Places, day: Days) -> Days:
        """Last day of each person among some rows; missing where there is none."""
        last = np.full(len(self.ids) + 1, np.iinfo(np.int64).min)
        number = day.astype("int64")
        np.maximum.at(last, place, number)
        found: Days = last[:-1].astype("datetime64[D]")  # the least whole number reads as missing
        return found


def whole_days(days: pd.Series) -> Days:
    """Days as numpy keeps them; missing stays missing."""
    found: Days = days.to_numpy().astype("datetime64[D]")
    return found
