"""Days as entered by hand: one typing error must not become the register's last day.

What is imported is checked by :mod:`chw_tools.data_processing`; this is the same for what
is entered here.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from chw_tools.data_processing import earliest_births
from chw_tools.data_processing.clean import EARLIEST_DAY
from chw_tools.errors import InputError

if TYPE_CHECKING:
    from chw_tools.workflows.ports import RegisterStore

#: A list is made for tomorrow, and today's date differs by place: one day ahead is no fault.
AHEAD = timedelta(days=1)


def check_day(
    store: RegisterStore, person_id: str, on: date, *, today: date, known_on: date | None = None
) -> None:
    """Refuse a day on which nothing can have happened to a person.

    Parameters
    ----------
    store : RegisterStore
        Tells the person's birth.
    person_id : str
        A person of the register.
    on : date
        Day on which it is said to have happened.
    today : date
        Day of the entry.
    known_on : date, optional
        Day on which the programme is said to have learnt of it.

    Raises
    ------
    InputError
        With the reason.
    """
    if max(on, known_on or on) > today + AHEAD:
        raise InputError("The day lies in the future.", where="on", cure="Check the year.")
    if known_on is not None and known_on < on:
        raise InputError("It cannot be known before it happened.", where="known_on")
    people = store.load_register(person_ids=[person_id], tables=("people",)).people
    births = earliest_births(people[people["id"] == person_id]).dropna()
    if pd.Timestamp(on) < max([EARLIEST_DAY, *births]):
        raise InputError(
            "The day lies before the person's birth.", where="on", cure="Check both days."
        )
