"""What people decided: region, capacities, intervals, bands of risk, effects and rules.

Each number keeps its source and whether that source was read. A number is never written
into a stage; stages take it from here.

>>> load_programme().planning.visit_minutes
34.0
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from chw_tools.programme import reading
from chw_tools.programme.comparing import compare_rules
from chw_tools.programme.effects import Effects, load_effects, read_effects
from chw_tools.programme.immunisation import VaccineSchedule, load_schedule, read_schedule
from chw_tools.programme.monitoring import (
    ANY_ADVICE,
    MonitoringRule,
    load_monitoring,
    read_monitoring,
)
from chw_tools.programme.monitoring import FILE as MONITORING_FILE
from chw_tools.programme.outreach import Outreach, load_outreach, read_outreach
from chw_tools.programme.protocols import OutreachProtocol, load_protocols, read_protocols
from chw_tools.programme.risk_steps import GENERAL, RiskStep, read_risk_steps
from chw_tools.programme.rules import FILE as RULES_FILE
from chw_tools.programme.rules import Rule, read_rules, shipped_rule_sets
from chw_tools.programme.scope import Scope, load_scope, read_scope
from chw_tools.programme.texts import (
    WRITTEN_IN,
    Translation,
    file_of,
    missing_texts,
    read_translations,
    wrong_texts,
)
from chw_tools.records.derived import RISK_BANDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

_FILE = "programme.toml"
#: The advice of the schedule engine, which is no rule of a file.
VACCINES_DUE = "vaccines_due"


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


@dataclass(frozen=True)
class Figure:
    """One decided number, or rule, with where it comes from."""

    key: str
    value: str
    source: str
    verified: bool


@dataclass(frozen=True)
class Programme:
    """Everything a programme decided; see ``docs/guidelines.md``."""

    name: str
    country: str
    who_region: str
    planning: Planning
    visit_within_days: Mapping[str, int]
    risk_bands: Mapping[str, RiskBands]
    visit_effects: Mapping[str, VisitEffect]
    rules: tuple[Rule, ...]
    figures: tuple[Figure, ...]
    vaccination: VaccineSchedule = field(default_factory=load_schedule)
    scope: Scope = field(default_factory=load_scope)
    effects: Effects = field(default_factory=load_effects)
    monitoring: tuple[MonitoringRule, ...] = field(default_factory=load_monitoring)
    protocols: Mapping[str, OutreachProtocol] = field(default_factory=load_protocols)
    outreach: Outreach = field(default_factory=load_outreach)
    risk_steps: Mapping[tuple[str, str], RiskStep] = field(default_factory=dict)
    language: str = WRITTEN_IN
    translations: Mapping[str, Translation] = field(default_factory=dict)

    @cached_property
    def features_of_rules(self) -> frozenset[str]:
        """Every feature that some rule reads."""
        return frozenset().union(*(rule.features() for rule in self.rules))

    def translation(self, language: str | None = None) -> Translation:
        """The texts of a language; of the programme's own where none is asked for."""
        language = language or self.language
        return self.translations.get(language, Translation(language))

    def bands_for(self, outcome: str) -> RiskBands:
        """The bands of the outcome, or the default ones."""
        return self.risk_bands.get(outcome, self.risk_bands["default"])

    def step_for(self, outcome: str, band: str) -> RiskStep:
        """What to do at that band of that risk."""
        return self.risk_steps.get((outcome, band), GENERAL)

    def effect_for(self, outcome: str) -> VisitEffect | None:
        """What a visit does to the outcome; nothing is assumed where nothing is declared."""
        return self.visit_effects.get(outcome)

    def unverified(self) -> tuple[Figure, ...]:
        """Every number and rule whose source was not read yet, to be confirmed."""
        return tuple(figure for figure in self.figures if not figure.verified)


def load_programme(folder: Path | None = None) -> Programme:
    """The programme of a folder, over the defaults shipped with the package.

    Parameters
    ----------
    folder : Path, optional
        Holds ``programme.toml``, ``rules.toml`` and ``texts_<language>.toml``, each optional
        and each naming only what differs from the defaults, and ``immunisation.toml``, which
        replaces the whole schedule.

    Raises
    ------
    ProgrammeFault
        With every fault found, by file, line and key.
    """
    programme, problems = read_programme(folder)
    problems.raise_if_any()
    return programme


def read_programme(folder: Path | None = None) -> tuple[Programme, reading.Problems]:
    """The programme of a folder as far as it can be read, and all that is wrong with it."""
    problems = reading.Problems()
    raw = reading.read_layers(_FILE, folder, problems)
    rules = read_rules(folder, problems)
    vaccination = read_schedule(folder, problems)
    scope = read_scope(folder, problems)
    effects = read_effects(folder, problems)
    monitoring = read_monitoring(folder, problems)
    protocols = read_protocols(folder, problems)
    outreach = read_outreach(folder, problems)
    reading.check_names(raw, _TOP, _FILE, "", problems)
    texts = [reading.read_text(raw, name, _FILE, "", problems) for name in _TEXTS]
    translations = read_translations(_languages(raw, texts[-1], problems), folder, problems)
    _check_together(rules, translations, problems)
    _check_advice(monitoring, rules, problems)
    programme = Programme(
        name=texts[0],
        country=texts[1],
        who_region=texts[2],
        language=texts[3],
        translations=translations,
        planning=_planning(raw.get("planning", {}), problems),
        visit_within_days=_visit_within_days(raw.get("visit_within_days", {}), problems),
        risk_bands={
            name: _bands(name, t, problems) for name, t in _tables(raw, "risk_bands", problems)
        },
        visit_effects={
            name: _effect(name, t, problems) for name, t in _tables(raw, "visit_effects", problems)
        },
        risk_steps=(steps := read_risk_steps(raw.get("risk_steps", {}), _FILE, problems)),
        rules=rules,
        vaccination=vaccination,
        scope=scope,
        effects=effects,
        monitoring=monitoring,
        protocols=protocols,
        outreach=outreach,
        figures=(
            *_figures(raw),
            *(Figure(f"scope.{key}", *said) for key, said in scope.figures().items()),
            *(Figure(f"rules.{r.id}", r.label, r.source, r.verified) for r in rules),
            *(
                Figure(f"vaccination.{s.name}", s.schedule_said(), s.source, s.verified)
                for s in vaccination.series
            ),
            *_effect_figures(effects),
            *(
                Figure(f"risk_steps.{outcome}.{band}", step.action, step.source, step.verified)
                for (outcome, band), step in steps.items()
            ),
            *(Figure(f"monitoring.{r.id}", r.label, r.source, r.verified) for r in monitoring),
            *_protocol_figures(protocols),
            *(Figure(f"outreach.{one[0]}", *one[1:]) for one in outreach.figures()),
        ),
    )
    return programme, problems


def _effect_figures(effects: Effects) -> Iterator[Figure]:
    systolic = effects.systolic
    per = systolic.relative_risk
    said = f"{per.value:g} ({per.low:g} to {per.high:g}) for each {systolic.per_mmhg:g} mmHg"
    yield Figure("effects.systolic", said, systolic.source, systolic.verified)
    for effect in effects.effects:
        found = effect.relative_risk or effect.lowers_mmhg
        assert found is not None  # noqa: S101 (one of the two is given)
        what = "relative risk" if effect.relative_risk else "mmHg lower"
        said = f"{effect.label}: {what} {found.value:g} ({found.low:g} to {found.high:g})"
        yield Figure(f"effects.{effect.id}", said, effect.source, effect.verified)


def _protocol_figures(protocols: Mapping[str, OutreachProtocol]) -> Iterator[Figure]:
    for one in protocols.values():
        yield Figure(f"protocols.{one.name}", one.label, one.source, one.verified)
        ladder = one.ladder
        said = f"{ladder.silent_hours:g} hours, {ladder.no_answers} calls"
        yield Figure(f"protocols.{one.name}.ladder", said, ladder.source, ladder.verified)


def _check_advice(
    monitoring: tuple[MonitoringRule, ...], rules: tuple[Rule, ...], problems: reading.Problems
) -> None:
    """Advice that a monitoring rule waits for must be given by some rule."""
    known = {*(rule.id for rule in rules), *shipped_rule_sets(), VACCINES_DUE, ANY_ADVICE}
    for rule in monitoring:
        for key in ("advice", "but_not"):
            for name in getattr(rule, key):
                if name not in known:
                    what = f"no rule is called {name}"
                    problems.add(MONITORING_FILE, f"{rule.id}.{key}", what)


def _languages(raw: dict[str, Any], own: str, problems: reading.Problems) -> tuple[str, ...]:
    languages = raw.get("languages", [WRITTEN_IN])
    if not isinstance(languages, list) or not all(isinstance(one, str) for one in languages):
        problems.add(_FILE, "languages", "must be a list of two-letter languages")
        return (WRITTEN_IN,)
    if own not in languages:
        problems.add(_FILE, "language", "must be one of `languages`")
    return tuple(languages)


def _check_together(
    rules: tuple[Rule, ...], translations: Mapping[str, Translation], problems: reading.Problems
) -> None:
    """What only shows when rules and texts are held against each other."""
    # A rule that could not be read well is told already, and cannot be held against others.
    faulty = {finding.key.partition(".")[0] for finding in problems.findings}
    for fault in compare_rules([rule for rule in rules if rule.id not in faulty]):
        problems.add(RULES_FILE, f"{fault.rule_id}.{fault.key}".strip("."), fault.what)
    for language, translation in translations.items():
        for key in missing_texts(translation, rules):
            problems.add(RULES_FILE, key, f"has no text in {language} ({file_of(language)})")
        for key, what in wrong_texts(translation, rules):
            problems.add(file_of(language), key, what)


_TEXTS = ("name", "country", "who_region", "language")
_SECTIONS = (
    "planning",
    "visit_within_days",
    "risk_bands",
    "visit_effects",
)
_TOP = (*_TEXTS, "languages", *_SECTIONS, "risk_steps")
_FIGURE_KEYS = ("value", "unit", "source", "verified")


def _tables(
    raw: dict[str, Any], section: str, problems: reading.Problems
) -> list[tuple[str, dict[str, Any]]]:
    tables = raw.get(section, {})
    for name, table in tables.items():
        if not isinstance(table, dict):
            problems.add(_FILE, f"{section}.{name}", "must be a table")
    return [(name, table) for name, table in tables.items() if isinstance(table, dict)]


def _provenance(table: dict[str, Any], key: str, problems: reading.Problems) -> tuple[str, bool]:
    source = reading.read_text(table, "source", _FILE, key, problems)
    if not source.strip():
        problems.add(_FILE, f"{key}.source", "a number without a source is not used")
    return source, reading.read_flag(table, "verified", _FILE, key, problems, default=False)


def _figure(
    table: Any, key: str, problems: reading.Problems, *, low: float, high: float = 1e6
) -> float:
    if not isinstance(table, dict):
        problems.add(_FILE, key, "must be a table with value, unit, source and verified")
        return low
    reading.check_names(table, _FIGURE_KEYS, _FILE, key, problems)
    _provenance(table, key, problems)
    return reading.read_number(table, "value", _FILE, key, problems, low=low, high=high)


def _planning(tables: dict[str, Any], problems: reading.Problems) -> Planning:
    names = [field.name for field in fields(Planning)]
    reading.check_names(tables, names, _FILE, "planning", problems)
    return Planning(
        **{
            name: _figure(
                tables.get(name), f"planning.{name}", problems, low=_LOWEST.get(name, 0.0)
            )
            for name in names
        }
    )


def _visit_within_days(tables: dict[str, Any], problems: reading.Problems) -> dict[str, int]:
    raised = ("high", "very_high")
    reading.check_names(tables, raised, _FILE, "visit_within_days", problems)
    days = {
        band: int(_figure(tables.get(band), f"visit_within_days.{band}", problems, low=0, high=366))
        for band in raised
    }
    if days["very_high"] > days["high"]:
        problems.add(
            _FILE, "visit_within_days", "a very high risk may not wait longer than a high one"
        )
    return days


def _bands(name: str, table: dict[str, Any], problems: reading.Problems) -> RiskBands:
    key = f"risk_bands.{name}"
    reading.check_names(table, (*RISK_BANDS[1:], "source", "verified"), _FILE, key, problems)
    moderate, high, very_high = (
        reading.read_number(table, band, _FILE, key, problems, high=1.0) for band in RISK_BANDS[1:]
    )
    if not moderate < high < very_high:
        problems.add(_FILE, key, "moderate, high and very_high must rise")
    return RiskBands(moderate, high, very_high, *_provenance(table, key, problems))


def _effect(name: str, table: dict[str, Any], problems: reading.Problems) -> VisitEffect:
    key = f"visit_effects.{name}"
    parts = ("relative_risk", "low", "high")
    reading.check_names(table, (*parts, "source", "verified"), _FILE, key, problems)
    risk, low, high = (
        reading.read_number(table, part, _FILE, key, problems, high=10.0) for part in parts
    )
    if not low <= risk <= high:
        problems.add(_FILE, key, "relative_risk must lie between low and high")
    return VisitEffect(risk, low, high, *_provenance(table, key, problems))


def _figures(raw: dict[str, Any]) -> list[Figure]:
    found = []
    for section in _SECTIONS:
        for name, table in raw.get(section, {}).items():
            if not isinstance(table, dict):
                continue
            numbers = [str(v) for k, v in table.items() if k not in ("unit", "source", "verified")]
            value = f"{' / '.join(numbers)} {table.get('unit', '')}".strip()
            found.append(
                Figure(
                    f"{section}.{name}",
                    value,
                    str(table.get("source", "")),
                    table.get("verified", False) is True,
                )
            )
    return found
