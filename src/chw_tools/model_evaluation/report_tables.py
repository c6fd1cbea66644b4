"""Tables of a report, in words: every number rounded, with its interval, gaps as dashes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.model_evaluation.figures_compared import say_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chw_tools.model_evaluation.drift import Drift
    from chw_tools.model_evaluation.evaluation import Evaluation
    from chw_tools.model_evaluation.metrics import Metric

_TRUTH_WORDS = {
    "auc": "AUC (the truth's is the most any model could reach)",
    "brier": "Brier score (the truth's is the least)",
    "calibration_slope": "Calibration slope",
    "rank_correlation": "Rank correlation with the true risk",
    "mean_distance": "Mean distance from the true risk",
    "net_benefit": "Net benefit at capacity, by the true risks",
    "net_benefit_reached": "Share of the best possible net benefit",
}
_DRIFT_WORDS = {
    "calibration_in_the_large": "Calibration in the large",
    "calibration_slope": "Calibration slope",
    "auc": "AUC",
}


def say_interval(row: Any, name: str, *, digits: int = 3) -> str:
    """``value (low to high)`` of a measure whose columns stand side by side; a dash for a gap."""
    value, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
    if np.isnan(value):
        return "–"
    if np.isnan(low):
        return f"{value:.{digits}f}"
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def interval(row: Any, *, digits: int = 3) -> str:
    """``value (low to high)`` of a row of those three."""
    return f"{row['value']:.{digits}f} ({row['low']:.{digits}f} to {row['high']:.{digits}f})"


def share_interval(row: Any) -> str:
    """``low % to high %`` of a share."""
    return f"95 % interval {row['low']:.0%} to {row['high']:.0%}"


def comparison_table(comparisons: pd.DataFrame) -> pd.DataFrame:
    """The model and each plain rule."""
    return pd.DataFrame(
        [
            {
                "Rule": say_name(name),
                "AUC": say_interval(row, "auc"),
                "Found at capacity": say_interval(row, "recall", digits=2),
                "Average precision": say_interval(row, "average_precision"),
                "Brier": "–" if np.isnan(row["brier"]) else f"{row['brier']:.4f}",
                "Slope": say_interval(row, "calibration_slope", digits=2),
                "Observed / expected": say_interval(row, "observed_to_expected", digits=2),
            }
            for name, row in comparisons.iterrows()
        ]
    )


def subgroup_table(groups: pd.DataFrame) -> pd.DataFrame:
    """Each group on its own."""
    return pd.DataFrame(
        [
            {
                "By": row["by"],
                "Group": row["group"] + (" \\*" if row["is_few"] else ""),
                "People": f"{row['n']:,}",
                "Events": f"{row['n_events']:,}",
                "AUC": say_interval(row, "auc", digits=2),
                "Observed / expected": say_interval(row, "observed_to_expected", digits=2),
                "Found at capacity": say_interval(row, "recall", digits=2),
                "Precision": say_interval(row, "precision", digits=2),
            }
            for row in groups.to_dict("records")
        ]
    )


def subgroup_difference_table(groups: pd.DataFrame) -> pd.DataFrame:
    """Each group against the largest of its kind."""
    return pd.DataFrame(
        [
            {
                "By": row["by"],
                "Group": row["group"] + (" (the largest)" if row["is_reference"] else ""),
                "AUC, difference": say_interval(row, "auc_difference", digits=2),
                "Observed / expected, ratio": say_interval(
                    row, "observed_to_expected_ratio", digits=2
                ),
                "Found at capacity, difference": say_interval(row, "recall_difference", digits=2),
            }
            for row in groups.to_dict("records")
        ]
    )


def stability_table(stability: pd.DataFrame) -> pd.DataFrame:
    """Each pair of lists."""
    return pd.DataFrame(
        [
            {
                "First list": row["first"],
                "Second list": row["second"],
                "People in both": f"{row['n']:,}",
                "Kept": f"{row['retained']:.0%}",
                "By chance": f"{row['retained_by_chance']:.0%}",
                "Jaccard": f"{row['jaccard']:.2f}",
                "Rank correlation": f"{row['rank_correlation']:.2f}",
            }
            for row in stability.to_dict("records")
        ]
    )


def truth_table(truth: pd.DataFrame) -> pd.DataFrame:
    """The model and the truth."""
    return pd.DataFrame(
        [
            {
                "Measure": _TRUTH_WORDS[str(name)],
                "Model": "–" if np.isnan(row["model"]) else f"{row['model']:.3f}",
                "Truth": f"{row['truth']:.3f}",
            }
            for name, row in truth.iterrows()
        ]
    )


def measures_table(evaluation: Evaluation, metrics: Sequence[Metric]) -> pd.DataFrame:
    """Every measure with what it says."""
    return pd.DataFrame(
        [
            {
                "Measure": metric.label,
                "Value (95 % interval)": interval(evaluation.metrics.loc[metric.name]),
                "What it says": metric.meaning,
                "Best": metric.better,
            }
            for metric in metrics
        ]
    )


def drift_tables(drift: Drift) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What changed in performance, and in the inputs."""
    performance = [
        {
            "Measure": _DRIFT_WORDS[str(name)],
            "When judged": _number(row["reference"]),
            "Now (95 % interval)": f"{row['current']:.3f} ({row['low']:.3f} to {row['high']:.3f})",
            "Change (95 % interval)": say_interval(row, "change"),
        }
        for name, row in drift.performance.iterrows()
    ]
    inputs = [
        {
            "Input": say_name(row["input"]),
            "Index above chance": _number(row["psi_excess"]),
            "By chance": _number(row["psi_by_chance"]),
            "Missing then": f"{row['missing_reference']:.0%}",
            "Missing now": f"{row['missing_current']:.0%}",
            "Moved": row["moved"] or "–",
        }
        for row in _sorted(drift.inputs)
    ]
    return pd.DataFrame(performance), pd.DataFrame(inputs)


def _sorted(inputs: pd.DataFrame) -> list[Mapping[Any, Any]]:
    ordered = inputs.sort_values("psi_excess", ascending=False, na_position="last")
    return list(ordered.to_dict("records"))


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3f}"
