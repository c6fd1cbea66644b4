"""From features and labels to a fitted, calibrated model.

The rows that come in are the training rows only: what is held out for judging is split off
before (see :mod:`chw_tools.model_training.split`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from chw_tools.errors import NotEnoughData
from chw_tools.model_evaluation.calibration import compute_logit
from chw_tools.model_training.calibration import Calibration, fit_calibration
from chw_tools.model_training.inputs import compute_data_digest, find_learnable, read_inputs
from chw_tools.model_training.recipes import RECIPES
from chw_tools.model_training.tuning import N_FOLDS, make_folds, tune

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    import pandas as pd
    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Feature, Features
    from chw_tools.model_training.recipes import Recipe

#: Ten events, and ten people without, in each fold; fewer cannot carry a calibration.
#: A decision of this project: published advice asks for 100 and more to *judge* a model
#: (Collins GS et al., Stat Med 2016;35:214-226).
MIN_EVENTS = 10 * N_FOLDS
#: With so many events in one fold the slope's standard error is about 0.03, and one held-out
#: fold calibrates as well as five, at a fifth of the cost.
_EVENTS_FOR_ONE_FOLD = 1000


@dataclass(frozen=True)
class FittedModel:
    """A fitted estimator with its calibration and the declaration of its inputs.

    Parameters
    ----------
    outcome, name, recipe : str
        What is foreseen, the model's name, and how it was made.
    population : {"simulated", "real"}
        Whom it was trained on; it scores nobody else.
    features : tuple of Feature
        The inputs, in order; all are known and vary among the training rows.
    estimator : object
        Fitted scikit-learn pipeline, or the fitted additive model.
    calibration : Calibration
        Learnt on rows that the estimator's own fits had not seen.
    trained_on : mapping
        ``n_rows``, ``n_people``, ``n_events``, ``seed``, ``parameters``,
        ``data_digest``, ``calibrated_on`` and what the caller adds; no person's values.
    limits : mapping of str to (low, high)
        The declared population: outside it there is no estimate.
    needs : tuple of str
        Inputs without which there is no estimate.
    """

    outcome: str
    name: str
    recipe: str
    population: str
    features: tuple[Feature, ...]
    estimator: Any
    calibration: Calibration
    trained_on: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    needs: tuple[str, ...] = ()

    def predict(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Calibrated probabilities, one a row; ``frame`` holds at least the declared inputs."""
        logits = compute_estimator_logits(self.estimator, read_inputs(frame, self.features))
        return self.calibration.apply(logits)


def train(
    features: Features,
    labels: pd.Series,
    *,
    recipe: str | Recipe,
    seed: int,
    groups: pd.Series | NDArray[Any] | None = None,
    outcome: str = "outcome",
    name: str = "",
    population: str = "simulated",
    grid: Mapping[str, tuple[Any, ...]] | None = None,
    n_jobs: int = 1,
    trained_on: Mapping[str, Any] | None = None,
    limits: Mapping[str, tuple[float | None, float | None]] | None = None,
) -> FittedModel:
    """A fitted model with calibrated probabilities.

    Parameters
    ----------
    features : Features
        Inputs of the training rows, already chosen for the outcome
        (``select_for_model``). A person may have several rows, one for each index day.
    labels : Series of boolean
        Row by row beside ``features.frame``; rows where it is missing are left out.
    recipe : str or Recipe
        A name in ``RECIPES``, or one's own.
    seed : int
        All chance comes from it; the same seed gives the same model.
    groups : Series or array, optional
        Row by row, whom to keep on one side of every fold (household); the frame's index
        (the person) where absent.
    outcome, name, population : str
        What is foreseen, the model's name (the recipe's where empty), whom it is about.
    grid : mapping, optional
        Candidates to tune over with five folds; without it nothing is tuned. The recipe's
        own stands in ``RECIPES[name].grid``.
    n_jobs : int
        Processes for the grid; -1 for every core.
    trained_on : mapping, optional
        Facts for the card, such as the index days and the source; no person's values.
    limits : mapping, optional
        The declared population, by feature: lowest and highest, or ``None`` for no limit. A
        person of whom such a feature is not known gets no estimate.

    Raises
    ------
    NotEnoughData
        With fewer than :data:`MIN_EVENTS` events or people without.
    ValueError
        If labels and features differ in length, or no such recipe is known.
    """
    chosen = RECIPES.get(recipe) if isinstance(recipe, str) else recipe
    if chosen is None:
        raise ValueError(f"no such recipe; there are {', '.join(RECIPES)}")
    if len(labels) != len(features.frame):
        raise ValueError("labels must stand row by row beside the features")
    known = labels.notna().to_numpy()
    target = labels[known].astype(float).to_numpy()
    check_enough(target, outcome=outcome)
    kept = features.frame[known]
    grouped = np.asarray(kept.index if groups is None else np.asarray(groups)[known])
    declaration, inputs = _read_learnable(kept, features.declaration)
    estimator, calibration, made = _fit(
        chosen,
        declaration,
        inputs,
        target,
        groups=grouped,
        seed=seed,
        grid=grid or {},
        n_jobs=n_jobs,
    )
    return FittedModel(
        outcome=outcome,
        name=name or chosen.name,
        recipe=chosen.name,
        population=population,
        features=declaration,
        estimator=estimator,
        calibration=calibration,
        trained_on={
            "n_rows": len(target),
            "n_people": int(kept.index.nunique()),
            "n_events": int(target.sum()),
            "seed": seed,
            **made,
            "data_digest": compute_data_digest(inputs, target),
            **(trained_on or {}),
        },
        limits=limits or {},
        needs=tuple(limits or ()),
    )


def check_enough(labels: NDArray[np.float64], *, outcome: str) -> None:
    """Refuse to train on too few events, or too few people without.

    Raises
    ------
    NotEnoughData
        With the two numbers.
    """
    events, others = int(labels.sum()), int(len(labels) - labels.sum())
    if min(events, others) < MIN_EVENTS:
        raise NotEnoughData(
            f"{events} people had the outcome and {others} had not, and {MIN_EVENTS} of each "
            "are the least to train on",
            where=outcome,
            cure="Gather more follow-up, or use a published score.",
        )


def compute_estimator_logits(estimator: Any, inputs: pd.DataFrame) -> NDArray[np.float64]:
    """The estimator's own log-odds, before calibration."""
    with one_thread():
        return compute_logit(estimator.predict_proba(inputs)[:, 1])


def _read_learnable(
    frame: pd.DataFrame, declaration: Sequence[Feature]
) -> tuple[tuple[Feature, ...], pd.DataFrame]:
    inputs = read_inputs(frame, declaration)
    learnable = set(find_learnable(inputs))
    kept = tuple(f for f in declaration if f.name in learnable)
    if not kept:
        raise NotEnoughData("no feature is known and varies among the training rows")
    return kept, inputs[[f.name for f in kept]]


def _fit(
    recipe: Recipe,
    declaration: Sequence[Feature],
    inputs: pd.DataFrame,
    labels: NDArray[np.float64],
    *,
    groups: NDArray[Any],
    seed: int,
    grid: Mapping[str, tuple[Any, ...]],
    n_jobs: int,
) -> tuple[Any, Calibration, dict[str, Any]]:
    folds = make_folds(inputs, labels, groups, seed=seed)
    parameters: dict[str, Any] = {}
    if grid:
        unfitted = recipe.make(declaration, seed)
        with one_thread():
            parameters = tune(unfitted, inputs, labels, grid=grid, folds=folds, n_jobs=n_jobs)

    def fit(rows: NDArray[np.int64] | slice) -> Any:
        estimator = recipe.make(declaration, seed).set_params(**parameters)
        return fit_quietly(estimator, inputs.iloc[rows], labels[rows])

    if labels[folds[0][1]].sum() >= _EVENTS_FOR_ONE_FOLD:
        fitted_rows, untouched = folds[0]
        final = fit(fitted_rows)
        logits = compute_estimator_logits(final, inputs.iloc[untouched])
        calibrated_on = "one held-out fold in five"
    else:
        logits = np.empty(len(labels))
        for rows, held_out in folds:
            logits[held_out] = compute_estimator_logits(fit(rows), inputs.iloc[held_out])
        untouched, final = np.arange(len(labels)), fit(slice(None))
        calibrated_on = "each of five folds, by a model fitted on the other four"
    calibration = fit_calibration(logits, labels[untouched])
    return final, calibration, {"parameters": parameters, "calibrated_on": calibrated_on}


def fit_quietly(estimator: Any, inputs: pd.DataFrame, labels: NDArray[np.float64]) -> Any:
    """The estimator, fitted; the additive model's remark on drawing gaps is not passed on."""
    import warnings

    with warnings.catch_warnings(), one_thread():
        # Gaps are a level of their own here, on purpose, and are drawn by us.
        warnings.filterwarnings("ignore", message="Missing values detected", category=UserWarning)
        return estimator.fit(inputs, labels)


def one_thread() -> AbstractContextManager[Any]:
    """Numerical libraries held to one thread.

    On cores that others use too, several threads wait for one another by spinning: boosting
    was measured at ten times its time. The numbers are also the same on every machine.
    """
    from threadpoolctl import threadpool_limits

    limited: AbstractContextManager[Any] = threadpool_limits(limits=1)
    return limited
