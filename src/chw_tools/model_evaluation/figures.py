"""Pictures of a model's risks: order, size, errors at capacity, and worth.

``plot_x`` draws what ``compute_x`` gave and returns the figure; nothing is shown or saved.
What compares (rules, groups, days, truth) lies in
:mod:`chw_tools.model_evaluation.figures_compared`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chw_tools.model_evaluation.drawing import (
    BLUE,
    GREY,
    ORANGE,
    PALE_BLUE,
    PALE_GREY,
    as_percent,
    new_axes,
    new_figure,
    set_title,
    tidy,
    write_png,
)
from chw_tools.model_evaluation.figures_compared import (
    plot_comparison,
    plot_drift,
    plot_stability,
    plot_subgroups,
    plot_truth,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from chw_tools.model_evaluation.evaluation import Evaluation


def draw_figures(evaluation: Evaluation) -> dict[str, bytes]:
    """Every picture that the evaluation has something for, as PNG, by file name."""
    drawn: dict[str, Callable[[Evaluation], Figure]] = {
        "calibration.png": plot_calibration,
        "roc_curve.png": plot_roc,
        "precision_recall_curve.png": plot_precision_recall,
        "confusion_matrix.png": plot_confusion,
        "net_benefit.png": plot_net_benefit,
    }
    if len(evaluation.comparisons) > 1:
        drawn["comparison.png"] = lambda one: plot_comparison(one.comparisons)
    if len(evaluation.subgroups) and evaluation.subgroups["auc"].notna().any():
        drawn["subgroups.png"] = lambda one: plot_subgroups(one.subgroups, one.metrics)
    if len(evaluation.stability):
        drawn["stability.png"] = lambda one: plot_stability(one.stability)
    if evaluation.truth_curve is not None:
        drawn["truth.png"] = lambda one: plot_truth(one.truth_curve)
    drift = evaluation.drift
    if drift is not None:
        drawn["drift.png"] = lambda _: plot_drift(drift)
    return {name: write_png(plot(evaluation)) for name, plot in drawn.items()}


def plot_roc(evaluation: Evaluation) -> Figure:
    """The ROC curve, with the coin's diagonal and the threshold's point."""
    figure, ax = new_axes("False alarms among people without the event", "Events found (recall)")
    roc, auc = evaluation.roc, evaluation.metrics.loc["auc"]
    false = np.append(0.0, roc["false_positive_rate"])
    ax.plot(false, np.append(0.0, roc["recall"]), color=BLUE, lw=2, label="Model")
    ax.plot([0, 1], [0, 1], color=GREY, ls="--", lw=1, label="A coin")
    specificity, recall = evaluation.metrics.loc[["specificity", "recall"], "value"]
    ax.plot(1 - specificity, recall, "o", color=ORANGE, ms=8, label=_list_name(evaluation))
    set_title(ax, f"AUC {auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})")
    _unit_square(ax)
    ax.legend(loc="lower right", frameon=False)
    return figure


def plot_precision_recall(evaluation: Evaluation) -> Figure:
    """The precision-recall curve, with the prevalence and the threshold's point."""
    figure, ax = new_axes("Events found (recall)", "Events among those called (precision)")
    measured = evaluation.metrics.loc["average_precision"]
    prevalence = evaluation.n_events / evaluation.n
    recall, precision = evaluation.roc["recall"], evaluation.roc["precision"]
    # The first few people make the curve jump from 0 to 1 and back: that is luck.
    shown = recall >= min(0.02, recall.iloc[-1])
    ax.step(recall[shown], precision[shown], where="post", color=BLUE, lw=2, label="Model")
    ax.axhline(prevalence, color=GREY, ls="--", lw=1, label=f"A coin ({100 * prevalence:.1f} %)")
    point = evaluation.metrics.loc[["recall", "precision"], "value"]
    ax.plot(*point, "o", color=ORANGE, ms=8, label=_list_name(evaluation))
    said = f"{measured['value']:.3f} ({measured['low']:.3f} to {measured['high']:.3f})"
    set_title(ax, f"Average precision {said}")
    highest = max(float(precision[shown].max()), point["precision"], prevalence)
    ax.set(xlim=(-0.01, 1.01), ylim=(0, min(1.01, 1.3 * highest)))
    as_percent(ax)
    ax.legend(loc="upper right", frameon=False)
    return figure


def plot_calibration(evaluation: Evaluation) -> Figure:
    """Observed share against risk, with the band of chance, over a histogram of the risks."""
    curve, smooth, bands = evaluation.calibration, evaluation.smooth, evaluation.chance.bands
    top = float(min(1.0, max(curve["high"].max(), curve["mean_risk"].max()) * 1.08))
    figure = new_figure(5.6)
    upper, lower = figure.subplots(2, 1, height_ratios=[4, 1], sharex=True)
    tidy(upper, "", "Share with the event")
    tidy(lower, "Risk as estimated", "People")
    upper.fill_between(
        bands["mean_risk"],
        bands["low"],
        bands["high"],
        color=PALE_GREY,
        lw=0,
        label="Where chance alone would put a tenth, 95 %",
    )
    upper.plot([0, top], [0, top], color=GREY, ls="--", lw=1, label="Perfect")
    upper.fill_between(smooth["risk"], smooth["low"], smooth["high"], color=PALE_BLUE, lw=0)
    upper.plot(smooth["risk"], smooth["observed"], color=BLUE, lw=1.5, label="Smooth, 95 % band")
    spread = np.abs(np.stack([curve["low"], curve["high"]]) - curve["observed"].to_numpy())
    upper.errorbar(
        curve["mean_risk"],
        curve["observed"],
        yerr=spread,
        color=ORANGE,
        fmt="o",
        ms=5,
        capsize=3,
        lw=1.3,
        label="Tenths of the people, 95 % interval",
    )
    slope = evaluation.metrics.loc["calibration_slope"]
    said = f"{slope['value']:.2f} ({slope['low']:.2f} to {slope['high']:.2f})"
    set_title(upper, f"Calibration slope {said}; on the line is best")
    upper.set(xlim=(0, top), ylim=(0, top))
    upper.legend(loc="upper left", frameon=False, fontsize=9)
    lower.hist(evaluation.risks, bins=np.linspace(0, top, 41).tolist(), color=BLUE, alpha=0.75)
    as_percent(upper, "y")
    as_percent(lower, "x")
    return figure


def plot_confusion(evaluation: Evaluation) -> Figure:
    """The four counts at the threshold; the colour is the share of the row."""
    counts = evaluation.confusion
    table = np.array(
        [
            [counts["true_positive"], counts["false_negative"]],
            [counts["false_positive"], counts["true_negative"]],
        ]
    )
    shares = table / np.maximum(1, table.sum(axis=1, keepdims=True))
    figure = new_figure(3.6)
    ax = figure.subplots()
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1.3, aspect="auto")
    words = [["found", "missed"], ["called in vain", "left in peace"]]
    for (row, column), count in np.ndenumerate(table):
        said = f"{count:,}\n{words[row][column]}\n{100 * shares[row, column]:.0f} % of the row"
        colour = "white" if shares[row, column] > 0.8 else "black"
        ax.text(column, row, said, ha="center", va="center", color=colour, fontsize=11)
    ax.set_xticks([0, 1], ["called", "not called"])
    ax.set_yticks([0, 1], ["event", "no event"])
    ax.tick_params(length=0)
    set_title(ax, f"Called from a risk of {100 * evaluation.threshold:.1f} %")
    ax.spines[:].set_visible(False)
    return figure


def plot_net_benefit(evaluation: Evaluation) -> Figure:
    """The decision curve with its band: the model against calling everybody and nobody."""
    figure, ax = new_axes("Risk from which a person is called", "Net benefit per person")
    table = evaluation.net_benefit
    at = table["threshold"]
    ax.fill_between(at, table["low"], table["high"], color=PALE_BLUE, lw=0)
    ax.plot(at, table["model"], color=BLUE, lw=2, label="Model, 95 % band")
    ax.plot(at, table["everybody"], color=ORANGE, lw=1.5, label="Call everybody")
    ax.axhline(0, color=GREY, ls="--", lw=1, label="Call nobody")
    ax.axvline(evaluation.threshold, color=GREY, lw=0.8, ls=":")
    highest = max(float(table["high"].max()), 1e-4)
    ax.set_ylim(-0.2 * highest, 1.1 * highest)
    ax.annotate(
        "capacity",
        (evaluation.threshold, -0.18 * highest),
        xytext=(4, 0),
        textcoords="offset points",
        fontsize=9,
        color=GREY,
    )
    as_percent(ax, "x")
    ax.legend(loc="upper right", frameon=False)
    return figure


def _unit_square(axes: Any) -> None:
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    as_percent(axes)


def _list_name(evaluation: Evaluation) -> str:
    return f"List of {100 * evaluation.capacity_share:.0f} % of people"
