"""Test a recipe over time, beside plain rules, and keep the report."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import pandas as pd

from chw_tools.errors import ModelRefused, TableFault
from chw_tools.feature_engineering import build_features
from chw_tools.model_evaluation import About, say_backtest, write_backtest_report
from chw_tools.model_training.backtest import (
    KNOWLEDGE_DAYS,
    N_REFITS,
    SIMPLE_RULES,
    Backtest,
    Rule,
    backtest,
    choose_origins,
    rank_by,
    rank_by_model,
)
from chw_tools.risk_prediction.scores import declared_score, score_model
from chw_tools.workflows.train import last_known

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from chw_tools.feature_engineering import Features
    from chw_tools.programme.outcomes import OutcomeDefinition
    from chw_tools.records import Register
    from chw_tools.workflows.ports import ReportKeeper

#: A report is kept under the next free version; more than this of one day is a mistake.
_MOST_REPORTS = 1000


@dataclass(frozen=True)
class Backtested:
    """What a recipe would have found, and where the report of it is.

    Parameters
    ----------
    outcome, recipe : str
        What was tested.
    population : str
        Among whom.
    result : Backtest
        Tables.
    report : Path
        Folder of the report.
    """

    outcome: str
    recipe: str
    population: str
    result: Backtest
    report: Path

    def headline(self) -> list[str]:
        """What the model found more than each rule, a sentence each."""
        return [line.replace("**", "") for line in say_backtest(self.result.table)]


def backtest_model(
    *,
    register: Register,
    population: str,
    source: str,
    definition: OutcomeDefinition,
    recipe: str,
    seed: int,
    keep_report: ReportKeeper,
    n_origins: int = 3,
    features: Sequence[str] = (),
    scores: Sequence[str] = (),
    region: str | None = None,
    knowledge_days: int = KNOWLEDGE_DAYS,
    n_refits: int = N_REFITS,
) -> Backtested:
    """Train at several days on what was known then, and judge by what came, beside plain rules.

    Parameters
    ----------
    register, population, source, definition, recipe, seed
        As in :func:`chw_tools.workflows.train.train_model`.
    keep_report : callable
        Where the report goes.
    n_origins : int
        Days from which lists are made, a horizon apart.
    features : sequence of str
        Names of features that are rules of their own, highest first; ``-name`` for lowest.
    scores : sequence of str
        Names of published scores that are rules.
    region : str, optional
        For scores that are calibrated to regions.
    knowledge_days : int
        Days in which what happened is reported.
    n_refits : int
        Refits on households drawn again, for the stability of the list.

    Raises
    ------
    NotEnoughData
        If the record is too short, or the outcome a status.
    TableFault, ProgrammeFault
        If there is no such feature or score.
    """
    last = last_known(register)
    # What happened lately is not all reported yet.
    late = pd.Timedelta(days=max(knowledge_days, definition.knowledge_delay_days))
    rules = {
        **SIMPLE_RULES,
        **_read_features(build_features(register, as_of=last), features),
        **{
            declared_score(name).label: rank_by_model(score_model(name, region=region).predict)
            for name in scores
        },
    }
    result = backtest(
        register,
        definition,
        recipe=recipe,
        seed=seed,
        origins=choose_origins(last - late, definition, n_origins=n_origins),
        rules=rules,
        population=population,
        knowledge_days=knowledge_days,
        n_refits=n_refits,
    )
    about = About(
        outcome=definition.name,
        label=definition.label,
        model=recipe,
        version="backtest",
        recipe=recipe,
        population=population,
        source=source,
        caveats=definition.known_caveats,
    )
    report = write_backtest_report(
        result.table,
        stability=result.stability,
        refits=result.refits,
        about=about,
        notes=result.notes,
    )
    folder = _keep(keep_report, f"{definition.name}_backtest_{last:%Y%m%d}", report)
    return Backtested(definition.name, recipe, population, result, folder)


def _read_features(built: Features, wanted: Sequence[str]) -> dict[str, Rule]:
    """A rule for each named feature, called by the feature's label."""
    labels = {f.name: f.label for f in built.declaration if f.kind in ("number", "flag")}
    unknown = sorted(name for name in wanted if name.removeprefix("-") not in labels)
    if unknown:
        raise TableFault(
            f"there is no such number among the features: {', '.join(unknown)}",
            cure="See which there are with: chw features",
        )
    rules = {}
    for name in wanted:
        plain, lowest_first = name.removeprefix("-"), name.startswith("-")
        label = labels[plain] + (", lowest first" if lowest_first else "")
        rules[label] = rank_by(plain, lowest_first=lowest_first)
    return rules


def _keep(keep_report: ReportKeeper, place: str, report: dict[str, bytes]) -> Path:
    """Keep the report under the first version of that place that is free."""
    for number in count(1):
        try:
            return keep_report(outcome=place, version=f"v{number}", report=report)
        except ModelRefused:
            if number >= _MOST_REPORTS:
                raise
    raise AssertionError("count() does not end")
