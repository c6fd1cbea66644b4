"""A small model of falls, how it was judged, and a registry to keep it in."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from chw_tools.feature_engineering import Feature, Features
from chw_tools.model_registry import ModelRegistry
from chw_tools.model_training import train

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from chw_tools.model_training import FittedModel

AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
_GOOD: dict[str, Any] = {
    "model": "additive",
    "population": "simulated",
    "n": 4000,
    "n_events": 400,
    "threshold": 0.2,
    "probability": {"shown": True, "why": "The numbers fitted 400 events."},
    "metrics": [
        {"name": "auc", "value": 0.80, "low": 0.78, "high": 0.82},
        {"name": "net_benefit", "value": 0.02, "low": 0.01, "high": 0.03},
    ],
    "subgroups": [
        {
            "by": "Sex",
            "group": "female",
            "n": 2000,
            "n_events": 200,
            "is_few": False,
            "observed_to_expected": 1.15,
            "observed_to_expected_low": 1.05,
            "observed_to_expected_high": 1.25,
        },
        {
            "by": "Age",
            "group": "0 to 4",
            "n": 90,
            "n_events": 9,
            "is_few": True,
            "observed_to_expected": 2.0,
            "observed_to_expected_low": 1.5,
            "observed_to_expected_high": 2.5,
        },
    ],
    "comparisons": [
        {"name": "additive", "auc": 0.80, "auc_low": 0.78, "auc_high": 0.82},
        {"name": "prevalence", "auc": 0.5, "auc_low": 0.5, "auc_high": 0.5},
        {"name": "age_only", "auc": 0.7, "auc_low": 0.68, "auc_high": 0.72},
    ],
}


@pytest.fixture
def good_metrics() -> dict[str, Any]:
    """A judgement that passes every gate; change it as you like."""
    return copy.deepcopy(_GOOD)


@pytest.fixture(scope="session")
def fall_features() -> tuple[Features, pd.Series]:
    """Four hundred made-up people, and whether they fell."""
    generator, n = np.random.default_rng(0), 400
    index = pd.Index([f"p{i}" for i in range(n)], name="person_id")
    frame = pd.DataFrame(
        {
            "age_years": generator.uniform(0, 90, n),
            "sex": pd.Categorical(generator.choice(["female", "male"], n)),
        },
        index,
    )
    frame.iloc[::9, 0] = np.nan
    declared = (
        Feature("age_years", "Age", "number", unit="a"),
        Feature("sex", "Sex", "choice", allowed=("female", "male")),
    )
    labels = pd.Series(generator.random(n) < 0.3, index, dtype="boolean")
    return Features(frame, declared, pd.Timestamp("2025-01-01")), labels


@pytest.fixture(scope="session")
def fall_model(fall_features: tuple[Features, pd.Series]) -> FittedModel:
    """The additive model of falls; so that it can be approved, its people are called enough."""
    model = train(*fall_features, recipe="additive", seed=1, outcome="fall")
    return replace(model, trained_on={**model.trained_on, "sample_size": "400 people: enough."})


@pytest.fixture
def registry(tmp_path: Path) -> ModelRegistry:
    """An empty registry."""
    return ModelRegistry(tmp_path / "trained_models")


@pytest.fixture
def keep(
    registry: ModelRegistry,
    fall_model: FittedModel,
    fall_features: tuple[Features, pd.Series],
    good_metrics: dict[str, Any],
) -> Callable[..., Path]:
    """Keep the model of falls: ``keep("v1")``, or with other ``metrics`` or ``report``."""

    def keep_one(version: str = "v1", **given: Any) -> Path:
        metrics = json.dumps(given.pop("metrics", good_metrics)).encode()
        report = given.pop("report", {"card.md": b"# Card", "metrics.json": metrics})
        model = given.pop("model", fall_model)
        return registry.save_model(
            model,
            version=version,
            created_at=AT,
            report=report,
            probe=fall_features[0].frame,
            **given,
        )

    return keep_one
