"""The feature table as models take it: numbers as floats, choices as words, gaps as gaps."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Feature

#: An input known of fewer of the training rows is left out: what would be learnt is mostly who
#: was measured. A decision of this project; on the simulated programme it raised the AUC.
LEAST_KNOWN = 0.05


def read_inputs(frame: pd.DataFrame, declaration: Iterable[Feature]) -> pd.DataFrame:
    """The declared features, in order: float64 (flags as 0 and 1) or words; NaN is not known.

    Raises
    ------
    KeyError
        If a declared feature is not in the frame.
    """
    return pd.DataFrame({f.name: _column(frame[f.name], f.kind) for f in declaration}, frame.index)


def _column(values: pd.Series, kind: str) -> pd.Series:
    if kind == "choice":
        return values.astype(object).where(values.notna(), np.nan)
    if values.dtype == np.float64:
        return values
    return values.astype("Float64").astype("float64")


def find_learnable(inputs: pd.DataFrame, *, least_known: float = LEAST_KNOWN) -> list[str]:
    """Names of the columns that a model can learn from.

    At least two rows differ (a gap is a value here), and the value is known of at least the
    given share of rows.
    """
    return [str(name) for name, values in inputs.items() if _is_learnable(values, least_known)]


def _is_learnable(values: pd.Series, least_known: float) -> bool:
    if values.dtype != np.float64:
        return bool(
            values.notna().mean() >= least_known and values.duplicated().sum() < len(values) - 1
        )
    known = values.to_numpy()
    gaps = np.isnan(known)
    n_gaps = int(gaps.sum())
    if len(known) == 0 or 1 - n_gaps / len(known) < least_known or n_gaps == len(known):
        return False
    return n_gaps > 0 or bool((known != known[0]).any())


def compute_ranges(inputs: pd.DataFrame) -> dict[str, list[float]]:
    """Where all but one in a hundred of each number's known values lie, by name.

    Rounded outward to two digits, so that no person's value is among them.
    """
    found = {}
    for name, values in inputs.items():
        if values.dtype != np.float64 or values.notna().sum() == 0:
            continue
        low, high = values.quantile([0.005, 0.995]).tolist()
        found[str(name)] = [_outward(low, math.floor), _outward(high, math.ceil)]
    return found


def _outward(value: float, towards: Callable[[float], int]) -> float:
    if not math.isfinite(value) or value == 0:
        return 0.0 if value == 0 else value
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    return float(f"{towards(value / unit) * unit:.6g}")


def hash_rows(inputs: pd.DataFrame) -> NDArray[np.uint64]:
    """One number for each row, equal for rows with equal inputs."""
    return np.asarray(pd.util.hash_pandas_object(inputs, index=False), dtype=np.uint64)


def compute_data_digest(inputs: pd.DataFrame, labels: Sequence[float] | pd.Series) -> str:
    """SHA-256 of what was learnt from: names, inputs and labels, in their order."""
    digest = hashlib.sha256("\n".join(inputs.columns).encode())
    digest.update(hash_rows(inputs).tobytes())
    digest.update(np.asarray(labels, dtype=float).tobytes())
    return digest.hexdigest()
