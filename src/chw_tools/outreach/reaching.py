"""How people may be reached: number, consent by channel, language, worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chw_tools.outreach.enrolment import Reach
from chw_tools.outreach.numbers import read_numbers

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import pandas as pd

    from chw_tools.records import Register

#: Channels that consent can cover, messages and what humans do.
CHANNELS = ("sms", "whatsapp", "email", "call")
_LEFT = ("refused", "withdrawn")


def reaches_of(
    known: Register,
    person_ids: Collection[str],
    *,
    country: str,
    purpose: str = "outreach",
    workers: Mapping[str, str] | None = None,
) -> dict[str, Reach]:
    """How each of some people may be reached, by the register as known on a day.

    Parameters
    ----------
    known : Register
        As known.
    person_ids : collection of str
        Who.
    country : str
        Of numbers without a code, two letters.
    purpose : str
        That consent must cover.
    workers : mapping of str to str, optional
        Worker by person, where a plan says it; else whoever usually visits the household.
    """
    people = known.people[known.people["id"].isin(list(person_ids))]
    numbers = read_numbers(people["phone"], country=country)
    homes = known.households.set_index("id")["worker_id"]
    usual = people["household_id"].map(homes)
    given = consents_of(known.consents, purpose=purpose)
    workers = workers or {}
    return {
        person: Reach(
            number=number if isinstance(number, str) else "",
            can_text=bool(can_text),
            consents=given.get(person, frozenset()),
            language=language if isinstance(language, str) else "",
            worker_id=workers.get(person) or (worker if isinstance(worker, str) else None),
        )
        for person, number, can_text, language, worker in zip(
            people["id"],
            numbers["e164"],
            numbers["can_text"],
            people["language"],
            usual,
            strict=True,
        )
    }


def consents_of(consents: pd.DataFrame, *, purpose: str) -> dict[str, frozenset[str]]:
    """Channels that each person consents to now; nothing said is no consent."""
    given: dict[str, frozenset[str]] = {}
    for channel in CHANNELS:
        newest = _newest(consents, purpose, channel)
        for person in newest.index[newest == "given"]:
            given[person] = given.get(person, frozenset()) | {channel}
    return given


def withdrawn_of(consents: pd.DataFrame, *, purposes: Collection[str]) -> set[tuple[str, str]]:
    """People with the purpose for which they want no more contact by any channel."""
    found = set()
    for purpose in purposes:
        general = _newest(consents[consents["channel"].isna()], purpose, None)
        left = set(general.index[general.isin(_LEFT)])
        still = set(consents_of(consents, purpose=purpose))
        found |= {(person, purpose) for person in left - still}
    return found


def _newest(consents: pd.DataFrame, purpose: str, channel: str | None) -> pd.Series:
    """The newest decision of each person that covers a channel; a general one covers all."""
    covers = consents["channel"].isna()
    if channel is not None:
        covers = covers | (consents["channel"] == channel)
    rows = consents[(consents["purpose"] == purpose) & covers]
    rows = rows.sort_values(["decided_on", "known_on", "id"])
    return rows.drop_duplicates("person_id", keep="last").set_index("person_id")["decision"]
