"""The numbers of ``programme.toml``: the working day, intervals, bands of risk, effects of a visit.

Each is a table with its source; one without is a fault.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from chw_tools.programme import reading
from chw_tools.records.derived import RISK_BANDS

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

FILE = "programme.toml"
#: The tables of the file that hold numbers.
SECTIONS = (
    "planning",
    "visit_within_days",
    "risk_bands",
    "visit_effects",
)
_FIGURE_KEYS = ("value", "unit", "source", "verified")


@dataclass(frozen=True)
class Planning:
    """Figures of a working day; minutes, kilometres, days. Sources: ``Programme.figures``."""

    people_per_worker: float
    capacity_minutes: float
    visit_minutes: float
    further_person_minutes: float
    default_travel_minutes: float
    walking_km_per_h: float
    detour: float
    look_ahead_days: float
    overdue_doubling_days: float
    max_recommendations: float
    weight_within_days: float
    weight_routine: float
    overdue_most: float


#: Lowest value each planning figure may take where zero would divide or stop all work.
_LOWEST = {
    "people_per_worker": 1.0,
    "walking_km_per_h": 0.1,
    "detour": 1.0,
    "overdue_doubling_days": 1.0,
    "max_recommendations": 1.0,
    "overdue_most": 1.0,
}


@dataclass(frozen=True)
class RiskBands:
    """Lowest probability of each band above ``low``."""

    moderate: float
    high: float
    very_high: float
    source: str = ""
    verified: bool = False

    def of(self, risk: ArrayLike) -> NDArray[np.object_]:
        """The band of each probability; missing where the probability is.

        >>> RiskBands(0.05, 0.1, 0.2).of([0.04, 0.1, 0.9]).tolist()
        ['low', 'high', 'very_high']
        """
        values = np.asarray(risk, dtype=float)
        steps = np.searchsorted([self.moderate, self.high, self.very_high], values, side="right")
        bands: NDArray[np.object_] = np.array(RISK_BANDS, dtype=object)[steps]
        bands[np.isnan(values)] = None
        return bands


@dataclass(frozen=True)
class VisitEffect:
    """What a visit does to the risk of an outcome: relative risk and its interval."""

    relative_risk: float
    low: float
    high: float
    source: str
    verified: bool

    @property
    def reduction(self) -> float:
        """Share of the risk that a visit takes away; never below none."""
        return max(0.0, 1.0 - self.relative_risk)


def tables_of(
    raw: dict[str, Any], section: str, problems: reading.Problems
) -> list[tuple[str, dict[str, Any]]]:
    """The tables of a section by name; what is none is noted."""
    tables = raw.get(section, {})
    for name, table in tables.items():
        if not isinstance(table, dict):
            problems.add(FILE, f"{section}.{name}", "must be a table")
    return [(name, table) for name, table in tables.items() if isinstance(table, dict)]


def _provenance(table: dict[str, Any], key: str, problems: reading.Problems) -> tuple[str, bool]:
    source = reading.read_text(table, "source", FILE, key, problems)
    if not source.strip():
        problems.add(FILE, f"{key}.source", "a number without a source is not used")
    return source, reading.read_flag(table, "verified", FILE, key, problems, default=False)


def _figure(
    table: Any, key: str, problems: reading.Problems, *, low: float, high: float = 1e6
) -> float:
    if not isinstance(table, dict):
        problems.add(FILE, key, "must be a table with value, unit, source and verified")
        return low
    reading.check_names(table, _FIGURE_KEYS, FILE, key, problems)
    _provenance(table, key, problems)
    return reading.read_number(table, "value", FILE, key, problems, low=low, high=high)


def read_planning(tables: dict[str, Any], problems: reading.Problems) -> Planning:
    """The figures of a working day."""
    names = [field.name for field in fields(Planning)]
    reading.check_names(tables, names, FILE, "planning", problems)
    return Planning(
        **{
            name: _figure(
                tables.get(name), f"planning.{name}", problems, low=_LOWEST.get(name, 0.0)
            )
            for name in names
        }
    )


def read_visit_within_days(tables: dict[str, Any], problems: reading.Problems) -> dict[str, int]:
    """Within how many days somebody at a raised risk is seen again, by band."""
    raised = ("high", "very_high")
    reading.check_names(tables, raised, FILE, "visit_within_days", problems)
    days = {
        band: int(_figure(tables.get(band), f"visit_within_days.{band}", problems, low=0, high=366))
        for band in raised
    }
    if days["very_high"] > days["high"]:
        problems.add(
            FILE, "visit_within_days", "a very high risk may not wait longer than a high one"
        )
    return days


def read_bands(name: str, table: dict[str, Any], problems: reading.Problems) -> RiskBands:
    """The bands of one outcome."""
    key = f"risk_bands.{name}"
    reading.check_names(table, (*RISK_BANDS[1:], "source", "verified"), FILE, key, problems)
    moderate, high, very_high = (
        reading.read_number(table, band, FILE, key, problems, high=1.0) for band in RISK_BANDS[1:]
    )
    if not moderate < high < very_high:
        problems.add(FILE, key, "moderate, high and very_high must rise")
    return RiskBands(moderate, high, very_high, *_provenance(table, key, problems))


def read_visit_effect(name: str, table: dict[str, Any], problems: reading.Problems) -> VisitEffect:
    """What a visit does to the risk of one outcome."""
    key = f"visit_effects.{name}"
    parts = ("relative_risk", "low", "high")
    reading.check_names(table, (*parts, "source", "verified"), FILE, key, problems)
    risk, low, high = (
        reading.read_number(table, part, FILE, key, problems, high=10.0) for part in parts
    )
    if not low <= risk <= high:
        problems.add(FILE, key, "relative_risk must lie between low and high")
    return VisitEffect(risk, low, high, *_provenance(table, key, problems))
