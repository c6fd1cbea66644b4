"""Whose number can be written to, and what is wrong with the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from chw_tools.outreach.numbers import read_numbers

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd

    from chw_tools.records import Register


class PeopleStore(Protocol):
    """Where people are."""

    def load_register(self, *, tables: Collection[str] | None = ...) -> Register: ...


def check_numbers(*, store: PeopleStore, country: str) -> pd.DataFrame:
    """Each living person's number, read.

    Parameters
    ----------
    store : PeopleStore
        The register.
    country : str
        Two letters of the programme's country, for numbers without a code.

    Returns
    -------
    DataFrame
        ``person_id``, ``kind``, ``fault``, ``can_text`` and ``n_sharing`` (people on the same
        number, oneself included; 0 without a number). No number itself.
    """
    people = store.load_register(tables=["people"]).people
    people = people[people["died_on"].isna()].reset_index(drop=True)
    read = read_numbers(people["phone"], country=country)
    sharing = read["e164"].map(read["e164"].value_counts()).fillna(0).astype(int)
    return read[["kind", "fault", "can_text"]].assign(person_id=people["id"], n_sharing=sharing)[
        ["person_id", "kind", "fault", "can_text", "n_sharing"]
    ]
