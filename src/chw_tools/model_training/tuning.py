"""Grid search over folds that keep each group whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

#: As the brief asks.
N_FOLDS = 5


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
    from sklearn.model_selection import StratifiedGroupKFold

    folds = StratifiedGroupKFold(n_splits=n_folds, shuffle=True, random_state=seed)
    return list(folds.split(inputs, labels, groups))


def tune(
    estimator: Any,
    inputs: pd.DataFrame,
    labels: NDArray[np.float64],
    *,
    grid: Mapping[str, tuple[Any, ...]],
    folds: list[tuple[NDArray[np.int64], NDArray[np.int64]]],
    n_jobs: int = 1,
) -> dict[str, Any]:
    """The point of the grid with the best mean log loss over the folds.

    Log loss, not accuracy: the risk is to be a probability. The estimator is a whole
    pipeline, so that scaling is learnt inside each fold.
    """
    from sklearn.model_selection import GridSearchCV

    search = GridSearchCV(
        estimator,
        {name: list(values) for name, values in grid.items()},
        cv=folds,
        scoring="neg_log_loss",
        refit=False,
        n_jobs=n_jobs,
    )
    search.fit(inputs, labels)
    return dict(search.best_params_)
