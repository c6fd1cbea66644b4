"""What a programme's workers do for whom, how often and with what: the scope of their work.

From it come the hours that are needed, and the supplies. A service that is not in the scope
takes no hours; the rules that give advice are another matter (:mod:`chw_tools.programme.rules`).

>>> load_scope().services["antenatal"].minutes
34.0
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from chw_tools.programme import reading
from chw_tools.programme.rule_files import read_conditions
from chw_tools.programme.rules import Condition, is_known_feature
from chw_tools.records.derived import RISK_BANDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = "scope.toml"


@dataclass(frozen=True)
class Service:
    """One thing done for some people, at home, so many times a year.

    Parameters
    ----------
    label : str
        What it is called.
    who : tuple of Condition
        Whom it is for; nobody whose answer is not known, as in all conditions.
    bands : tuple of str
        Bands of risk it is for; empty for all.
    visits_per_year : float
        Visits to each of them in a year, as long as they are such people.
    minutes : float
        At the home, for one visit.
    priority : int
        1 is given up last where the scope does not fit.
    skills : tuple of str
        What a worker must have learnt.
    items : mapping of str to float
        Units of each item that a visit uses on average.
    source, verified
        Where frequency and minutes come from, and whether that was read.
    """

    label: str
    who: tuple[Condition, ...]
    bands: tuple[str, ...]
    visits_per_year: float
    minutes: float
    priority: int
    skills: tuple[str, ...]
    items: Mapping[str, float]
    source: str
    verified: bool


@dataclass(frozen=True)
class Item:
    """One thing that is handed out or used up.

    Parameters
    ----------
    label, unit : str
        What it is called and counted in.
    pack : int
        Units in the smallest pack that is sent.
    service_level : float
        Probability that it is not used up before the next delivery.
    review_days, lead_days : float
        Days from order to order, and from order to delivery.
    wastage : float
        Share of what is used that is lost or broken.
    """

    label: str
    unit: str
    pack: int
    service_level: float
    review_days: float
    lead_days: float
    wastage: float
    source: str
    verified: bool


@dataclass(frozen=True)
class Workload:
    """Figures of a working year and of posts; sources in ``scope.toml``."""

    working_days: float
    stops_per_day: float
    walk_target_minutes: float
    walk_limit_minutes: float
    unserved_minutes: float
    rural_factor: float
    most_people_rural: float
    most_people_urban: float
    use_fall_per_km: float
    load_band: float
    continuity_minutes: float
    language_minutes: float
    visits_cv: float


@dataclass(frozen=True)
class Scope:
    """Services, items and figures of the work."""

    services: Mapping[str, Service]
    items: Mapping[str, Item]
    workload: Workload
    provenance: Mapping[str, tuple[str, str, bool]]

    def figures(self) -> Mapping[str, tuple[str, str, bool]]:
        """Value, source and whether it was read, of every number, by key."""
        return self.provenance


def load_scope(folder: Path | None = None) -> Scope:
    """The scope of a folder over the shipped one.

    Raises
    ------
    ProgrammeFault
        With every fault found.
    """
    problems = reading.Problems()
    scope = read_scope(folder, problems)
    problems.raise_if_any()
    return scope


def read_scope(folder: Path | None, problems: reading.Problems) -> Scope:
    """The same, its faults noted among others."""
    raw = reading.read_layers(FILE, folder, problems)
    reading.check_names(raw, ("services", "items", "workload"), FILE, "", problems)
    tables = {name: _tables(raw, name, problems) for name in ("services", "items", "workload")}
    items = {name: _item(name, table, problems) for name, table in tables["items"].items()}
    services = {
        name: _service(name, table, items, problems)
        for name, table in tables["services"].items()
        if not table.get("off", False)
    }
    workload = _workload(tables["workload"], problems)
    said = {
        f"{section}.{name}": _provenance(section, name, table, problems)
        for section, found in tables.items()
        for name, table in found.items()
        if not table.get("off", False)
    }
    return Scope(services, items, workload, said)


def _tables(
    raw: dict[str, Any], section: str, problems: reading.Problems
) -> dict[str, dict[str, Any]]:
    found = raw.get(section, {})
    if not isinstance(found, dict):
        problems.add(FILE, section, "must be a table of tables")
    tables = found.items() if isinstance(found, dict) else ()
    for name, table in tables:
        if not isinstance(table, dict):
            problems.add(FILE, f"{section}.{name}", "must be a table")
    return {name: table for name, table in tables if isinstance(table, dict)}


_SOURCED = ("source", "verified")
_SERVICE = (
    "label",
    "who",
    "bands",
    "visits_per_year",
    "minutes",
    "priority",
    "skills",
    "items",
    "off",
    *_SOURCED,
)


def _service(
    name: str, table: dict[str, Any], items: dict[str, Item], problems: reading.Problems
) -> Service:
    key = f"services.{name}"
    reading.check_names(table, _SERVICE, FILE, key, problems)
    who = read_conditions(table, "who", key, problems, file=FILE)
    for condition in who:
        if not is_known_feature(condition.feature):
            problems.add(FILE, f"{key}.who", f"no feature is called {condition.feature}")
    uses = table.get("items", {})
    for item in uses:
        if item not in items:
            problems.add(FILE, f"{key}.items.{item}", "no item is called so")
    return Service(
        label=reading.read_text(table, "label", FILE, key, problems),
        who=who,
        bands=_words(table, "bands", key, problems, allowed=RISK_BANDS),
        visits_per_year=reading.read_number(
            table, "visits_per_year", FILE, key, problems, high=1000
        ),
        minutes=reading.read_number(table, "minutes", FILE, key, problems, high=480),
        priority=int(reading.read_number(table, "priority", FILE, key, problems, low=1, high=99)),
        skills=_words(table, "skills", key, problems),
        items={
            item: reading.read_number(uses, item, FILE, f"{key}.items", problems) for item in uses
        },
        source=str(table.get("source", "")),
        verified=table.get("verified") is True,
    )


def _words(
    table: dict[str, Any],
    name: str,
    key: str,
    problems: reading.Problems,
    *,
    allowed: tuple[str, ...] = (),
) -> tuple[str, ...]:
    words = table.get(name, [])
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        problems.add(FILE, f"{key}.{name}", "must be a list of names")
        return ()
    if allowed and not set(words) <= set(allowed):
        problems.add(FILE, f"{key}.{name}", f"must be of {', '.join(allowed)}")
    return tuple(words)


_ITEM_NUMBERS = {
    "pack": (1.0, 1e5),
    "service_level": (0.5, 0.9999),
    "review_days": (1.0, 366.0),
    "lead_days": (0.0, 366.0),
    "wastage": (0.0, 0.9),
}


def _item(name: str, table: dict[str, Any], problems: reading.Problems) -> Item:
    key = f"items.{name}"
    reading.check_names(table, ("label", "unit", *_ITEM_NUMBERS, *_SOURCED), FILE, key, problems)
    numbers = {
        number: reading.read_number(table, number, FILE, key, problems, low=low, high=high)
        for number, (low, high) in _ITEM_NUMBERS.items()
    }
    return Item(
        label=reading.read_text(table, "label", FILE, key, problems),
        unit=reading.read_text(table, "unit", FILE, key, problems),
        pack=int(numbers["pack"]),
        service_level=numbers["service_level"],
        review_days=numbers["review_days"],
        lead_days=numbers["lead_days"],
        wastage=numbers["wastage"],
        source=str(table.get("source", "")),
        verified=table.get("verified") is True,
    )


#: Limits of the figures that may not be zero, or have a highest value.
_LIMITS = {
    "working_days": (1.0, 366.0),
    "stops_per_day": (0.5, 100.0),
    "rural_factor": (1.0, 5.0),
    "most_people_rural": (1.0, 1e6),
    "most_people_urban": (1.0, 1e6),
    "use_fall_per_km": (0.0, 0.99),
    "visits_cv": (0.0, 2.0),
}


def _workload(tables: dict[str, dict[str, Any]], problems: reading.Problems) -> Workload:
    names = [field.name for field in fields(Workload)]
    reading.check_names(tables, names, FILE, "workload", problems)
    values = {}
    for name in names:
        low, high = _LIMITS.get(name, (0.0, 1e6))
        table = tables.get(name, {})
        key = f"workload.{name}"
        reading.check_names(table, ("value", "unit", *_SOURCED), FILE, key, problems)
        values[name] = reading.read_number(table, "value", FILE, key, problems, low=low, high=high)
    return Workload(**values)


def _provenance(
    section: str, name: str, table: dict[str, Any], problems: reading.Problems
) -> tuple[str, str, bool]:
    key = f"{section}.{name}"
    source = reading.read_text(table, "source", FILE, key, problems)
    if not source.strip():
        problems.add(FILE, f"{key}.source", "a number without a source is not used")
    verified = reading.read_flag(table, "verified", FILE, key, problems, default=False)
    return _value_said(section, table), source, verified


def _value_said(section: str, table: dict[str, Any]) -> str:
    if section == "workload":
        return f"{table.get('value')} {table.get('unit', '')}".strip()
    if section == "services":
        return f"{table.get('visits_per_year')} a year, {table.get('minutes')} min"
    level, review = table.get("service_level"), table.get("review_days")
    return f"pack of {table.get('pack')}; level {level}; ordered every {review} d"
