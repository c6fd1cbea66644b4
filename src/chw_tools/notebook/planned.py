"""Pictures of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.model_evaluation.drawing import BLUE, INK, ORANGE, PALE_BLUE, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: So many workers fit on one picture.
_MOST = 9


def plot_week_load(visits: pd.DataFrame, workers: pd.DataFrame) -> Figure:
    """Minutes of each worker's days, with people and on the way, below the day's capacity.

    Parameters
    ----------
    visits : DataFrame
        ``visits`` of a week's plan.
    workers : DataFrame
        Of the register; ``capacity_minutes`` may be missing.
    """
    shown = sorted(visits["worker_id"].unique())[:_MOST]
    days = sorted(visits["visit_on"].unique())
    sums = visits.groupby(["worker_id", "visit_on"])[["minutes", "travel_minutes"]].sum()
    rows = max(1, -(-len(shown) // 3))
    figure = new_figure(2.1 * rows + 0.4, width=8.4)
    grid = figure.subplots(rows, 3, sharey=True, squeeze=False)
    staff = workers.set_index("id")
    for axes, worker in zip(grid.flat, shown, strict=False):
        mine = sums.loc[worker].reindex(days, fill_value=0)
        places = np.arange(len(days))
        axes.bar(places, mine["minutes"], color=BLUE, width=0.7, label="with people")
        axes.bar(
            places, mine["travel_minutes"], bottom=mine["minutes"], color=PALE_BLUE, width=0.7,
            label="on the way",
        )  # fmt: skip
        tidy(axes, "", "")
        axes.grid(axis="x", visible=False)
        if pd.notna(capacity := staff["capacity_minutes"].get(worker)):
            axes.axhline(float(capacity), color=ORANGE, lw=1.4, ls="--", label="minutes there are")
        axes.set_xticks(places, [f"{pd.Timestamp(day):%a}" for day in days])
        n = int(visits["worker_id"].eq(worker).sum())
        axes.set_title(f"{staff['name'].get(worker, 'worker')}: {n} people", fontsize=9, color=INK)
    for axes in list(grid.flat)[len(shown) :]:
        axes.set_visible(False)
    grid[0, 0].set_ylabel("Minutes", color=INK)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, frameon=False, ncols=3, loc="outside lower center")
    return figure
