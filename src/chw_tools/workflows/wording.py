"""Facts as a person reads them: names, ages, places, values with their units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.data_processing import as_known_on
from chw_tools.records import load_catalogue
from chw_tools.records.condition_groups import load_code_groups
from chw_tools.workflows.views import Measurement, Reason, RiskShown, WhatIf

if TYPE_CHECKING:
    from datetime import date

    from chw_tools.programme.effects import Effect, Effects
    from chw_tools.records import Register

_OUTCOMES = {
    "hospital_admission_180d": "Hospital admission or death within 180 days",
    "cvd_10y": "Heart attack or stroke within 10 years",
}
_DAYS_A_YEAR = 365.25
# Below two years an age is told in months: growth and vaccines go by months.
_MONTHS_UNTIL_YEARS = 2
#: Fewer than one in a hundred is said so, never as a nought.
_RARE = 0.01


def maybe(value: Any) -> Any:
    """The value, or None where it is missing."""
    return None if pd.isna(value) else value


def text(value: Any, otherwise: str) -> str:
    """The text, or other words where there is none."""
    return otherwise if pd.isna(value) or not str(value).strip() else str(value)


def number(value: Any) -> float | None:
    """The number, or None where it is missing."""
    return None if pd.isna(value) else float(value)


def day(value: Any) -> date | None:
    """The day, or None where it is missing."""
    return None if pd.isna(value) else pd.Timestamp(value).date()


def age(born_on: Any, as_of: pd.Timestamp) -> str:
    """An age in words.

    >>> age(pd.Timestamp("2024-01-01"), pd.Timestamp("2024-09-02"))
    '8 months'
    """
    if pd.isna(born_on):
        return "age not known"
    days = (as_of - born_on).days
    years = int(days / _DAYS_A_YEAR)
    if years >= _MONTHS_UNTIL_YEARS:
        return f"{years} years"
    months = int(days / (_DAYS_A_YEAR / 12))
    if months < 1:
        return "1 day" if days == 1 else f"{max(days, 0)} days"
    return "1 month" if months == 1 else f"{months} months"


#: Why somebody due this week may stand before somebody due today.
_ON_THE_WAY = " Others at the same home are seen on the same walk."


def ordered_by(summary: dict[str, Any]) -> str:
    """How a plan's order was made, in one sentence."""
    if summary.get("has_model"):
        return (
            "Danger signs first, then guideline rules, then expected benefit from the model's risk."
            + _ON_THE_WAY
        )
    return (
        "Danger signs first, then guideline rules, overdue time and a published score; no model."
        + _ON_THE_WAY
    )


class Places:
    """Names of areas."""

    def __init__(self, areas: pd.DataFrame) -> None:
        self._names = dict(zip(areas["id"], areas["name"], strict=True))

    def of(self, area_id: Any) -> str:
        """The name of an area; empty where it is not known."""
        return "" if pd.isna(area_id) else str(self._names.get(area_id, ""))


class People:
    """What identifies people to a worker: name, sex, age, place."""

    def __init__(self, register: Register, places: Places, as_of: pd.Timestamp) -> None:
        # Looked up for hundreds of people a page, one by one: a dict is ten times faster.
        self._people = register.people.set_index("id").to_dict("index")
        homes = register.households
        self._area_of_home = dict(zip(homes["id"], homes["area_id"], strict=True))
        self._places = places
        self._as_of = as_of

    def facts(self, person_id: str) -> dict[str, str]:
        """Name, sex, age and place of a person."""
        person = self._people[person_id]
        names = [text(person["given_name"], ""), text(person["family_name"], "")]
        area = self._area_of_home.get(person["household_id"], person["area_id"])
        return {
            "name": " ".join(name for name in names if name) or "(no name)",
            "sex": str(person["sex"]),
            "age": age(person["born_on"], self._as_of),
            "place": self._places.of(area),
        }

    def household(self, person_id: str) -> str | None:
        """Key of the household, where known."""
        key: str | None = maybe(self._people[person_id]["household_id"])
        return key

    def phone(self, person_id: str) -> str | None:
        """Telephone number, where known."""
        phone: str | None = maybe(self._people[person_id]["phone"])
        return phone


def gone(known: Register) -> set[str]:
    """Who died or moved away, by a register as known on a day."""
    people = known.people
    return set(people.loc[people["died_on"].notna() | people["moved_on"].notna(), "id"])


def statuses(register: Register, as_of: pd.Timestamp) -> dict[str, str]:
    """Who is not simply in the register: died, moved away, merged."""
    known = as_known_on(register, as_of).people
    said = {
        key: "merged into another entry" for key in set(register.people["id"]) - set(known["id"])
    }
    said |= {key: "moved away" for key in known.loc[known["moved_on"].notna(), "id"]}
    said |= {key: "died" for key in known.loc[known["died_on"].notna(), "id"]}
    return said


def measurements(observations: pd.DataFrame) -> tuple[Measurement, ...]:
    """The latest value of each observable of the catalogue, newest first."""
    known = load_catalogue().by_code()
    has_value = observations["value_number"].notna() | observations["value_code"].notna()
    # Of two answers about a danger sign on one day the yes counts, as in the features.
    signs = {code for code, entry in known.items() if entry.is_danger_sign}
    codes = zip(observations["system"], observations["code"], strict=True)
    is_there = np.array([code in signs for code in codes], dtype=bool)
    is_there &= (observations["value_code"] == "yes").to_numpy(dtype=bool)
    newest = observations.assign(is_there=is_there)[has_value].sort_values(
        ["observed_on", "is_there", "id"], ascending=False
    )
    found: dict[str, Measurement] = {}
    for row in newest.itertuples(index=False):
        entry = known.get((row.system, row.code))  # type: ignore[call-overload]
        if entry is None or entry.name in found:
            continue
        value = row.value_code if pd.isna(row.value_number) else f"{row.value_number:.4g}"
        unit = "" if entry.kind == "choice" or entry.unit in ("1", "") else f" {entry.unit}"
        found[entry.name] = Measurement(
            entry.name, entry.label, f"{value}{unit}", row.observed_on.date()
        )
    return tuple(found.values())


def conditions(table: pd.DataFrame) -> tuple[str, ...]:
    """Labels of the condition groups that a person's open conditions fall in."""
    return tuple(
        group.label
        for group in load_code_groups().conditions.values()
        if any(
            group.holds(row.system, row.code) and (group.lifelong or pd.isna(row.resolved_on))
            for row in table.itertuples(index=False)
        )
    )


def risk_shown(row: Any, population: str) -> RiskShown:
    """A risk as shown; a number only where one was left (``Assessment.shown_risks``)."""
    risk = number(row.risk)
    reasons = () if row.reasons is None else row.reasons
    return RiskShown(
        outcome=row.outcome,
        label=_OUTCOMES.get(row.outcome, row.outcome.replace("_", " ")),
        state=row.state,
        band=maybe(row.band),
        of_100=None if risk is None else _of_100(risk),
        risk=risk,
        reasons=tuple(
            Reason(r["label"], str(r["value"]), r["effect"] > 0, float(r["effect"]))
            for r in reasons
        ),
        note=text(row.note, ""),
        model=row.model,
        population=population,
    )


def what_if_shown(table: pd.DataFrame, effects: Effects) -> tuple[WhatIf, ...]:
    """What would change one person's risk, as shown."""
    by_id = {effect.id: effect for effect in effects.effects}
    return tuple(_what_if(row, by_id.get(row.effect_id)) for row in table.itertuples(index=False))


def _what_if(row: Any, effect: Effect | None) -> WhatIf:
    return WhatIf(
        effect_id=row.effect_id,
        outcome=_OUTCOMES.get(row.outcome, row.outcome.replace("_", " ")),
        action="All of these together" if effect is None else effect.action,
        of_100_now=_of_100(row.risk),
        of_100_after=_of_100(row.risk_after),
        of_100_low=_of_100(row.risk_after_low).removeprefix("about "),
        of_100_high=_of_100(row.risk_after_high).removeprefix("about "),
        change=float(row.change),
        change_low=float(row.change_low),
        change_high=float(row.change_high),
        ask="" if effect is None else effect.ask,
        who_acts="" if effect is None else effect.who_acts,
        population="" if effect is None else effect.population,
        source="Each alone as above; pressures added up to a limit"
        if effect is None
        else effect.source,
        is_verified=effect is not None and effect.verified,
    )


def _of_100(risk: float) -> str:
    return "fewer than 1" if risk < _RARE else f"about {risk * 100:.0f}"
