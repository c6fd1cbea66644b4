"""Tune gradient boosting on the mock data with five folds, judge it, keep it.

Run ``python complex_model.py`` in the project's folder; ``--quick`` tries two points of the
grid instead of 27. Scaling is learnt inside each fold. The rows are simulated: they show how
the tools work, and nothing about real people.
"""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from chw_tools import FULL_BOOSTING_GRID, ModelRegistry, Search, train_table

DATA = Path("data/raw/mock_data.csv")
MODELS = Path("models/trained_models")
#: n_estimators, learning_rate and max_depth, three values each.
GRID = FULL_BOOSTING_GRID
QUICK_GRID = {"model__n_estimators": (50,), "model__max_depth": (2, 3)}


def main(
    data: Path = DATA, models: Path = MODELS, grid: Mapping[str, tuple[Any, ...]] = GRID
) -> Path:
    """Tune, train, print the measures, and give the folder of the kept model."""
    run = train_table(
        pd.read_csv(data),
        target="target_column",
        name="complex_model",
        recipe="full_gradient_boosting",
        search=Search(grid=grid, selection="held_out", n_jobs=-1),
        seed=42,
    )
    print(f"Best of the grid: {run.model.trained_on['parameters']}")
    print(run.describe())
    registry = ModelRegistry(models)
    folder = registry.save_model(
        run.model, version=registry.next_version("complex_model"), created_at=datetime.now(UTC)
    )
    print(f"Trained model saved to: {folder}")
    return folder


if __name__ == "__main__":
    main(grid=QUICK_GRID if "--quick" in sys.argv[1:] else GRID)
