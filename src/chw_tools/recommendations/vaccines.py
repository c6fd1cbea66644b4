"""Which vaccines a child under two is due for, as one piece of advice for each child."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.programme.immunisation import Period
from chw_tools.programme.programme import VACCINES_DUE
from chw_tools.programme.texts import Translation, english
from chw_tools.recommendations.immunisation import Given, NextDose, Person, next_dose
from chw_tools.records.codes import CVX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from chw_tools.programme.immunisation import VaccineSchedule

RULE_ID = VACCINES_DUE
#: Advice is given until the second birthday, when the series of infancy and their booster are
#: over (WHO immunisations kit, IMMZ.D18.S.DTP: booster overdue at 24 months).
UNTIL = Period(months=24)
#: Where WHO names no day of being overdue, a dose is called late after so many days; a
#: decision of this project, the interval between two doses of infancy.
LATE_AFTER_DAYS = 28
_COLUMNS = ("person_id", "days", "is_late", "action", "reason", "source", "is_verified")


def vaccines_due(
    people: pd.DataFrame,
    immunisations: pd.DataFrame,
    *,
    schedule: VaccineSchedule,
    as_of: pd.Timestamp,
    ahead_days: int,
    words: Translation | None = None,
) -> pd.DataFrame:
    """One row for each child under two to whom a vaccine is due, or soon will be.

    Parameters
    ----------
    people, immunisations : DataFrame
        As known on the day.
    schedule : VaccineSchedule
        The programme's schedule.
    as_of : Timestamp
        The day.
    ahead_days : int
        Doses that fall due within so many days are named too.
    words : Translation, optional
        The language to tell it in; English where none is given.

    Returns
    -------
    DataFrame
        ``person_id``, ``days`` until the first of them is due (negative: since), ``is_late``,
        ``action``, ``reason``, ``source`` and ``is_verified``. A child whose register holds
        no dose is not taken for unvaccinated: the card is asked for.
    """
    today, said = as_of.date(), words or english()
    children = _under_two(people, as_of)
    given = _given(immunisations, children["id"])
    rows = [
        row
        for child in children[["id", "born_on", "sex"]].itertuples(index=False)
        if (row := _of_child(child, given.get(child.id, ()), schedule, today, ahead_days, said))
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _under_two(people: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    here = people["died_on"].isna() & people["moved_on"].isna()
    young = (people["born_on"] > as_of - pd.DateOffset(months=UNTIL.months)) & (
        people["born_on"] <= as_of
    )
    return people[here & young]


def _given(immunisations: pd.DataFrame, ids: pd.Series) -> Mapping[str, list[Given]]:
    """Doses in CVX by person; other codes are in no schedule."""
    some = immunisations[(immunisations["system"] == CVX) & immunisations["person_id"].isin(ids)]
    given: dict[str, list[Given]] = {}
    for person, day, code in zip(
        some["person_id"], some["given_on"].dt.date, some["code"], strict=True
    ):
        given.setdefault(person, []).append(Given(day, code))
    return given


def _of_child(
    child: Any,
    given: Sequence[Given],
    schedule: VaccineSchedule,
    today: date,
    ahead_days: int,
    words: Translation,
) -> dict[str, Any] | None:
    sex = child.sex if isinstance(child.sex, str) else ""
    person = Person(child.born_on.date(), sex)
    found = [
        next_dose(name, given, person=person, schedule=schedule, as_of=today)
        for name in schedule.names()
    ]
    due = [one for one in found if one is not None and _in_days(one, today) <= ahead_days]
    if not due:
        return None
    due.sort(key=lambda one: _in_days(one, today))
    named = ", ".join(_vaccine(one, words) for one in due)
    days = int(_in_days(due[0], today))
    return {
        "person_id": child.id,
        "days": days,
        "is_late": any(_is_late(one, today) for one in due),
        "action": _action(named, given, words),
        "reason": _reason(due[0], days, given, words),
        "source": f"{due[0].series.source}; other vaccines: the programme's schedule",
        "is_verified": all(one.series.verified for one in due),
    }


def _in_days(one: NextDose, today: date) -> float:
    return np.inf if one.due_on is None else (one.due_on - today).days


def _is_late(one: NextDose, today: date) -> bool:
    if one.overdue_on is not None:
        return one.overdue_on <= today
    return _in_days(one, today) < -LATE_AFTER_DAYS


def _vaccine(one: NextDose, words: Translation) -> str:
    label = words.text(f"series.{one.series.name}.label", one.series.label)
    return words.text(f"{RULE_ID}.vaccine").format(label=label, number=one.number)


def _action(named: str, given: Sequence[Given], words: Translation) -> str:
    return words.text(f"{RULE_ID}.{'action' if given else 'action_no_dose'}").format(vaccines=named)


def _reason(first: NextDose, days: int, given: Sequence[Given], words: Translation) -> str:
    """When the first is due; then how many doses of all vaccines are recorded."""
    assert first.due_on is not None  # noqa: S101 (only doses with a day come here)
    vaccine = _vaccine(first, words)
    due = words.text(f"{RULE_ID}.{'due_since' if days < 0 else 'due_on'}").format(
        vaccine=f"{vaccine[0].upper()}{vaccine[1:]}", day=_day(first.due_on, words)
    )
    if not given:
        return f"{due} {words.text(f'{RULE_ID}.no_dose')}"
    recorded = words.text(f"{RULE_ID}.{'one_dose' if len(given) == 1 else 'doses'}")
    last = _day(max(one.day for one in given), words)
    return f"{due} {recorded.format(n=len(given), last=last)}"


def _day(day: date, words: Translation) -> str:
    return f"{day.day} {words.months[day.month - 1]} {day.year}"
