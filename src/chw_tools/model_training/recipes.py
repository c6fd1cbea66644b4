"""Recipes: how a model is made. One preprocessing pipeline, four learners.

A recipe is a name, a maker of an unfitted estimator and a grid of what is tuned. The
scikit-learn recipes share one pipeline (median and missing indicator, one column a level,
standard scaler), which begins at the declared feature table. The additive model takes the
table as it is, and treats a gap as a level of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chw_tools.feature_engineering import Feature

#: The grid of the brief's complex model.
FULL_BOOSTING_GRID: Mapping[str, tuple[Any, ...]] = {
    "model__n_estimators": (100, 200, 300),
    "model__learning_rate": (0.05, 0.1, 0.2),
    "model__max_depth": (3, 4, 5),
}


@dataclass(frozen=True)
class Recipe:
    """How one kind of model is made.

    Parameters
    ----------
    name, label : str
        For folders and for readers.
    make : callable
        ``make(declaration, seed)`` gives an unfitted estimator.
    grid : mapping of str to tuple
        What is tuned, each with its candidates; empty: nothing is.
    """

    name: str
    label: str
    make: Callable[[Sequence[Feature], int], Any]
    grid: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


def make_preprocessing(declaration: Sequence[Feature]) -> Any:
    """The unfitted preprocessing of the scikit-learn recipes.

    Numbers and flags: the median where missing, a column that says so, then mean 0 and
    standard deviation 1. Choices: one column for each declared level; missing and unknown
    levels have none of them.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = [f.name for f in declaration if f.kind != "choice"]
    choices = [f for f in declaration if f.kind == "choice"]
    impute = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    levels = OneHotEncoder(
        categories=[list(f.allowed) for f in choices],
        handle_unknown="ignore",
        sparse_output=False,
    )
    parts: list[tuple[str, Any, list[str]]] = []
    if numbers:
        parts.append(
            ("numbers", Pipeline([("impute", impute), ("scale", StandardScaler())]), numbers)
        )
    if choices:
        parts.append(("choices", levels, [f.name for f in choices]))
    return ColumnTransformer(parts, sparse_threshold=0)


def _pipeline(declaration: Sequence[Feature], model: Any) -> Any:
    from sklearn.pipeline import Pipeline

    return Pipeline([("prepare", make_preprocessing(declaration)), ("model", model)])


def _logistic(declaration: Sequence[Feature], seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return _pipeline(declaration, LogisticRegression(C=1.0, max_iter=2000, random_state=seed))


def _random_forest(declaration: Sequence[Feature], seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    # Leaves of at least 20 people: a probability from one or two is no probability.
    model = RandomForestClassifier(
        n_estimators=200, min_samples_leaf=20, random_state=seed, n_jobs=1
    )
    return _pipeline(declaration, model)


def _gradient_boosting(declaration: Sequence[Feature], seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(max_iter=150, learning_rate=0.05, random_state=seed)
    return _pipeline(declaration, model)


def _full_gradient_boosting(declaration: Sequence[Feature], seed: int) -> Any:
    from sklearn.ensemble import GradientBoostingClassifier

    return _pipeline(declaration, GradientBoostingClassifier(random_state=seed))


def _additive(declaration: Sequence[Feature], seed: int) -> Any:
    from interpret.glassbox import ExplainableBoostingClassifier

    # Fewer bags and bins and a quicker rate than the library's defaults (14 bags, 1024 bins,
    # 0.015, smoothing 75): measured on NHANES, AUC within 0.001 of those at 0.03 with 8 bags,
    # at a third of the time (docs/model_evaluation.md). Shrinkage of leaves and at least 50
    # people in each: soft AUC 0.718 against 0.712 on the simulated programme (three seeds,
    # 950 events), and 0.8776 against 0.8773 on NHANES five-year death, five folds.
    return ExplainableBoostingClassifier(
        feature_names=[f.name for f in declaration],
        feature_types=["nominal" if f.kind == "choice" else "continuous" for f in declaration],
        interactions=0,
        max_bins=32,
        outer_bags=4,
        learning_rate=0.08,
        smoothing_rounds=25,
        reg_lambda=20.0,
        min_samples_leaf=50,
        n_jobs=1,
        random_state=seed,
    )


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe("logistic", "Logistic regression", _logistic, {"model__C": (0.01, 0.1, 1.0)}),
        Recipe(
            "random_forest",
            "Random forest",
            _random_forest,
            {"model__min_samples_leaf": (10, 20, 50)},
        ),
        Recipe(
            "gradient_boosting",
            "Gradient boosting (histograms)",
            _gradient_boosting,
            {"model__learning_rate": (0.03, 0.1), "model__max_depth": (3, 5)},
        ),
        Recipe(
            "full_gradient_boosting",
            "Gradient boosting (exact splits)",
            _full_gradient_boosting,
            FULL_BOOSTING_GRID,
        ),
        Recipe("additive", "Additive model (explainable boosting)", _additive),
    )
}
