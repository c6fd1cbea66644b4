"""The report of a backtest: what would have been found, day by day, beside plain rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from chw_tools.model_evaluation.card import SIMULATED
from chw_tools.model_evaluation.document import (
    Document,
    KeyFigure,
    KeyFigures,
    Notice,
    Picture,
    Points,
    Section,
    Table,
    Text,
    write_markdown,
)
from chw_tools.model_evaluation.drawing import write_png
from chw_tools.model_evaluation.figures_compared import plot_backtest, plot_stability, say_name
from chw_tools.model_evaluation.page import write_page
from chw_tools.model_evaluation.report_tables import say_interval, stability_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chw_tools.model_evaluation.card import About
    from chw_tools.model_evaluation.document import Block


def write_backtest_report(
    table: pd.DataFrame,
    *,
    stability: pd.DataFrame,
    refits: pd.DataFrame,
    about: About,
    notes: Sequence[str] = (),
) -> dict[str, bytes]:
    """Every file of the report, by name.

    Parameters
    ----------
    table : DataFrame
        A row for each origin and rule, the model first; see
        :class:`chw_tools.model_training.backtest.Backtest`.
    stability, refits : DataFrame
        Overlap of lists; either may be empty.
    about : About
        What is tested.
    notes : sequence of str
        What a reader must know.

    Returns
    -------
    dict
        ``report.html``, ``report.md``, ``backtest.csv`` and the pictures.
    """
    pictures = {
        "backtest_found.png": write_png(plot_backtest(table, measure="recall")),
        "backtest_auc.png": write_png(plot_backtest(table, measure="auc")),
    }
    if len(stability):
        pictures["stability.png"] = write_png(plot_stability(stability))
    if len(refits):
        pictures["refits.png"] = write_png(plot_stability(refits))
    document = _compose(table, stability=stability, refits=refits, about=about, notes=notes)
    return {
        "report.html": write_page(document, pictures).encode(),
        "report.md": write_markdown(document).encode(),
        "backtest.csv": table.to_csv(index=False).encode(),
        **pictures,
    }


def say_backtest(table: pd.DataFrame) -> list[str]:
    """For each rule, at how many origins the model was shown to find more, and by how much."""
    model = table["rule"].iloc[0]
    others = table[table["rule"] != model]
    return [_said(say_name(rule), rows) for rule, rows in others.groupby("rule", sort=False)]


def _said(rule: str, rows: pd.DataFrame) -> str:
    n = len(rows)
    surely = int((rows["recall_gain_low"] > 0).sum())
    worse = int((rows["recall_gain_high"] < 0).sum())
    lowest, highest = 100 * rows["recall_gain"].min(), 100 * rows["recall_gain"].max()
    spread = (
        f"{lowest:+.0f}" if round(lowest) == round(highest) else f"{lowest:+.0f} to {highest:+.0f}"
    )
    less = f", and fewer at {worse}" if worse else ""
    return (
        f"**{rule}**: the model surely finds more events at {surely} of {n} days{less} "
        f"({spread} of 100 events with a list of the same length)."
    )


def _compose(
    table: pd.DataFrame,
    *,
    stability: pd.DataFrame,
    refits: pd.DataFrame,
    about: About,
    notes: Sequence[str],
) -> Document:
    sections = [_found(table)]
    if len(stability) or len(refits):
        sections.append(_stable(stability, refits))
    sections.append(Section("What to know", [Points([*notes, *about.caveats])]))
    source = f", {about.source}" if about.source else ""
    return Document(
        title=f"{about.label}: would it have worked?",
        subtitle=f"Recipe `{about.recipe}`, {about.population} people{source}; outcome "
        f"`{about.outcome}`.",
        opening=_opening(table, about),
        sections=sections,
    )


def _opening(table: pd.DataFrame, about: About) -> list[Block]:
    model = table[table["rule"] == table["rule"].iloc[0]]
    days = ", ".join(model["origin"])
    blocks: list[Block] = []
    if about.population == "simulated":
        blocks.append(Notice(f"**Simulated people.** {SIMULATED}", "warning"))
    blocks += [
        Text(
            f"As if on {days}: a model is trained on what was known that day, a list is made, and "
            "what happened afterwards is counted. Plain rules make lists of the same length."
        ),
        KeyFigures(
            [
                KeyFigure(_span(model["recall"]), "of all events found by the model's list"),
                KeyFigure(_span(model["precision"]), "of those on the list had the event"),
                KeyFigure(_span(model["auc"]), "of pairs put in the right order (AUC)"),
                KeyFigure(
                    _ratio_span(model["observed_to_expected"]),
                    "events happened for every 100 foreseen",
                ),
            ]
        ),
        Points(say_backtest(table)),
    ]
    return blocks


def _found(table: pd.DataFrame) -> Section:
    best = table.groupby("rule", sort=False)["recall"].mean()
    said = "; ".join(f"{say_name(rule)} {share:.0%}" for rule, share in best.items())
    return Section(
        "What each list would have found",
        [
            Picture(
                "backtest_found.png",
                f"Events found at capacity on each day. Mean over the days: {said}.",
                "Lines are 95 % intervals of bootstrap samples that draw households.",
            ),
            Picture("backtest_auc.png", "AUC of the model and of each rule on each day."),
            Table(_table(table), "Each day and rule, with 95 % intervals"),
        ],
    )


def _stable(stability: pd.DataFrame, refits: pd.DataFrame) -> Section:
    blocks: list[Block] = []
    if len(stability):
        blocks += [
            Text("From one day to the next, each list by the model of its day:"),
            Picture(
                "stability.png",
                f"Share of each list that is on the next: mean {stability['retained'].mean():.0%}.",
            ),
            Table(stability_table(stability), "From day to day", folded=True),
        ]
    if len(refits):
        blocks += [
            Text(
                "On the last day, beside the same recipe fitted to households drawn again: how "
                "much of the list is the luck of who was in the data."
            ),
            Picture(
                "refits.png",
                f"Share of the list that a refit keeps: mean {refits['retained'].mean():.0%}.",
            ),
            Table(stability_table(refits), "From refit to refit", folded=True),
        ]
    return Section("Does the list stay the same?", blocks)


def _table(table: pd.DataFrame) -> pd.DataFrame:
    rows, model = [], table["rule"].iloc[0]
    for row in table.to_dict("records"):
        luck = "–"
        if row["recall_best"] - row["recall_worst"] > 1e-9:
            luck = f"{row['recall_worst']:.2f} to {row['recall_best']:.2f}"
        rows.append(
            {
                "Day": row["origin"],
                "Rule": say_name(row["rule"]),
                "Events": f"{row['n_events']:,} of {row['n']:,}",
                "AUC": say_interval(row, "auc"),
                "Found": say_interval(row, "recall", digits=2),
                "By luck of ties": luck,
                "Model finds more by": "–"
                if row["rule"] == model
                else say_interval(row, "recall_gain", digits=2),
                "Slope": say_interval(row, "calibration_slope", digits=2),
                "Observed / expected": say_interval(row, "observed_to_expected", digits=2),
            }
        )
    return pd.DataFrame(rows)


def _span(shares: pd.Series) -> str:
    low, high = f"{100 * shares.min():.0f}", f"{100 * shares.max():.0f}"
    return f"{low}%" if low == high else f"{low} to {high}%"


def _ratio_span(ratios: pd.Series) -> str:
    low, high = f"{100 * ratios.min():.0f}", f"{100 * ratios.max():.0f}"
    return low if low == high else f"{low} to {high}"
