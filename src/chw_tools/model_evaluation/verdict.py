"""May a model's probabilities be shown as numbers? A probability is calibrated or not shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

    from chw_tools.model_evaluation.evaluation import Evaluation

#: Fewer events than this among the judged say too little on whether the risks have the right
#: size. Source: Collins GS, Ogundimu EO, Altman DG, Stat Med 2016;35:214-226.
FEWEST_EVENTS = 100
#: The 95 % interval of slope, and of observed over expected, must reach into this range. No
#: guideline names one: a decision of this project.
NEAR_ONE = (0.9, 1.1)
_JUDGED = {"calibration_slope": "calibration slope", "observed_to_expected": "observed / expected"}


class CalibrationVerdict(NamedTuple):
    """Whether a probability may be shown, and the sentence why."""

    shown: bool
    why: str


def compute_calibration_verdict(evaluation: Evaluation) -> CalibrationVerdict:
    """Whether the judged probabilities may be shown to people as numbers.

    They may where at least :data:`FEWEST_EVENTS` events happened among the judged, and the
    95 % intervals of calibration slope and of observed / expected both overlap
    :data:`NEAR_ONE`. Both limits are decisions of this project; Collins 2016 gives the first.
    An interval that could not be computed does not overlap.
    """
    if evaluation.n_events < FEWEST_EVENTS:
        return CalibrationVerdict(
            False,
            f"Shown as a band only: it was judged by {evaluation.n_events:,} events, and fewer "
            f"than {FEWEST_EVENTS} cannot tell whether the number is right.",
        )
    low, high = NEAR_ONE
    rows = {name: evaluation.metrics.loc[name] for name in _JUDGED}
    off = [
        f"{_JUDGED[name]} {_said(row)}"
        for name, row in rows.items()
        if not (row["low"] <= high and row["high"] >= low)
    ]
    if off:
        return CalibrationVerdict(
            False,
            f"Shown as a band only: the numbers did not fit what happened ({'; '.join(off)}; "
            f"{low:g} to {high:g} is asked for).",
        )
    fits = "; ".join(f"{_JUDGED[name]} {_said(row)}" for name, row in rows.items())
    return CalibrationVerdict(
        True, f"The numbers fitted {evaluation.n_events:,} events among people held out ({fits})."
    )


def _said(row: pd.Series) -> str:
    if row[["value", "low", "high"]].isna().any():
        return "not known"
    return f"{row['value']:.2f}, 95 % interval {row['low']:.2f} to {row['high']:.2f}"
