"""Train a random forest on the mock data, judge it on held-out rows, keep it.

Run ``python train_model.py`` in the project's folder. The rows are simulated: they show how
the tools work, and nothing about real people.
"""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from chw_tools import ModelRegistry, train_table

DATA = Path("data/raw/mock_data.csv")
MODELS = Path("models/trained_models")


def main(data: Path = DATA, models: Path = MODELS) -> Path:
    """Train, print the measures, and give the folder of the kept model."""
    frame = pd.read_csv(data)
    run = train_table(
        frame, target="target_column", name="mock_model", recipe="random_forest", seed=42
    )
    print(run.describe())
    registry = ModelRegistry(models)
    folder = registry.save_model(
        run.model, version=registry.next_version("mock_model"), created_at=datetime.now(UTC)
    )
    print(f"Trained model saved to: {folder}")
    return folder


if __name__ == "__main__":
    main()
