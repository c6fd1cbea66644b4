"""Search for settings over folds that keep each group whole.

Settings are chosen by mean log loss (the risk is to be a probability) on folds within the rows
given; who judges the chosen model is never among those rows. Every chance comes from the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from chw_tools.errors import MissingExtra
from chw_tools.model_training.fitting import compute_estimator_logits, fit_recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from chw_tools.model_training.fitting import TrainingRows
    from chw_tools.model_training.recipes import Range

#: As the brief asks.
N_FOLDS = 5


@dataclass(frozen=True)
class Search:
    """How settings are looked for.

    Parameters
    ----------
    method : {"grid", "optuna"}
        Every point of a grid, or trials that learn from one another (needs the ``search``
        extra).
    n_trials : int
        Trials of ``optuna``; the recipe's own settings are tried first, beside them.
    grid : mapping of str to tuple, optional
        Instead of the recipe's own grid.
    selection : {"nested", "held_out"}, optional
        ``nested``: the whole search is repeated in each of five outer folds, and the fold
        left out judges it. ``held_out``: one fold is left out of the search and judges it.
        By default the second where that fold has 1,000 events, else the first.
    n_jobs : int
        Processes for a grid; -1 for every core.
    """

    method: Literal["grid", "optuna"] = "grid"
    n_trials: int = 30
    grid: Mapping[str, tuple[Any, ...]] | None = None
    selection: Literal["nested", "held_out"] | None = None
    n_jobs: int = 1


@dataclass(frozen=True)
class Found:
    """What a search found.

    Parameters
    ----------
    parameters : mapping
        The settings with the least log loss; empty where nothing was searched.
    log_loss : float
        Theirs, over the inner folds: by having been chosen it is a little too good.
    n_tried : int
        How many settings were compared.
    """

    parameters: Mapping[str, Any]
    log_loss: float = float("nan")
    n_tried: int = 0


def make_folds(
    inputs: pd.DataFrame,
    labels: NDArray[np.float64],
    groups: NDArray[Any],
    *,
    seed: int,
    n_folds: int = N_FOLDS,
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows to fit on and rows to judge by, with about equal shares of events in each fold.

    No group (household, or people who look alike) stands on both sides of a fold.
    """
    import pandas as pd
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    shuffled = {"n_splits": n_folds, "shuffle": True, "random_state": seed}
    if not pd.Series(groups).duplicated().any():  # the same, a hundred times as quick
        return list(StratifiedKFold(**shuffled).split(inputs, labels))
    return list(StratifiedGroupKFold(**shuffled).split(inputs, labels, groups))


def find_parameters(rows: TrainingRows, search: Search | None) -> Found:
    """The settings with the least mean log loss over five folds of these rows.

    Raises
    ------
    MissingExtra
        If the search needs a library that is not installed.
    ValueError
        If the method is not known, or the recipe declares nothing to search.
    """
    if search is None:
        return Found({})
    folds = make_folds(rows.inputs, rows.labels, rows.groups, seed=rows.seed)
    if search.method == "grid":
        return _search_grid(rows, folds, search)
    if search.method != "optuna":
        raise ValueError("a search is by grid or by optuna")
    if not rows.recipe.space:
        raise ValueError(f"the recipe {rows.recipe.name} declares nothing to search")
    return _search_trials(rows.recipe.space, lambda given: _judge(rows, folds, given), search, rows)


def _search_grid(rows: TrainingRows, folds: list[Any], search: Search) -> Found:
    from joblib import Parallel, delayed

    grid = rows.recipe.grid if search.grid is None else search.grid
    if not grid:
        raise ValueError(f"the recipe {rows.recipe.name} declares nothing to search")
    points = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    losses = Parallel(n_jobs=search.n_jobs)(delayed(_judge)(rows, folds, p) for p in points)
    best = int(np.argmin(losses))
    return Found(points[best], float(losses[best]), len(points))


def _search_trials(
    space: Mapping[str, Range],
    judge: Callable[[Mapping[str, Any]], float],
    search: Search,
    rows: TrainingRows,
) -> Found:
    try:
        import optuna
    except ImportError as error:
        raise MissingExtra.of("Optuna", extra="search") from error

    said = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=rows.seed))
        study.optimize(lambda trial: judge(_draw(trial, space)), n_trials=search.n_trials)
    finally:
        optuna.logging.set_verbosity(said)
    own = judge({})
    if own <= study.best_value:
        return Found({}, own, search.n_trials + 1)
    return Found(dict(study.best_params), float(study.best_value), search.n_trials + 1)


def _draw(trial: Any, space: Mapping[str, Range]) -> dict[str, Any]:
    return {
        name: (trial.suggest_int if held.is_whole else trial.suggest_float)(
            name, held.low, held.high, log=held.is_log
        )
        for name, held in space.items()
    }


def _judge(rows: TrainingRows, folds: list[Any], parameters: Mapping[str, Any]) -> float:
    """Mean log loss over the folds; what class weights add to the log-odds is taken off first."""
    losses = []
    for learnt, judged in folds:
        part = rows.take(learnt)
        logits = compute_estimator_logits(
            fit_recipe(part, parameters), rows.inputs.iloc[judged]
        ) - np.log(part.event_weight)
        losses.append((np.logaddexp(0, logits) - rows.labels[judged] * logits).mean())
    return float(np.mean(losses))
