"""Look at the shapes of a kept additive model, and keep an edited one, judged anew."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from chw_tools.errors import ModelRefused
from chw_tools.feature_engineering import Features
from chw_tools.model_evaluation import About, evaluate, write_report
from chw_tools.model_training import FittedModel, choose_index_days, make_cohorts, split_cohorts
from chw_tools.model_training.calibration import Calibration
from chw_tools.model_training.shapes import Shapes, edit_shape, recalibrate
from chw_tools.model_training.split import draw_shares
from chw_tools.model_training.train import MIN_EVENTS
from chw_tools.programme.outcomes_page import list_competing
from chw_tools.risk_prediction.terms import Levels, Steps
from chw_tools.workflows.train import Judged, last_known

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from numpy.typing import NDArray

    from chw_tools.model_training import Cohorts
    from chw_tools.model_training.shapes import ShapeEdit
    from chw_tools.programme.outcomes import OutcomeDefinition
    from chw_tools.records import Register
    from chw_tools.workflows.ports import ModelStore, ReportKeeper


def load_shapes(models: ModelStore, outcome: str, version: str | None = None) -> FittedModel:
    """A kept additive model as shapes, ready to be looked at and edited.

    Raises
    ------
    ModelNotFound
        If there is none.
    ModelRefused
        If the model is not additive.
    """
    entry = models.find(outcome, version)
    model: Any = models.load_model(outcome, entry.version)
    terms = getattr(model, "terms", ())
    if not terms or not all(isinstance(term, Steps | Levels) for term in terms):
        raise ModelRefused(
            "only an additive model has shapes",
            where=f"{outcome}/{entry.version}",
            cure="Train one: chw train --recipe additive",
        )
    order = [feature.name for feature in model.features]
    return FittedModel(
        outcome=outcome,
        name=model.name,
        recipe=str(entry.manifest.get("recipe", "additive")),
        population=model.population,
        features=model.features,
        estimator=Shapes(
            term_features_=tuple((order.index(term.feature),) for term in terms),
            bins_=_bins_by_feature(order, terms),
            term_scores_=tuple(_scores_of(term) for term in terms),
            intercept_=np.array([model.intercept]),
            kinds=tuple(feature.kind for feature in model.features),
        ),
        calibration=Calibration(model.slope, model.calibration_intercept),
        trained_on=model.trained_on,
        limits=model.limits,
        needs=model.needs,
    )


def edit_model(
    *,
    register: Register,
    population: str,
    source: str,
    definition: OutcomeDefinition,
    version: str,
    edit: ShapeEdit,
    models: ModelStore,
    keep_report: ReportKeeper,
    at: datetime,
    code_version: str = "",
) -> Judged:
    """Keep a kept model with one shape changed, as a new candidate.

    The people who were held out from its training are halved: one half calibrates the edited
    model, the other judges it, so that nobody does both.

    Raises
    ------
    ModelNotFound, ModelRefused
        If there is no such model, it is not additive, or it is of the other population.
    NotEnoughData
        If too few were held out to judge by.
    ValueError
        If the edit names what is not there.
    """
    parent = models.load_model(definition.name, version)
    shapes = load_shapes(models, definition.name, version)
    if shapes.population != population:
        raise ModelRefused(
            f"The model was trained on {shapes.population} people and cannot be judged by "
            f"{population} ones.",
            where=f"{definition.name}/{version}",
        )
    edited = edit_shape(shapes, edit, at=at, parent=parent.digest)
    days = choose_index_days(last_known(register), definition)
    cohorts = make_cohorts(register, definition, index_days=days)
    seed = int(edited.trained_on.get("seed", 1))
    calibrating, judging = _halve_held_out(cohorts, seed=seed)
    if cohorts.labels.iloc[calibrating].sum() >= MIN_EVENTS:
        edited = recalibrate(edited, _take(cohorts, calibrating), cohorts.labels.iloc[calibrating])
    else:  # too few to calibrate by: the old calibration stays, and all of them judge
        judging = np.sort(np.concatenate([calibrating, judging]))
    evaluation = evaluate(
        cohorts.labels.iloc[judging].astype(float).to_numpy(),
        edited.predict(cohorts.features.frame.iloc[judging]),
        seed=seed,
        name=edited.name,
        judged_by=cohorts.judged_by.iloc[judging],
    )
    new = models.next_version(definition.name)
    facts = {**edited.trained_on, "n_judged": len(judging)}
    edited = replace(edited, trained_on=facts)
    about = About(
        outcome=definition.name,
        label=definition.label,
        model=edited.name,
        version=new,
        recipe=edited.recipe,
        population=population,
        source=source,
        intended_use=definition.intended_use,
        not_for=definition.not_for,
        caveats=definition.known_caveats,
        features=[feature.as_dict() for feature in edited.features],
        trained_on={k: v for k, v in facts.items() if k != "edits"},
        competing_events=list_competing(definition),
        edits=[_said(record) for record in facts["edits"]],
    )
    report = write_report(evaluation, about)
    models.save_model(
        edited,
        version=new,
        created_at=at,
        report=report,
        code_version=code_version,
        probe=cohorts.features.frame.iloc[judging[:500]],
        parent=version,
    )
    folder = keep_report(outcome=definition.name, version=new, report=report)
    return Judged(definition.name, new, evaluation, about, folder)


def _halve_held_out(cohorts: Cohorts, *, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    split = split_cohorts(cohorts, seed=seed)
    is_first = draw_shares(split.groups[split.test], seed=seed + 1) < 0.5
    return split.test[is_first], split.test[~is_first]


def _take(cohorts: Cohorts, rows: NDArray[np.int64]) -> Features:
    held = cohorts.features
    return Features(held.frame.iloc[rows], held.declaration, held.as_of)


def _said(record: Mapping[str, Any]) -> str:
    return (
        f"`{record['feature']}`: {record['action']}, by {record['by']} on {record['at'][:10]}. "
        f"Why: {record['why']}"
    )


def _bins_by_feature(order: list[str], terms: Any) -> tuple[tuple[Any], ...]:
    held: dict[str, Any] = {term.feature: _bins_of(term) for term in terms}
    return tuple((held.get(name, np.empty(0)),) for name in order)


def _bins_of(term: Steps | Levels) -> Any:
    if isinstance(term, Steps):
        return term.cuts
    return {level: place + 1 for place, level in enumerate(term.levels)}


def _scores_of(term: Steps | Levels) -> NDArray[np.float64]:
    unknown = 0.0 if isinstance(term, Steps) else term.unknown
    return np.concatenate([[term.missing], term.scores, [unknown]])
