"""What our training costs above a bare fit of the same model in the same library.

Run ``OMP_NUM_THREADS=1 python benchmarks/risk_training.py [--n=60000] [--runs=5]
[--recipes=logistic,additive]`` in the project's folder. Bare: the library's own estimator (a
pipeline with scaling, or the additive model) fitted on a plain float frame of BRFSS. Ours: the
same from the declared feature table, with the choice of what can be learnt from, the digest of
the data and the count of parameters; calibration, search and evaluation aside. CPU seconds, the
two in turn in one process, and the median of the ratios with its range.
"""

from __future__ import annotations

import argparse
import time
import warnings
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from risk_data import SEED, load_brfss_diabetes

from chw_tools.feature_engineering import Features
from chw_tools.model_training import RECIPES, Recipe, train
from chw_tools.model_training.fitting import TrainingRows, fit_recipe, read_learnable
from chw_tools.model_training.inputs import compute_data_digest
from chw_tools.model_training.sample_size import compute_sample_size, count_parameters

if TYPE_CHECKING:
    from collections.abc import Callable

#: A recipe that takes longer than this, in seconds, is run twice only.
_SLOW = 8.0


def fit_ours(recipe: Recipe, features: Features, labels: np.ndarray) -> None:
    """All that ``train`` does, but for calibration."""
    declaration, inputs = read_learnable(features.frame, features.declaration)
    rows = TrainingRows(recipe, declaration, inputs, labels, np.arange(len(labels)), SEED)
    fitted = fit_recipe(rows, {})
    compute_sample_size(labels.mean(), n_parameters=count_parameters(rows, fitted))
    compute_data_digest(inputs, labels)


def fit_bare(recipe: Recipe, features: Features, labels: np.ndarray) -> None:
    """The library's estimator on a plain frame."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        recipe.make(features.declaration, features.frame, SEED).fit(features.frame, labels)


def clock(act: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    started = time.process_time()
    act()
    return time.process_time() - started


def main() -> None:
    """One row for each recipe."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=60_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--recipes", default=",".join(RECIPES))
    chosen = parser.parse_args()
    task = load_brfss_diabetes(chosen.n)
    features, labels = task.features(), task.labels
    answers = pd.Series(labels == 1, features.frame.index, dtype="boolean")
    print(f"{task.name}: {len(labels):,} people, {features.frame.shape[1]} inputs")
    print("| Recipe | Bare, CPU s | Ours, CPU s | Ours / bare (range) | Calibrated, CPU s |")
    print("|---|---|---|---|---|")
    small = Features(features.frame.iloc[:2000], features.declaration, features.as_of)
    for name in chosen.recipes.split(","):
        recipe = RECIPES[name]
        for fit in (fit_bare, fit_ours):  # libraries are loaded before the clock runs
            fit(recipe, small, labels[:2000])
        pairs, runs = [], chosen.runs
        while len(pairs) < runs:
            bare = clock(partial(fit_bare, recipe, features, labels))
            ours = clock(partial(fit_ours, recipe, features, labels))
            pairs.append((bare, ours))
            runs = min(runs, 2) if bare > _SLOW else runs
        whole = clock(partial(train, features, answers, recipe=name, seed=SEED))
        bare, ours = np.median(pairs, axis=0)
        ratios = [ours / bare for bare, ours in pairs]
        print(
            f"| {name} | {bare:.2f} | {ours:.2f} | {np.median(ratios):.3f} ({min(ratios):.3f} to "
            f"{max(ratios):.3f}) | {whole:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
