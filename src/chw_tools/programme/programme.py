"""What people decided: region, capacities, intervals, bands of risk, effects and rules.

Each number keeps its source and whether that source was read. A number is never written
into a stage; stages take it from here.

>>> load_programme().planning.visit_minutes
34.0
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from chw_tools.programme import reading
from chw_tools.programme.comparing import compare_rules
from chw_tools.programme.effects import Effects, load_effects, read_effects
from chw_tools.programme.figures import (
    Figure,
    effect_figures,
    figures_of_file,
    protocol_figures,
)
from chw_tools.programme.immunisation import VaccineSchedule, load_schedule, read_schedule
from chw_tools.programme.monitoring import (
    ANY_ADVICE,
    MonitoringRule,
    load_monitoring,
    read_monitoring,
)
from chw_tools.programme.monitoring import FILE as MONITORING_FILE
from chw_tools.programme.numbers import FILE as _FILE
from chw_tools.programme.numbers import (
    SECTIONS,
    Planning,
    RiskBands,
    VisitEffect,
    read_bands,
    read_planning,
    read_visit_effect,
    read_visit_within_days,
    tables_of,
)
from chw_tools.programme.outreach import Outreach, load_outreach, read_outreach
from chw_tools.programme.protocols import OutreachProtocol, load_protocols, read_protocols
from chw_tools.programme.risk_steps import GENERAL, RiskStep, read_risk_steps
from chw_tools.programme.rule_files import read_rules, shipped_rule_sets
from chw_tools.programme.rules import FILE as RULES_FILE
from chw_tools.programme.rules import Rule
from chw_tools.programme.scope import Scope, load_scope, read_scope
from chw_tools.programme.texts import WRITTEN_IN, Translation, file_of, read_translations
from chw_tools.programme.written import (
    Written,
    effects_in,
    missing_texts,
    written_texts,
    wrong_texts,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: The advice of the schedule engine, which is no rule of a file.
VACCINES_DUE = "vaccines_due"


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

    @property
    def written(self) -> dict[str, Written]:
        """Every English text and word that people are told, by the key of its translations."""
        return written_texts(self.rules, self.effects, self.vaccination, self.risk_steps)

    def translation(self, language: str | None = None) -> Translation:
        """The texts of a language; of the programme's own where none is asked for."""
        language = language or self.language
        return self.translations.get(language, Translation(language))

    @property
    def effects_told(self) -> Effects:
        """The effects, what people are told of them in the programme's language."""
        return effects_in(self.translation(), self.effects)

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
    steps = read_risk_steps(raw.get("risk_steps", {}), _FILE, problems)
    _check_together(rules, problems)
    _check_texts(translations, written_texts(rules, effects, vaccination, steps), problems)
    _check_advice(monitoring, rules, problems)
    programme = Programme(
        name=texts[0],
        country=texts[1],
        who_region=texts[2],
        language=texts[3],
        translations=translations,
        planning=read_planning(raw.get("planning", {}), problems),
        visit_within_days=read_visit_within_days(raw.get("visit_within_days", {}), problems),
        risk_bands={
            name: read_bands(name, t, problems)
            for name, t in tables_of(raw, "risk_bands", problems)
        },
        visit_effects={
            name: read_visit_effect(name, t, problems)
            for name, t in tables_of(raw, "visit_effects", problems)
        },
        risk_steps=steps,
        rules=rules,
        vaccination=vaccination,
        scope=scope,
        effects=effects,
        monitoring=monitoring,
        protocols=protocols,
        outreach=outreach,
        figures=(
            *figures_of_file(raw),
            *(Figure(f"scope.{key}", *said) for key, said in scope.figures().items()),
            *(Figure(f"rules.{r.id}", r.label, r.source, r.verified) for r in rules),
            *(
                Figure(f"vaccination.{s.name}", s.schedule_said(), s.source, s.verified)
                for s in vaccination.series
            ),
            *effect_figures(effects),
            *(
                Figure(f"risk_steps.{outcome}.{band}", step.action, step.source, step.verified)
                for (outcome, band), step in steps.items()
            ),
            *(Figure(f"monitoring.{r.id}", r.label, r.source, r.verified) for r in monitoring),
            *protocol_figures(protocols),
            *(Figure(f"outreach.{one[0]}", *one[1:]) for one in outreach.figures()),
        ),
    )
    return programme, problems


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


def _check_together(rules: tuple[Rule, ...], problems: reading.Problems) -> None:
    """What only shows when rules are held against each other."""
    # A rule that could not be read well is told already, and cannot be held against others.
    faulty = {finding.key.partition(".")[0] for finding in problems.findings}
    for fault in compare_rules([rule for rule in rules if rule.id not in faulty]):
        problems.add(RULES_FILE, f"{fault.rule_id}.{fault.key}".strip("."), fault.what)


def _check_texts(
    translations: Mapping[str, Translation],
    written: Mapping[str, Written],
    problems: reading.Problems,
) -> None:
    """Texts that a language in use lacks, and those that say other things than the English."""
    for language, translation in translations.items():
        for key in missing_texts(translation, written):
            lacking = f"has no text in {language} ({file_of(language)})"
            problems.add(written[key].file, written[key].key, lacking)
        for key, what in wrong_texts(translation, written):
            problems.add(file_of(language), key, what)


_TEXTS = ("name", "country", "who_region", "language")
_TOP = (*_TEXTS, "languages", *SECTIONS, "risk_steps")
