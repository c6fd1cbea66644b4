"""Train a model and judge it; judge a kept model on another register."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.errors import MissingExtra, ModelRefused, NothingToRead, TrackingFailed
from chw_tools.model_evaluation import (
    About,
    Evaluation,
    compute_drift,
    evaluate,
    write_report,
)
from chw_tools.model_evaluation.verdict import compute_calibration_verdict
from chw_tools.model_training import (
    check_trainable,
    choose_index_days,
    make_cohorts,
    run_training,
)
from chw_tools.model_training.inputs import read_inputs
from chw_tools.programme.outcomes_page import list_competing
from chw_tools.records import new_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from pathlib import Path

    from chw_tools.model_training import Search, TrainingRun
    from chw_tools.model_training.fitting import ClassWeights
    from chw_tools.model_training.split import SplitBy
    from chw_tools.programme.outcomes import OutcomeDefinition
    from chw_tools.records import Register
    from chw_tools.workflows.ports import ModelStore, ReportKeeper, Tracker


@dataclass(frozen=True)
class Judged:
    """A model and how it was judged.

    Parameters
    ----------
    outcome, version : str
        Which model.
    evaluation : Evaluation
        On people it was not trained on.
    about : About
        What it is and what it is for.
    report : Path
        Folder of the report.
    notes : tuple of str
        What a reader must know, such as why the run was not tracked.
    may_know_them : bool
        Whether people it was trained on may be among those it was judged by.
    """

    outcome: str
    version: str
    evaluation: Evaluation
    about: About
    report: Path
    notes: tuple[str, ...] = ()
    may_know_them: bool = False

    def headline(self) -> list[str]:
        """The judgement in two or three sentences."""
        said = self.evaluation
        metrics = said.metrics
        lines = [
            f"{self.about.model} {self.version}: judged by {said.n:,} people"
            f"{'' if self.may_know_them else ' it was not trained on'}, {said.n_events:,} of them "
            "with the event"
        ]
        if self.may_know_them:
            lines.append(KNOWN_PEOPLE)
        lines += [
            f"{words} {row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
            for name, words in _HEADLINE.items()
            if name in metrics.index
            for row in [metrics.loc[name]]
        ]
        return [*lines, compute_calibration_verdict(said).why, *self._not_beaten()]

    def _not_beaten(self) -> list[str]:
        compared = self.evaluation.comparisons.iloc[1:]
        names = [
            str(name).replace("_", " ")
            for name, row in compared.iterrows()
            if row["auc_gain_low"] <= 0 <= row["auc_gain"]
        ]
        return [f"Not shown to order people better than: {', '.join(names)}."] if names else []


#: Said where a model is judged by records of a place that it was trained in.
KNOWN_PEOPLE = (
    "People whom it was trained on at earlier days may be among them, so this flatters it: for an "
    "honest figure see the report of its training, or judge it by another district."
)
_HEADLINE = {
    "auc": "AUC",
    "calibration_slope": "Calibration slope",
    "observed_to_expected": "Observed over expected",
}


def train_model(
    *,
    register: Register,
    population: str,
    source: str,
    definition: OutcomeDefinition,
    recipe: str,
    seed: int,
    models: ModelStore,
    keep_report: ReportKeeper,
    created_at: datetime,
    code_version: str = "",
    search: Search | None = None,
    class_weights: ClassWeights = "none",
    split_by: SplitBy = "household",
    index_days: Sequence[pd.Timestamp] | None = None,
    truth: pd.DataFrame | None = None,
    tracker: Tracker | None = None,
) -> Judged:
    """Train a model on some households and earlier days; judge it by others, later.

    Parameters
    ----------
    register : Register
        All that was recorded.
    population, source : str
        Whose records these are, and where they came from.
    definition : OutcomeDefinition
        What is to be foreseen.
    recipe : str
        A name in ``RECIPES``.
    seed : int
        All chance comes from it.
    models : ModelStore
        Where the model is kept, as a candidate.
    keep_report : callable
        Where the report goes.
    created_at : datetime
        An aware instant, for the manifest.
    code_version : str
        Version of the code, for the manifest.
    search : Search, optional
        How settings are looked for; by default the recipe's own are taken.
    class_weights : {"none", "balanced"}
        Whether both classes weigh the same in the fit.
    split_by : {"household", "area"}
        Whether households are held out, or whole areas.
    index_days : sequence of Timestamp, optional
        Days from which to look ahead; by default five, a horizon apart, at the end.
    truth : DataFrame, optional
        For simulated people: ``person_id``, ``as_of``, ``probability``.
    tracker : Tracker, optional
        Told of the kept model; if it fails the model is kept all the same.

    Raises
    ------
    NotEnoughData
        If there are too few people or events.
    NotTrainable
        If a published formula foresees the outcome.
    NothingToRead
        If the register is empty.
    """
    check_trainable(definition)
    days = index_days or choose_index_days(last_known(register), definition)
    run = run_training(
        make_cohorts(register, definition, index_days=days),
        definition=definition,
        recipe=recipe,
        seed=seed,
        population=population,
        source=source,
        search=search,
        class_weights=class_weights,
        split_by=split_by,
        truth=truth,
    )
    people_from = sorted(register.people["source"].unique())
    trained_on = {**run.model.trained_on, "people_from": people_from}
    run = replace(run, model=replace(run.model, trained_on=trained_on))
    about, report = _keep(run, models, created_at=created_at, code_version=code_version)
    folder = keep_report(outcome=definition.name, version=about.version, report=report)
    notes = _track(tracker, definition.name, about.version)
    return Judged(definition.name, about.version, run.evaluation, about, folder, notes)


def _keep(
    run: TrainingRun, models: ModelStore, *, created_at: datetime, code_version: str
) -> tuple[About, dict[str, bytes]]:
    """Keep the model under the next version; the one after where another training took that."""
    outcome = run.model.outcome
    while True:
        version = models.next_version(outcome)
        about = run.about(version)
        report = write_report(run.evaluation, about)
        try:
            models.save_model(
                run.model,
                version=version,
                created_at=created_at,
                report=report,
                code_version=code_version,
                probe=run.probe,
                run_id=new_id(),
            )
        except ModelRefused:
            if models.next_version(outcome) == version:
                raise
        else:
            return about, report


def _track(tracker: Tracker | None, outcome: str, version: str) -> tuple[str, ...]:
    if tracker is None:
        return ()
    try:
        tracker.mirror(outcome, version)
    except (MissingExtra, TrackingFailed) as error:
        return (f"The model is kept, and the run is not tracked: {error}",)
    return ()


def evaluate_model(
    *,
    register: Register,
    population: str,
    source: str,
    definition: OutcomeDefinition,
    seed: int,
    models: ModelStore,
    keep_report: ReportKeeper,
    version: str | None = None,
    index_day: date | None = None,
) -> Judged:
    """Judge a kept model on a register, for example on later years or another district.

    People it was trained on may be among them when the register is the same; the report
    then says on which days it was trained. What changed since it was judged in training is
    told beside: calibration in the large first, then slope, then order, and each input.

    Raises
    ------
    ModelNotFound, ModelRefused
        If there is no such model, or it was trained on the other population.
    NotEnoughData
        If nobody or everybody had the event.
    """
    entry = models.find(definition.name, version)
    model = models.load_model(definition.name, entry.version)
    if model.population != population:
        raise ModelRefused(
            f"The model was trained on {model.population} people and does not score "
            f"{population} ones.",
            where=f"{definition.name}/{entry.version}",
        )
    day = (
        pd.Timestamp(index_day)
        if index_day
        else choose_index_days(last_known(register), definition, n_days=1)[0]
    )
    cohorts = make_cohorts(register, definition, index_days=[day.as_unit("s")])
    labels = cohorts.labels.astype(float).to_numpy()
    risks = np.asarray(model.predict(cohorts.features.frame))
    judged_before = models.read_metrics(entry)
    named = {row["name"] for row in judged_before.get("inputs", ())}
    inputs = read_inputs(
        cohorts.features.frame, [f for f in cohorts.features.declaration if f.name in named]
    )
    homes = cohorts.households.to_numpy()
    evaluation = evaluate(
        labels,
        risks,
        seed=seed,
        name=model.name,
        judged_by=cohorts.judged_by,
        groups=homes,
        inputs=inputs,
        drift=compute_drift(
            judged_before,
            labels=labels,
            risks=risks,
            inputs=inputs,
            seed=seed,
            groups=homes,
        ),
    )
    trained_by = set(entry.manifest.get("people_from", ()))
    known = bool(trained_by & set(register.people["source"].unique()))
    about = About(
        outcome=definition.name,
        label=definition.label,
        model=model.name,
        version=entry.version,
        recipe=str(entry.manifest.get("recipe", "")),
        population=population,
        source=source,
        intended_use=definition.intended_use,
        not_for=definition.not_for,
        caveats=(*((KNOWN_PEOPLE,) if known else ()), *definition.known_caveats),
        competing_events=list_competing(definition),
        may_know_them=known,
    )
    place = re.sub(r"[^a-z0-9]+", "_", f"{definition.name}_on_{source}_{day:%Y%m%d}".lower())
    folder = keep_report(
        outcome=place, version=entry.version, report=write_report(evaluation, about)
    )
    return Judged(definition.name, entry.version, evaluation, about, folder, may_know_them=known)


def last_known(register: Register) -> pd.Timestamp:
    """The newest day on which anything became known.

    Raises
    ------
    NothingToRead
        If the register is empty.
    """
    days = [frame["known_on"].max() for _, frame in register.tables() if len(frame)]
    if not days:
        raise NothingToRead("The register is empty.", cure="Begin with: chw ingest FOLDER")
    return pd.Timestamp(max(days)).as_unit("s")
