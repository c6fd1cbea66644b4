"""A picture of one shape of an additive model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chw_tools.model_evaluation.drawing import BLUE, GREY, new_axes, set_title, write_png

if TYPE_CHECKING:
    import pandas as pd


def draw_shape(shape: pd.DataFrame, *, label: str) -> bytes:
    """The shape as PNG: steps over a number, bars over answers; a gap is told in the title.

    Parameters
    ----------
    shape : DataFrame
        One input's rows of :func:`chw_tools.model_training.shapes.inspect_shape`.
    label : str
        The input in words.
    """
    figure, ax = new_axes(label, "Added to the log-odds")
    missing = float(shape.loc[shape["part"] == "not known", "score"].iloc[0])
    ranges = shape[shape["part"] == "range"]
    ax.axhline(0, color=GREY, lw=1, ls="--")
    if len(ranges):
        inner = ranges["high"].iloc[:-1].to_numpy()
        margin = 0.05 * max(float(np.ptp(inner)), 1.0) if len(inner) else 1.0
        ends = (inner[0] - margin, inner[-1] + margin) if len(inner) else (0.0, 1.0)
        edges = np.concatenate([[ends[0]], inner, [ends[1]]])
        ax.stairs(ranges["score"].to_numpy(), edges, color=BLUE, lw=2, baseline=None)
    else:
        answers = shape.iloc[1:]
        ax.bar(answers["part"].tolist(), answers["score"].to_numpy(), color=BLUE)
        ax.tick_params(axis="x", labelrotation=30)
    set_title(ax, f"{label}: 0.7 doubles the odds. Not known: {missing:+.2f}")
    return write_png(figure)
