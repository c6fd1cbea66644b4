"""From features and labels to a fitted, calibrated model.

The rows that come in are the training rows only: what is held out for judging is split off
before (see :mod:`chw_tools.model_training.split`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from chw_tools.errors import NotEnoughData
from chw_tools.model_evaluation import compute_metrics
from chw_tools.model_training.calibration import Calibration, fit_calibration
from chw_tools.model_training.fitting import (
    TrainingRows,
    check_monotone,
    compute_estimator_logits,
    fit_recipe,
    read_learnable,
)
from chw_tools.model_training.inputs import compute_data_digest, compute_ranges, read_inputs
from chw_tools.model_training.recipes import RECIPES
from chw_tools.model_training.sample_size import compute_sample_size, count_parameters
from chw_tools.model_training.tuning import N_FOLDS, find_parameters, make_folds

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Feature, Features
    from chw_tools.model_training.fitting import ClassWeights, Direction
    from chw_tools.model_training.recipes import Recipe
    from chw_tools.model_training.tuning import Found, Search

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
        ``data_digest``, ``calibrated_on``, ``sample_size``, ``search`` where there was one,
        and what the caller adds; no person's values.
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
    search: Search | None = None,
    class_weights: ClassWeights = "none",
    monotone: Mapping[str, Direction] | None = None,
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
    search : Search, optional
        How settings are looked for; without it the recipe's own are taken. What the chosen
        settings are worth is told by rows that the search did not see
        (``trained_on["search"]``).
    class_weights : {"none", "balanced"}
        Weights in the fit; the calibration puts the size of the risks right again.
    monotone : mapping of str to {"rises", "falls"}, optional
        Inputs whose effect is held to one direction; the additive recipe only.
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
        If labels and features differ in length, no such recipe is known, or a direction is
        asked for that cannot be held.
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
    declaration, inputs = read_learnable(kept, features.declaration)
    held = {name: way for name, way in (monotone or {}).items()}
    check_monotone(chosen, held, features.declaration)
    rows = TrainingRows(
        recipe=chosen,
        declaration=declaration,
        inputs=inputs,
        labels=target,
        groups=grouped,
        seed=seed,
        class_weights=class_weights,
        monotone=held,
    )
    estimator, calibration, made = _fit_calibrated(rows, search)
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
            "sample_size": _said_of_sample_size(
                rows, estimator, n_people=int(kept.index.nunique())
            ),
            "data_digest": compute_data_digest(inputs, target),
            "ranges": compute_ranges(inputs),
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


def _fit_calibrated(
    rows: TrainingRows, search: Search | None
) -> tuple[Any, Calibration, dict[str, Any]]:
    """The estimator fitted on all rows, calibrated by fits that had not seen those they judge.

    A search is repeated within each of those fits, so that it never sees who judges it.
    """
    folds = make_folds(rows.inputs, rows.labels, rows.groups, seed=rows.seed)
    outer = folds[:1] if _is_one_enough(rows, folds, search) else folds
    logits, found = np.full(len(rows.labels), np.nan), []
    for learnt, untouched in outer:
        part = rows.take(learnt)
        found.append(find_parameters(part, search))
        fitted = fit_recipe(part, found[-1].parameters)
        logits[untouched] = compute_estimator_logits(fitted, rows.inputs.iloc[untouched])
    best = found[0] if len(outer) == 1 else find_parameters(rows, search)
    judged = ~np.isnan(logits)
    calibration = fit_calibration(logits[judged], rows.labels[judged])
    facts = {
        "parameters": dict(best.parameters),
        "calibrated_on": _CALIBRATED_ON[len(outer) == 1],
        **_said_of_search(
            search, best, found, calibration.apply(logits[judged]), rows.labels[judged]
        ),
        **({"class_weights": rows.class_weights} if rows.class_weights != "none" else {}),
        **({"monotone": dict(rows.monotone)} if rows.monotone else {}),
    }
    return fit_recipe(rows, best.parameters), calibration, facts


_CALIBRATED_ON = {
    True: "one held-out fold in five, by a model fitted on the other four",
    False: "each of five folds, by a model fitted on the other four",
}


def _said_of_sample_size(rows: TrainingRows, estimator: Any, *, n_people: int) -> str:
    # Rows of one person on several days tell less than as many people would.
    need = compute_sample_size(
        float(rows.labels.mean()), n_parameters=count_parameters(rows, estimator)
    )
    return need.describe(n_people)


def _is_one_enough(rows: TrainingRows, folds: list[Any], search: Search | None) -> bool:
    if search is not None and search.selection is not None:
        return search.selection == "held_out"
    return bool(rows.labels[folds[0][1]].sum() >= _EVENTS_FOR_ONE_FOLD)


def _said_of_search(
    search: Search | None,
    best: Found,
    found: list[Found],
    risks: NDArray[np.float64],
    labels: NDArray[np.float64],
) -> dict[str, Any]:
    """How the settings were chosen, and what rows that the search had not seen said of them."""
    if search is None:
        return {}
    measured = compute_metrics(labels, risks, seed=0, n_resamples=0)["value"]
    return {
        "search": {
            "method": search.method,
            "selection": "held_out" if len(found) == 1 else "nested",
            "n_tried": best.n_tried,
            "log_loss_in_search": round(best.log_loss, 6),
            "log_loss_unseen": round(float(measured["log_loss"]), 6),
            "auc_unseen": round(float(measured["auc"]), 6),
            "chosen": [dict(one.parameters) for one in found],
        }
    }
