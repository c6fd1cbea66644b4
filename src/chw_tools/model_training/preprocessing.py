"""From the declared feature table to the columns that the scikit-learn recipes learn from.

Each prepared column comes from exactly one input, whose name stands in the column's name
(``numbers__bmi``, ``numbers__missingindicator_bmi``, ``choices__sex_female``,
``curves_5__age_years_sp_2``), so that a logistic model can be taken apart into one term for
each input. A gap is information: beside the median that is put in its place stands a column
that says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Feature

#: Quantiles of the known values at which a curve has its knots; beyond the outer two it goes
#: on straight. Source: Harrell FE, Regression Modeling Strategies, 2nd ed., 2015, table 2.3.
KNOT_QUANTILES = (0.05, 0.275, 0.5, 0.725, 0.95)
#: Fewer knots than this, and the input enters as a straight line.
_FEWEST_KNOTS = 3


def make_preprocessing(declaration: Sequence[Feature]) -> Any:
    """The unfitted preprocessing of the plain recipes.

    Numbers and flags: the median where missing, a column that says so, then mean 0 and
    standard deviation 1. Choices: one column for each declared level; missing and unknown
    levels have none of them.
    """
    numbers = [f.name for f in declaration if f.kind != "choice"]
    return _columns([*_numbers(numbers), *_choices(declaration)])


def make_curves(declaration: Sequence[Feature], inputs: pd.DataFrame) -> Any:
    """The same, with each number bent: cubic B-splines between knots, straight beyond them.

    Parameters
    ----------
    declaration : sequence of Feature
        The inputs.
    inputs : DataFrame
        The rows that will be fitted on, and no others: the knots are placed by them. An
        input with fewer than three distinct knots (a flag, a count that is mostly 0) stays a
        straight line.
    """
    numbers = [f.name for f in declaration if f.kind != "choice"]
    knots = {name: _place_knots(inputs[name].to_numpy(dtype=float)) for name in numbers}
    curved = [name for name in numbers if len(knots[name]) >= _FEWEST_KNOTS]
    straight = [name for name in numbers if name not in curved]
    parts = [*_numbers(straight), *_curves({name: knots[name] for name in curved})]
    return _columns([*parts, *_choices(declaration)])


def _columns(parts: list[tuple[str, Any, list[str]]]) -> Any:
    from sklearn.compose import ColumnTransformer

    return ColumnTransformer(parts, sparse_threshold=0)


def _numbers(names: list[str]) -> Iterator[tuple[str, Any, list[str]]]:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    if names:
        impute = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        yield "numbers", Pipeline([("impute", impute), ("scale", StandardScaler())]), names


def _choices(declaration: Sequence[Feature]) -> Iterator[tuple[str, Any, list[str]]]:
    from sklearn.preprocessing import OneHotEncoder

    choices = [f for f in declaration if f.kind == "choice"]
    if choices:
        levels = OneHotEncoder(
            categories=[list(f.allowed) for f in choices],
            handle_unknown="ignore",
            sparse_output=False,
        )
        yield "choices", levels, [f.name for f in choices]


def _curves(knots: dict[str, NDArray[np.float64]]) -> Iterator[tuple[str, Any, list[str]]]:
    """One part for each number of knots, and one for what is missing."""
    from sklearn.impute import MissingIndicator, SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import SplineTransformer

    for size in sorted({len(placed) for placed in knots.values()}):
        names = [name for name, placed in knots.items() if len(placed) == size]
        bend = SplineTransformer(
            degree=3,
            knots=np.column_stack([knots[name] for name in names]),
            extrapolation="linear",
            include_bias=False,
        )
        impute = SimpleImputer(strategy="median", keep_empty_features=True)
        yield f"curves_{size}", Pipeline([("impute", impute), ("bend", bend)]), names
    if knots:
        # A column that has gaps only later is not known to the model: nothing is learnt of it.
        missing = MissingIndicator(features="missing-only", error_on_new=False)
        yield "missing", missing, list(knots)


def _place_knots(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = values[~np.isnan(values)]
    if not len(known):
        return np.empty(0)
    return np.unique(np.quantile(known, KNOT_QUANTILES))
