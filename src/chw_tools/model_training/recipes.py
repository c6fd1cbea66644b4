"""Recipes: how a model is made. One preprocessing pipeline, seven learners.

A recipe is a name, a maker of an unfitted estimator, and what a search may try. The
scikit-learn recipes begin with one pipeline (:mod:`chw_tools.model_training.preprocessing`),
at the declared feature table. The additive model takes the table as it is, and treats a gap
as a level of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from chw_tools.errors import MissingExtra
from chw_tools.model_training.preprocessing import make_curves, make_preprocessing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from chw_tools.feature_engineering import Feature

#: The grid of the brief's complex model.
FULL_BOOSTING_GRID: Mapping[str, tuple[Any, ...]] = {
    "model__n_estimators": (100, 200, 300),
    "model__learning_rate": (0.05, 0.1, 0.2),
    "model__max_depth": (3, 4, 5),
}


@dataclass(frozen=True)
class Range:
    """The values from which a search with trials draws one setting.

    Parameters
    ----------
    low, high : float
        Both included; whole numbers are drawn where both are ``int``.
    is_log : bool
        Whether a tenfold is one step, wherever it begins.
    """

    low: float
    high: float
    is_log: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether whole numbers are drawn."""
        return isinstance(self.low, int) and isinstance(self.high, int)


@dataclass(frozen=True)
class Recipe:
    """How one kind of model is made.

    Parameters
    ----------
    name, label : str
        For folders and for readers.
    make : callable
        ``make(declaration, inputs, seed)`` gives an unfitted estimator; ``inputs`` are the
        rows that it will be fitted on, and no others.
    grid : mapping of str to tuple
        What a grid search tries, each setting with its candidates; empty: nothing.
    space : mapping of str to Range
        What a search with trials draws from; empty: nothing.
    can_be_monotone : bool
        Whether an input's effect can be held to rise, or to fall.
    """

    name: str
    label: str
    make: Callable[[Sequence[Feature], pd.DataFrame, int], Any]
    grid: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    space: Mapping[str, Range] = field(default_factory=dict)
    can_be_monotone: bool = False


def _pipeline(prepare: Any, model: Any) -> Any:
    from sklearn.pipeline import Pipeline

    return Pipeline([("prepare", prepare), ("model", model)])


def _logistic(declaration: Sequence[Feature], inputs: pd.DataFrame, seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0, max_iter=2000, random_state=seed)
    return _pipeline(make_preprocessing(declaration), model)


def _logistic_splines(declaration: Sequence[Feature], inputs: pd.DataFrame, seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0, max_iter=2000, random_state=seed)
    return _pipeline(make_curves(declaration, inputs), model)


def _random_forest(declaration: Sequence[Feature], inputs: pd.DataFrame, seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    # Leaves of at least 20 people: a probability from one or two is no probability.
    model = RandomForestClassifier(
        n_estimators=200, min_samples_leaf=20, random_state=seed, n_jobs=1
    )
    return _pipeline(make_preprocessing(declaration), model)


def _gradient_boosting(declaration: Sequence[Feature], inputs: pd.DataFrame, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(max_iter=150, learning_rate=0.05, random_state=seed)
    return _pipeline(make_preprocessing(declaration), model)


def _full_gradient_boosting(declaration: Sequence[Feature], inputs: pd.DataFrame, seed: int) -> Any:
    from sklearn.ensemble import GradientBoostingClassifier

    model = GradientBoostingClassifier(random_state=seed)
    return _pipeline(make_preprocessing(declaration), model)


def _lightgbm(declaration: Sequence[Feature], inputs: pd.DataFrame, seed: int) -> Any:
    try:
        from lightgbm import LGBMClassifier
    except ImportError as error:
        raise MissingExtra.of("LightGBM", extra="lightgbm") from error
    model = LGBMClassifier(
        n_estimators=300,
        learning_rate=0.04,
        num_leaves=15,
        min_child_samples=40,
        subsample=0.8,
        subsample_freq=1,
        colsample_bytree=0.6,
        reg_lambda=5.0,
        random_state=seed,
        deterministic=True,
        force_row_wise=True,
        n_jobs=1,
        verbose=-1,
    )
    return _pipeline(make_preprocessing(declaration), model)


def _additive(declaration: Sequence[Feature], inputs: pd.DataFrame, seed: int) -> Any:
    return _explainable_boosting(declaration, seed, n_pairs=0)


def _additive_pairs(declaration: Sequence[Feature], inputs: pd.DataFrame, seed: int) -> Any:
    # Twenty pairs on a coarse net: on BRFSS AUC 0.832 against 0.829 without, and a third of
    # the calibration error; on NHANES no difference (docs/model_evaluation.md).
    return _explainable_boosting(declaration, seed, n_pairs=20)


def _explainable_boosting(declaration: Sequence[Feature], seed: int, *, n_pairs: int) -> Any:
    from interpret.glassbox import ExplainableBoostingClassifier

    # Fewer bags and bins and a quicker rate than the library's defaults (14 bags, 1024 bins,
    # 0.015, smoothing 75): measured on NHANES, AUC within 0.001 of those at 0.03 with 8 bags,
    # at a third of the time (docs/model_evaluation.md). Shrinkage of leaves and at least 50
    # people in each: soft AUC 0.718 against 0.712 on the simulated programme (three seeds,
    # 950 events), and 0.8776 against 0.8773 on NHANES five-year death, five folds.
    return ExplainableBoostingClassifier(
        feature_names=[f.name for f in declaration],
        feature_types=["nominal" if f.kind == "choice" else "continuous" for f in declaration],
        interactions=n_pairs if len(declaration) > 1 else 0,
        max_interaction_bins=16,
        max_bins=32,
        outer_bags=4,
        learning_rate=0.08,
        smoothing_rounds=25,
        reg_lambda=20.0,
        min_samples_leaf=50,
        n_jobs=1,
        random_state=seed,
    )


_RATE = Range(0.02, 0.2, is_log=True)
RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "logistic",
            "Logistic regression",
            _logistic,
            grid={"model__C": (0.01, 0.1, 1.0)},
            space={"model__C": Range(1e-3, 10.0, is_log=True)},
        ),
        Recipe(
            "logistic_splines",
            "Logistic regression with curves",
            _logistic_splines,
            grid={"model__C": (0.01, 0.1, 1.0)},
            space={"model__C": Range(1e-3, 10.0, is_log=True)},
        ),
        Recipe(
            "random_forest",
            "Random forest",
            _random_forest,
            grid={"model__min_samples_leaf": (10, 20, 50)},
            space={
                "model__min_samples_leaf": Range(5, 100, is_log=True),
                "model__max_features": Range(0.1, 0.8),
            },
        ),
        Recipe(
            "gradient_boosting",
            "Gradient boosting (histograms)",
            _gradient_boosting,
            grid={"model__learning_rate": (0.03, 0.1), "model__max_depth": (3, 5)},
            space={
                "model__learning_rate": _RATE,
                "model__max_leaf_nodes": Range(4, 31, is_log=True),
                "model__min_samples_leaf": Range(10, 100, is_log=True),
                "model__l2_regularization": Range(1e-2, 30.0, is_log=True),
            },
        ),
        Recipe(
            "full_gradient_boosting",
            "Gradient boosting (exact splits)",
            _full_gradient_boosting,
            grid=FULL_BOOSTING_GRID,
            space={
                "model__n_estimators": Range(50, 300),
                "model__learning_rate": _RATE,
                "model__max_depth": Range(1, 5),
            },
        ),
        Recipe(
            "lightgbm",
            "Gradient boosting (LightGBM)",
            _lightgbm,
            grid={"model__num_leaves": (7, 15, 31), "model__learning_rate": (0.02, 0.04)},
            space={
                "model__learning_rate": _RATE,
                "model__num_leaves": Range(4, 31, is_log=True),
                "model__min_child_samples": Range(10, 100, is_log=True),
                "model__reg_lambda": Range(1e-2, 30.0, is_log=True),
            },
        ),
        Recipe(
            "additive",
            "Additive model (explainable boosting)",
            _additive,
            grid={"reg_lambda": (5.0, 20.0), "learning_rate": (0.04, 0.08)},
            space={
                "reg_lambda": Range(1.0, 50.0, is_log=True),
                "learning_rate": Range(0.02, 0.1, is_log=True),
                "min_samples_leaf": Range(10, 100, is_log=True),
            },
            can_be_monotone=True,
        ),
        Recipe(
            "additive_pairs",
            "Additive model with pairs of inputs (explainable boosting)",
            _additive_pairs,
            grid={"interactions": (10, 20), "reg_lambda": (5.0, 20.0)},
            space={
                "interactions": Range(5, 30),
                "reg_lambda": Range(1.0, 50.0, is_log=True),
                "learning_rate": Range(0.02, 0.1, is_log=True),
            },
        ),
    )
}
