"""Pictures of an evaluation: ROC, precision-recall, calibration, confusion, net benefit.

``plot_x`` draws what ``compute_x`` gave and returns the figure; nothing is shown or saved.
Colours are from Okabe and Ito's set, told apart by people who are colour-blind.
"""

from __future__ import annotations

from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from chw_tools.model_evaluation.evaluation import Evaluation

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#767676"
_SIZE = (5.2, 4.6)


def draw_figures(evaluation: Evaluation) -> dict[str, bytes]:
    """Every picture as PNG, by file name."""
    drawn = {
        "roc_curve.png": plot_roc,
        "precision_recall_curve.png": plot_precision_recall,
        "calibration.png": plot_calibration,
        "confusion_matrix.png": plot_confusion,
        "net_benefit.png": plot_net_benefit,
    }
    return {name: write_png(plot(evaluation)) for name, plot in drawn.items()}


def plot_roc(evaluation: Evaluation) -> Figure:
    """The ROC curve, with the coin's diagonal and the threshold's point."""
    with _axes("False alarms among people without the event", "Events found (recall)") as (fig, ax):
        roc, auc = evaluation.roc, evaluation.metrics.loc["auc"]
        false = np.append(0.0, roc["false_positive_rate"])
        ax.plot(false, np.append(0.0, roc["recall"]), color=BLUE, lw=2, label="Model")
        ax.plot([0, 1], [0, 1], color=GREY, ls="--", lw=1, label="A coin")
        specificity, recall = evaluation.metrics.loc[["specificity", "recall"], "value"]
        ax.plot(1 - specificity, recall, "o", color=ORANGE, label=_list_name(evaluation))
        ax.set_title(f"AUC {auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})")
        _unit_square(ax)
        ax.legend(loc="lower right", frameon=False)
    return fig


def plot_precision_recall(evaluation: Evaluation) -> Figure:
    """The precision-recall curve, with the prevalence and the threshold's point."""
    with _axes("Events found (recall)", "Events among those called (precision)") as (fig, ax):
        measured = evaluation.metrics.loc["average_precision"]
        prevalence = evaluation.n_events / evaluation.n
        recall, precision = evaluation.roc["recall"], evaluation.roc["precision"]
        ax.step(recall, precision, where="post", color=BLUE, lw=2, label="Model")
        ax.axhline(prevalence, color=GREY, ls="--", lw=1, label=f"A coin ({prevalence:.1%})")
        point = evaluation.metrics.loc[["recall", "precision"], "value"]
        ax.plot(*point, "o", color=ORANGE, label=_list_name(evaluation))
        said = f"{measured['value']:.3f} ({measured['low']:.3f} to {measured['high']:.3f})"
        ax.set_title(f"Average precision {said}")
        _unit_square(ax)
        ax.legend(loc="upper right", frameon=False)
    return fig


def plot_calibration(evaluation: Evaluation) -> Figure:
    """Observed share against mean risk in ten bins, over a histogram of the risks."""
    from matplotlib.figure import Figure

    curve = evaluation.calibration
    top = float(min(1.0, max(curve["high"].max(), curve["mean_risk"].max()) * 1.08))
    figure = Figure(figsize=(_SIZE[0], 5.4), layout="constrained")
    upper, lower = figure.subplots(2, 1, height_ratios=[4, 1], sharex=True)
    _tidy(upper, "", "Share with the event")
    _tidy(lower, "Risk as estimated", "People")
    upper.plot([0, top], [0, top], color=GREY, ls="--", lw=1, label="Perfect")
    spread = np.abs(np.stack([curve["low"], curve["high"]]) - curve["observed"].to_numpy())
    upper.errorbar(
        curve["mean_risk"],
        curve["observed"],
        yerr=spread,
        color=BLUE,
        fmt="o-",
        capsize=3,
        label="Tenths of the people, 95 % interval",
    )
    slope = evaluation.metrics.loc["calibration_slope"]
    upper.set_title(
        f"Calibration slope {slope['value']:.2f} ({slope['low']:.2f} to {slope['high']:.2f})"
    )
    upper.set(xlim=(0, top), ylim=(0, top))
    upper.legend(loc="upper left", frameon=False)
    lower.hist(evaluation.risks, bins=np.linspace(0, top, 41).tolist(), color=BLUE, alpha=0.7)
    return figure


def plot_confusion(evaluation: Evaluation) -> Figure:
    """The four counts at the threshold; the colour is the share of the row."""
    from matplotlib.figure import Figure

    counts = evaluation.confusion
    table = np.array(
        [
            [counts["true_positive"], counts["false_negative"]],
            [counts["false_positive"], counts["true_negative"]],
        ]
    )
    shares = table / np.maximum(1, table.sum(axis=1, keepdims=True))
    figure = Figure(figsize=(5.2, 4.2), layout="constrained")
    ax = figure.subplots()
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1.3)
    for (row, column), count in np.ndenumerate(table):
        said = f"{count:,}\n{shares[row, column]:.0%} of row"
        colour = "white" if shares[row, column] > 0.8 else "black"
        ax.text(column, row, said, ha="center", va="center", color=colour, fontsize=12)
    ax.set_xticks([0, 1], ["called", "not called"])
    ax.set_yticks([0, 1], ["event", "no event"])
    ax.set_title(f"Called from a risk of {evaluation.threshold:.1%}", fontsize=11)
    ax.spines[:].set_visible(False)
    return figure


def plot_net_benefit(evaluation: Evaluation) -> Figure:
    """The decision curve: the model against calling everybody and nobody."""
    with _axes("Risk from which a person is called", "Net benefit per person") as (fig, ax):
        table = evaluation.net_benefit
        ax.plot(table["threshold"], table["model"], color=BLUE, lw=2, label="Model")
        ax.plot(
            table["threshold"], table["everybody"], color=ORANGE, lw=1.5, label="Call everybody"
        )
        ax.axhline(0, color=GREY, ls="--", lw=1, label="Call nobody")
        highest = float(table["model"].max())
        ax.set_ylim(-0.25 * max(highest, 1e-4), 1.1 * max(highest, 1e-4))
        ax.set_title("Is it worth acting on?")
        ax.legend(loc="upper right", frameon=False)
    return fig


def write_png(figure: Figure) -> bytes:
    """The figure as the bytes of a PNG, the same for the same figure."""
    held = BytesIO()
    figure.savefig(held, format="png", dpi=120, metadata={"Software": None})
    return held.getvalue()


@contextmanager
def _axes(x_label: str, y_label: str) -> Iterator[tuple[Figure, Axes]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.subplots()
    _tidy(axes, x_label, y_label)
    yield figure, axes


def _tidy(axes: Any, x_label: str, y_label: str) -> None:
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#E5E5E5", lw=0.6)
    axes.set_axisbelow(True)
    axes.title.set_fontsize(11)


def _unit_square(axes: Any) -> None:
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))


def _list_name(evaluation: Evaluation) -> str:
    return f"List of {evaluation.capacity_share:.0%} of people"
