"""The catalogue of what can be observed: names, codes, units, limits.

One entry gives an observation its name in features, forms and reports, the codes it may
come under, its unit with the factors of others, the limits of the possible (outside: to
quarantine) and of the usual (outside: kept, and listed in the import report).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from chw_tools.records.codes import DANGER_SIGN, SYMPTOM, Code

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Observable:
    """One entry of the catalogue; limits are inclusive and in ``unit``."""

    name: str
    label: str
    code: Code
    also: tuple[Code, ...] = ()
    kind: Literal["number", "choice"] = "number"
    unit: str = ""
    units: Mapping[str, float] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    usual_low: float | None = None
    usual_high: float | None = None
    allowed: tuple[str, ...] = ()
    same_day_differs: float | None = None
    same_day: Literal["later", "highest"] = "later"

    @property
    def codes(self) -> tuple[Code, ...]:
        """Every code it may come under, the preferred one first."""
        return (self.code, *self.also)

    @property
    def is_danger_sign(self) -> bool:
        """Whether a ``yes`` is a danger sign."""
        return self.code.system == DANGER_SIGN

    @property
    def is_highest_of_day(self) -> bool:
        """Whether of several answers of one day the highest counts; of a sign that is ``yes``."""
        return self.is_danger_sign or self.same_day == "highest"

    @property
    def is_symptom(self) -> bool:
        """Whether it is asked of the sick, and therefore nothing a model may use."""
        return self.code.system == SYMPTOM


@dataclass(frozen=True)
class Catalogue:
    """All observables, by name and by code."""

    entries: Mapping[str, Observable]

    def by_code(self) -> dict[Code, Observable]:
        """Each known code with the observable it means."""
        return {code: entry for entry in self.entries.values() for code in entry.codes}

    def danger_signs(self) -> list[Observable]:
        """The danger signs, in the catalogue's order."""
        return [entry for entry in self.entries.values() if entry.is_danger_sign]

    def __getitem__(self, name: str) -> Observable:
        return self.entries[name]


@cache
def load_catalogue() -> Catalogue:
    """The catalogue shipped with the package.

    >>> load_catalogue()["systolic_mmhg"].code.code
    '8480-6'
    """
    text = files("chw_tools.records").joinpath("catalogue.toml").read_text(encoding="utf-8")
    return Catalogue({name: _read(name, entry) for name, entry in tomllib.loads(text).items()})


def _read(name: str, entry: dict[str, Any]) -> Observable:
    return Observable(
        name=name,
        label=entry["label"],
        code=Code(*entry["code"]),
        also=tuple(Code(*pair) for pair in entry.get("also", ())),
        kind=entry.get("kind", "number"),
        unit=entry.get("unit", ""),
        units=entry.get("units", {}),
        low=entry.get("low"),
        high=entry.get("high"),
        usual_low=entry.get("usual_low"),
        usual_high=entry.get("usual_high"),
        allowed=tuple(entry.get("allowed", ())),
        same_day_differs=entry.get("same_day_differs"),
        same_day=entry.get("same_day", "later"),
    )
