"""Pictures that compare: with plain rules, between groups, over days and refits, with truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chw_tools.model_evaluation.drawing import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE_BLUE,
    as_percent,
    draw_intervals,
    new_axes,
    new_figure,
    set_title,
    tidy,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from chw_tools.model_evaluation.drift import Drift

#: Intervals wider than this are cut at the edge of a forest plot.
_RATIO_LIMITS = (0.4, 2.5)
_DRIFT_SHOWN = 15
#: Letters of a group's name in a picture; the table has all.
_LONGEST = 24


def plot_comparison(comparisons: pd.DataFrame) -> Figure:
    """The model and each plain rule: AUC, and events found by a list of the capacity.

    A thin line beside the point is the span from the worst to the best order of the tied.
    """
    rows = len(comparisons)
    figure = new_figure(1.5 + 0.42 * rows, width=7.6)
    left, right = figure.subplots(1, 2, sharey=True)
    places = np.arange(rows)[::-1]
    for axes, measure, title in (
        (left, "auc", "Order (AUC)"),
        (right, "recall", "Events found at capacity"),
    ):
        tidy(axes, "", "")
        for place, (_, row) in zip(places, comparisons.iterrows(), strict=True):
            is_model = place == rows - 1
            draw_intervals(
                axes,
                [row[measure]],
                [row[f"{measure}_low"]],
                [row[f"{measure}_high"]],
                [place],
                colour=BLUE if is_model else GREY,
                marker="o" if is_model else "D",
                ms=8 if is_model else 5.5,
            )
            if measure == "recall" and row["recall_best"] > row["recall_worst"]:
                axes.hlines(place, row["recall_worst"], row["recall_best"], color=ORANGE, lw=0.9)
        set_title(axes, title)
        axes.axvline(comparisons[measure].iloc[0], color=BLUE, lw=0.8, ls=":")
    left.set_yticks(places, [say_name(name) for name in comparisons.index], color=INK)
    left.set_ylim(-0.6, rows - 0.4)
    left.axvline(0.5, color=GREY, lw=0.8, ls="--")
    as_percent(right, "x")
    return figure


def plot_subgroups(subgroups: pd.DataFrame, metrics: pd.DataFrame) -> Figure:
    """Observed/expected and AUC of each group with its interval, beside the whole."""
    shown = subgroups[subgroups["observed_to_expected"].notna()].reset_index(drop=True)
    places, labels, headings = _lay_out(shown)
    height = 1.4 + 0.25 * (places.max() + 2)
    figure = new_figure(height, width=7.8)
    left, right = figure.subplots(1, 2, sharey=True)
    at = places.max() - places
    few = shown["is_few"].to_numpy(dtype=bool)
    for axes, measure, title in (
        (left, "observed_to_expected", "Observed / expected"),
        (right, "auc", "AUC"),
    ):
        tidy(axes, "", "")
        axes.grid(visible=False, axis="y")
        for inside, style in ((~few, {"colour": BLUE}), (few, {"colour": GREY, "mfc": "white"})):
            if inside.any():
                part = shown[inside]
                draw_intervals(
                    axes,
                    part[measure],
                    part[f"{measure}_low"],
                    part[f"{measure}_high"],
                    at[inside],
                    **style,
                )
        axes.axvline(metrics.loc[measure, "value"], color=BLUE, lw=0.9, ls=":")
        set_title(axes, title)
    left.axvspan(0.9, 1.1, color="#F0F0F0", zorder=0)
    left.set_xscale("log")
    left.set_xlim(*_RATIO_LIMITS)
    _plain_ratio(left)
    left.set_yticks(at, labels, color=INK)
    for place, heading in headings:
        left.annotate(
            heading,
            (0, places.max() - place),
            xycoords=("axes fraction", "data"),
            xytext=(-6, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=10,
            fontweight="bold",
            color=INK,
        )
    left.set_ylim(-0.8, places.max() + 1.6)
    return figure


def plot_stability(stability: pd.DataFrame) -> Figure:
    """How much of each list stays on the next one, beside what chance would keep."""
    figure, axes = new_axes("", "", height=1.5 + 0.4 * len(stability))
    at = np.arange(len(stability))[::-1]
    axes.barh(at, stability["retained"], color=BLUE, height=0.55)
    axes.plot(stability["retained_by_chance"], at, "|", color=ORANGE, ms=18, mew=2.2)
    for place, row in zip(at, stability.to_dict("records"), strict=True):
        axes.text(
            row["retained"] + 0.01, place, f"{100 * row['retained']:.0f} %", va="center", color=INK
        )
    axes.set_yticks(
        at, [f"{a} → {b}" for a, b in zip(stability["first"], stability["second"], strict=True)]
    )
    axes.set_xlim(0, 1.08)
    as_percent(axes, "x")
    set_title(axes, "Of the first list, still on the second (orange: by chance)")
    return figure


def plot_truth(curve: pd.DataFrame) -> Figure:
    """The true probabilities of simulated people by the risk they were given."""
    figure, axes = new_axes("Risk as estimated", "True probability")
    top = float(max(curve["high"].max(), curve["mean_risk"].max()) * 1.05)
    axes.plot([0, top], [0, top], color=GREY, ls="--", lw=1, label="Perfect")
    axes.fill_between(
        curve["mean_risk"],
        curve["low"],
        curve["high"],
        color=PALE_BLUE,
        lw=0,
        label="Eight of ten people of that risk",
    )
    axes.plot(curve["mean_risk"], curve["mean_truth"], "o-", color=BLUE, label="Mean truth")
    axes.set(xlim=(0, top), ylim=(0, top))
    as_percent(axes)
    axes.legend(loc="upper left", frameon=False)
    return figure


def plot_drift(drift: Drift) -> Figure:
    """How far each input moved, the farthest first, less what chance gives."""
    moved = drift.inputs.dropna(subset=["psi_excess"]).sort_values("psi_excess", ascending=False)
    moved = moved.head(_DRIFT_SHOWN)
    figure, axes = new_axes("", "", height=1.6 + 0.3 * max(1, len(moved)))
    at = np.arange(len(moved))[::-1]
    axes.barh(at, moved["psi_excess"], color=BLUE, height=0.6)
    axes.set_yticks(at, [say_name(name) for name in moved["input"]])
    for limit, word in ((0.1, "somewhat"), (0.25, "much")):
        axes.axvline(limit, color=ORANGE, lw=1, ls="--")
        axes.annotate(
            word,
            (limit, 1),
            xycoords=("data", "axes fraction"),
            xytext=(3, -10),
            textcoords="offset points",
            fontsize=9,
            color=ORANGE,
        )
    axes.set_xlim(0, max(0.3, float(moved["psi_excess"].max() if len(moved) else 0) * 1.1))
    set_title(axes, "Population stability index above what chance gives")
    return figure


def plot_backtest(table: pd.DataFrame, *, measure: str = "recall") -> Figure:
    """A measure of the model and of each rule at every origin, joined by lines."""
    words = {"recall": "Events found at capacity", "auc": "AUC"}
    figure, axes = new_axes("", words.get(measure, measure), height=4.6)
    origins = sorted(table["origin"].unique())
    rules = list(dict.fromkeys(table["rule"]))
    width = 0.7 / max(1, len(rules))
    markers = "oDs^vP*X<>hd"
    for i, rule in enumerate(rules):
        rows = table[table["rule"] == rule].set_index("origin").reindex(origins)
        x = np.arange(len(origins)) + (i - (len(rules) - 1) / 2) * width
        colour = BLUE if i == 0 else _RULE_COLOURS[(i - 1) % len(_RULE_COLOURS)]
        axes.vlines(
            x, rows[f"{measure}_low"], rows[f"{measure}_high"], color=colour, alpha=0.5, lw=2
        )
        axes.plot(
            x,
            rows[measure],
            ls="-" if i == 0 else "",
            lw=1,
            color=colour,
            marker=markers[i % len(markers)],
            ms=8 if i == 0 else 6,
            label=say_name(rule),
        )
    axes.set_xticks(np.arange(len(origins)), [str(origin) for origin in origins])
    if measure == "recall":
        as_percent(axes, "y")
        axes.set_ylim(bottom=0)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    set_title(axes, f"{words.get(measure, measure)}, by the day the list was made")
    return figure


_RULE_COLOURS = (ORANGE, "#007A5A", "#8A5A00", "#A0428C", GREY, "#56B4E9", "#000000")


#: Rules as a reader knows them.
_WORDS = {
    "prevalence": "the same risk for everybody",
    "age_only": "age alone",
    "random": "a list by lot",
    "oldest": "oldest first",
    "most_overdue": "longest without a visit",
}


def say_name(name: object) -> str:
    """A name as a reader sees it.

    >>> say_name("age_only")
    'Age alone'
    """
    text = _WORDS.get(str(name), str(name)).replace("_", " ")
    return text[:1].upper() + text[1:]


def _lay_out(shown: pd.DataFrame) -> tuple[Any, list[str], list[tuple[int, str]]]:
    """Line of each row, with a line for the heading of each kind of group above its rows."""
    places, headings, line, before = [], [], 0, None
    for by in shown["by"]:
        if by != before:
            headings.append((line, str(by)))
            line, before = line + 1, by
        places.append(line)
        line += 1
    labels = [
        f"{group if len(group) <= _LONGEST else group[: _LONGEST - 1] + '…'} ({events:,})"
        for group, events in zip(shown["group"], shown["n_events"], strict=True)
    ]
    return np.array(places), labels, headings


def _plain_ratio(axes: Any) -> None:
    from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator, ScalarFormatter

    axes.xaxis.set_major_locator(FixedLocator([0.5, 0.7, 0.9, 1.1, 1.4, 2.0]))
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
