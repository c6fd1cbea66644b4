"""Golden rows: made-up people with the risks that a model gave them when it was kept.

They are scored again on every loading; a file, library or machine that scores them otherwise is
found before anybody is scored. No row is of a person: each value is drawn apart from the others,
from the range in which the training's values lay.

They hold what goes wrong first: every input missing, each one missing, an answer never seen, and
both sides of a place where the risk jumps, one smallest step apart.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.errors import ModelRefused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Feature
    from chw_tools.risk_prediction import ScoringModel

GOLDEN_FILE = "golden.json"
#: A loaded model may differ from the kept one by no more than the order of adding up.
TOLERANCE = 1e-9
UNSEEN = "an answer never seen"
_N_DRAWN = 24
#: Steps along a number's range in which a jump is looked for, and halvings to its very place.
_N_STEPS, _N_HALVINGS = 65, 64


def make_golden(
    model: ScoringModel, features: Sequence[Feature], ranges: pd.DataFrame | None, *, seed: int
) -> bytes:
    """Golden rows of a model as the content of a file.

    Parameters
    ----------
    model : ScoringModel
        As it was read back from its files.
    features : sequence of Feature
        Its inputs.
    ranges : DataFrame, optional
        Rows whose columns span the ranges to draw from; 0 to 100 without.
    seed : int
        All chance comes from it.
    """
    generator = np.random.default_rng(seed)
    drawn = _drawn(features, ranges, generator)
    rows = pd.concat(
        [drawn, _gaps(drawn, features), _jumps(model, drawn, features)], ignore_index=True
    )
    rows = _typed(rows, features)
    content = {
        "rows": [_plain(row) for row in rows.to_dict("records")],
        "risks": [_plain_value(risk) for risk in model.predict(rows)],
    }
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def check_golden(model: ScoringModel, features: Sequence[Feature], content: bytes) -> float:
    """The largest distance of a golden row's risk from the one that was kept.

    Raises
    ------
    ModelRefused
        If any row's risk is another by more than :data:`TOLERANCE`, or the file is none of ours.
    """
    try:
        kept = json.loads(content)
        rows = _typed(pd.DataFrame(kept["rows"], dtype="object"), features)
        expected = np.asarray(kept["risks"], dtype="float64")
    except (KeyError, TypeError, ValueError) as error:
        raise ModelRefused(
            "its golden rows cannot be read", where=GOLDEN_FILE, cure="Train again."
        ) from error
    apart = _distances(np.asarray(model.predict(rows)), expected)
    furthest = float(apart.max()) if len(apart) else float("nan")
    if not furthest <= TOLERANCE:
        raise ModelRefused(
            "it does not score the golden rows as it did when it was kept "
            f"(largest distance {furthest:.2g})",
            where=GOLDEN_FILE,
            cure="Install the libraries named in its manifest, or train again.",
        )
    return furthest


def golden_rows(content: bytes, features: Sequence[Feature]) -> pd.DataFrame:
    """The made-up people of a golden file."""
    return _typed(pd.DataFrame(json.loads(content)["rows"], dtype="object"), features)


def _drawn(
    features: Sequence[Feature], ranges: pd.DataFrame | None, generator: np.random.Generator
) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for feature in features:
        if feature.kind == "choice":
            levels = [*(feature.allowed or _levels(feature.name, ranges)), UNSEEN]
            columns[feature.name] = [str(one) for one in generator.choice(levels, _N_DRAWN)]
        elif feature.kind == "flag":
            columns[feature.name] = generator.random(_N_DRAWN) < 0.5
        else:
            low, high = _span(feature.name, ranges)
            columns[feature.name] = generator.uniform(low, high, _N_DRAWN)
    return pd.DataFrame(columns, dtype="object")


def _levels(name: str, ranges: pd.DataFrame | None) -> list[str]:
    if ranges is None or name not in ranges:
        return []
    return sorted(str(level) for level in ranges[name].dropna().unique())


def _span(name: str, ranges: pd.DataFrame | None) -> tuple[float, float]:
    """The middle nine tenths, rounded: neither end is the value of a person."""
    if ranges is None or name not in ranges:
        return 0.0, 100.0
    known = pd.to_numeric(ranges[name], errors="coerce").dropna().astype("float64")
    if not len(known):
        return 0.0, 100.0
    low, high = (float(f"{known.quantile(share):.2g}") for share in (0.05, 0.95))
    return (low, high) if low < high else (low, low + 1.0)


def _gaps(drawn: pd.DataFrame, features: Sequence[Feature]) -> pd.DataFrame:
    """Nothing known; then each input missing alone."""
    gaps = pd.DataFrame([drawn.iloc[0]] * (len(features) + 1), dtype="object")
    known = np.ones(gaps.shape, dtype=bool)
    known[0] = False
    np.fill_diagonal(known[1:], val=False)
    return gaps.reset_index(drop=True).where(known, None)


def _jumps(model: ScoringModel, drawn: pd.DataFrame, features: Sequence[Feature]) -> pd.DataFrame:
    """Of each number: the rows on both sides of a place where the risk changes."""
    names = [feature.name for feature in features if feature.kind == "number"]
    if not names:
        return drawn.iloc[:0]

    def scored(values: NDArray[np.float64]) -> NDArray[np.float64]:
        risks = model.predict(_typed(_varied(drawn, names, values), features))
        return np.asarray(risks).reshape(values.shape)

    span = drawn[names].astype("float64")
    steps = np.linspace(span.min().to_numpy(), span.max().to_numpy(), _N_STEPS)
    risks = scored(steps)
    first, at = np.argmax(risks[1:] != risks[:-1], axis=0), np.arange(len(names))
    low, high = steps[first, at], steps[first + 1, at]
    for _ in range(_N_HALVINGS):
        middle = low + (high - low) / 2
        there = scored(np.array([low, middle]))
        same = there[0] == there[1]
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return _varied(drawn, names, np.array([low, high]))


def _varied(drawn: pd.DataFrame, names: Sequence[str], values: NDArray[np.float64]) -> pd.DataFrame:
    """The first drawn row again and again, one of the numbers there at a value.

    ``values`` has a column for each name; the rows follow it line by line.
    """
    columns = {name: np.full(values.shape, drawn[name].iloc[0], dtype="object") for name in drawn}
    for at, name in enumerate(names):
        columns[name][:, at] = values[:, at]
    return pd.DataFrame({name: column.ravel() for name, column in columns.items()})


def _typed(rows: pd.DataFrame, features: Sequence[Feature]) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for feature in features:
        values = rows[feature.name]
        if feature.kind == "choice":
            columns[feature.name] = pd.Categorical(values.where(values.notna(), None))
        elif feature.kind == "flag":
            columns[feature.name] = pd.array(values.where(values.notna(), None), dtype="boolean")
        else:
            columns[feature.name] = pd.to_numeric(values).astype("float64")
    return pd.DataFrame(columns, index=rows.index)


def _distances(risks: NDArray[np.float64], kept: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each risk is from the kept one; none where both are missing."""
    both_missing = np.isnan(risks) & np.isnan(kept)
    apart: NDArray[np.float64] = np.where(both_missing, 0.0, np.abs(risks - kept))
    return apart


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): _plain_value(value) for name, value in row.items()}


def _plain_value(value: Any) -> Any:
    if value is None or value is pd.NA or value != value:
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    return value if isinstance(value, str) else float(value)
