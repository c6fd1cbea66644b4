"""Has the world moved on? A later period against the one a model was judged in.

The cheapest remedy is looked for first: are there more or fewer events than foreseen
(recalibrate in the large); are the risks too extreme or too timid (recalibrate the slope); is
the order worse (refit). Inputs are compared by the population stability index, less what
chance alone gives it, and by how often they are missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.model_evaluation.metrics import compute_metrics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

#: Bins of a numeric input; each holds a tenth of the reference.
N_BINS = 10
#: Fewer known values than this, in either period, say nothing by their index: with 100 rows,
#: 41 % of samples that did not move exceed 0.1 (measured in the design of this project).
LEAST_ROWS = 500
#: Above the first an input has moved somewhat, above the second much. Source: Siddiqi N, Credit
#: Risk Scorecards, Wiley 2006; a habit of that trade, not a test.
MOVED, MOVED_MUCH = 0.1, 0.25
#: In the order in which a remedy is looked for.
_WATCHED = ("calibration_in_the_large", "calibration_slope", "auc")
_PERFECT = {"calibration_in_the_large": 0.0, "calibration_slope": 1.0}


@dataclass(frozen=True)
class Drift:
    """What changed between two periods.

    Parameters
    ----------
    performance : DataFrame
        Indexed by measure, in the order of remedies: ``reference``, ``current``, ``low``,
        ``high`` (of the current), ``change``, ``change_low``, ``change_high``.
    inputs : DataFrame
        ``input``, ``psi``, ``psi_by_chance``, ``psi_excess`` (missing where there are fewer
        than 500 known values), ``missing_reference``, ``missing_current``, ``moved``.
    matured_share : float
        Share of the current people whose outcome is settled; the others were not judged by.
    advice : str
        What to do, the cheapest first.
    """

    performance: pd.DataFrame
    inputs: pd.DataFrame
    matured_share: float
    advice: str


def summarise_inputs(inputs: pd.DataFrame) -> list[dict[str, Any]]:
    """What is kept of a period's inputs: shares in tenths or levels, and how often missing.

    No row is kept. With fewer than 500 known values no shares are kept either, since a bin
    would be about few people.
    """
    return [_summarise(str(name), values) for name, values in inputs.items()]


def compute_drift(
    reference: Mapping[str, Any],
    *,
    labels: NDArray[np.float64],
    risks: NDArray[np.float64],
    inputs: pd.DataFrame,
    seed: int,
    groups: NDArray[Any] | None = None,
) -> Drift:
    """Compare a later period with the summary of an earlier one.

    Parameters
    ----------
    reference : mapping
        ``metrics`` (records of ``name``, ``value``, ``low``, ``high``) and ``inputs`` (see
        :func:`summarise_inputs`), as they stand in a model's ``metrics.json``.
    labels : array of shape (n,)
        What happened; NaN where it is not settled yet.
    risks : array of shape (n,)
        As the model estimates them now.
    inputs : DataFrame
        The model's inputs of the same people.
    seed : int
        For the intervals.
    groups : array of shape (n,), optional
        Whom the bootstrap draws together.

    Raises
    ------
    NotEnoughData
        If nobody or everybody with a settled outcome had the event.
    """
    settled = ~np.isnan(labels)
    now = compute_metrics(
        labels[settled],
        risks[settled],
        seed=seed,
        groups=None if groups is None else groups[settled],
    )
    before = {row["name"]: row for row in reference.get("metrics", ())}
    performance = _compare(before, now)
    return Drift(
        performance=performance,
        inputs=compute_input_drift(reference.get("inputs", ()), inputs),
        matured_share=float(settled.mean()),
        advice=_advise(performance),
    )


def compute_input_drift(
    reference: Sequence[Mapping[str, Any]], current: pd.DataFrame
) -> pd.DataFrame:
    """The population stability index and the change in missing values of each input.

    The index has a mean of (bins - 1)(1/n + 1/m) where nothing moved; ``psi_excess`` is what
    lies above it.
    """
    rows = [
        _one_input(kept, current[kept["name"]]) for kept in reference if kept["name"] in current
    ]
    columns = ["input", "psi", "psi_by_chance", "psi_excess", "missing_reference"]
    return pd.DataFrame(
        rows,
        columns=[*columns, "missing_current", "missing_change_low", "missing_change_high", "moved"],
    )


def compute_psi(
    reference: NDArray[np.float64], current: NDArray[np.float64], *, n: int, m: int
) -> float:
    """Population stability index of two sets of shares; an empty bin counts as half a person.

    >>> compute_psi(np.array([0.5, 0.5]), np.array([0.5, 0.5]), n=1000, m=1000)
    0.0
    """
    before = np.maximum(reference, 0.5 / n)
    after = np.maximum(current, 0.5 / m)
    return float(((after - before) * np.log(after / before)).sum())


def _summarise(name: str, values: pd.Series) -> dict[str, Any]:
    known = values.dropna().infer_objects()
    kept: dict[str, Any] = {
        "name": name,
        "n": len(values),
        "n_known": len(known),
        "missing": float(values.isna().mean()) if len(values) else 0.0,
    }
    if len(known) < LEAST_ROWS:
        return kept
    if _is_choice(values) or known.nunique() <= N_BINS:
        shares = _name_levels(known).value_counts(normalize=True)
        levels = [str(level) for level in shares.index]
        return kept | {"levels": levels, "shares": [float(x) for x in shares]}
    numbers = known.astype(float).to_numpy()
    cuts = np.unique(np.quantile(numbers, np.linspace(0, 1, N_BINS + 1)[1:-1]))
    return kept | {
        "cuts": [float(c) for c in cuts],
        "shares": [float(s) for s in _bin(numbers, cuts)],
    }


def _is_choice(values: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(values)


def _name_levels(known: pd.Series) -> pd.Series:
    """Levels as words; a number or a flag in one form, however it is stored."""
    if _is_choice(known):
        return known.astype(str)
    return known.astype(float).map("{:g}".format)


def _bin(numbers: NDArray[np.float64], cuts: NDArray[np.float64]) -> NDArray[np.float64]:
    found = np.searchsorted(cuts, numbers, side="right")
    return np.bincount(found, minlength=len(cuts) + 1) / max(1, len(numbers))


def _one_input(kept: Mapping[str, Any], values: pd.Series) -> dict[str, Any]:
    known = values.dropna().infer_objects()
    psi = by_chance = np.nan
    if "shares" in kept and len(known) >= LEAST_ROWS:
        before, after = _shares(kept, known)
        held = (before > 0) | (after > 0)
        before, after = before[held], after[held]
        psi = compute_psi(before, after, n=kept["n_known"], m=len(known))
        by_chance = (len(before) - 1) * (1 / kept["n_known"] + 1 / len(known))
    gap, half = _missing_change(kept, values)
    excess = max(0.0, psi - by_chance) if psi == psi else np.nan
    return {
        "input": kept["name"],
        "psi": psi,
        "psi_by_chance": by_chance,
        "psi_excess": excess,
        "missing_reference": kept["missing"],
        "missing_current": kept["missing"] + gap,
        "missing_change_low": gap - half,
        "missing_change_high": gap + half,
        "moved": _say_moved(excess, gap, half),
    }


def _shares(
    kept: Mapping[str, Any], known: pd.Series
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    before = np.asarray(kept["shares"], dtype=float)
    if "cuts" in kept:
        return before, _bin(known.astype(float).to_numpy(), np.asarray(kept["cuts"], dtype=float))
    counted = _name_levels(known).value_counts(normalize=True)
    after = counted.reindex(kept["levels"], fill_value=0.0).to_numpy(dtype=float)
    new = 1 - after.sum()  # levels that the reference had not
    return (np.append(before, 0.0), np.append(after, new)) if new > 1e-9 else (before, after)


def _missing_change(kept: Mapping[str, Any], values: pd.Series) -> tuple[float, float]:
    """Change of the missing share, and half its 95 % interval."""
    before, after = float(kept["missing"]), float(values.isna().mean())
    variance = before * (1 - before) / max(1, kept["n"]) + after * (1 - after) / max(1, len(values))
    return after - before, 1.959963984540054 * float(np.sqrt(variance))


def _say_moved(excess: float, gap: float, half: float) -> str:
    said = []
    if excess > MOVED_MUCH:
        said.append("much")
    elif excess > MOVED:
        said.append("somewhat")
    # A tenth of the people is worth a look; less, however sure, changes little. A decision of
    # this project.
    if abs(gap) > max(0.1, half):
        said.append("missing more often" if gap > 0 else "missing less often")
    return ", ".join(said)


def _compare(before: Mapping[str, Mapping[str, Any]], now: pd.DataFrame) -> pd.DataFrame:
    rows = {}
    for name in _WATCHED:
        found = now.loc[name]
        old: Mapping[str, Any] = before.get(name, {})
        reference = _number(old.get("value"))
        # Two independent samples: the squares of their standard errors add.
        half = np.hypot(
            (found["high"] - found["low"]) / 2,
            (_number(old.get("high")) - _number(old.get("low"))) / 2,
        )
        change = found["value"] - reference
        rows[name] = {
            "reference": reference,
            "current": found["value"],
            "low": found["low"],
            "high": found["high"],
            "change": change,
            "change_low": change - half,
            "change_high": change + half,
        }
    return pd.DataFrame(rows).T


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _advise(performance: pd.DataFrame) -> str:
    large, slope, order = (performance.loc[name] for name in _WATCHED)
    if order["change_high"] < 0:
        return (
            "The order is worse than when the model was judged: no recalibration mends that. Train "
            "it again, and see what changed in the inputs."
        )
    if _is_off(slope, 1.0):
        return (
            "The risks are too extreme or too timid now, the order is not shown to be worse: "
            "recalibrate slope and intercept on settled outcomes."
        )
    if _is_off(large, 0.0):
        more = "More" if large["current"] > 0 else "Fewer"
        return (
            f"{more} events happen than are foreseen, and nothing else is shown to have changed: "
            f"recalibrate in the large (add {large['current']:+.2f} to the log-odds)."
        )
    return "The risks fit what happens now, and the order is not shown to be worse: leave it be."


def _is_off(row: pd.Series, perfect: float) -> bool:
    return bool(row["low"] > perfect or row["high"] < perfect)
