"""Pictures of what came in: what could be trusted, what could not, and why."""

from __future__ import annotations

from textwrap import shorten
from typing import TYPE_CHECKING

import numpy as np

from chw_tools.model_evaluation.drawing import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE_GREY,
    as_percent,
    new_axes,
    new_figure,
    set_title,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from chw_tools.data_processing import ImportReport
    from chw_tools.records import Register

#: Observables whose last digits tell whether a cuff was read or guessed (LOINC).
_SYSTOLIC = "8480-6"


def plot_import(report: ImportReport) -> Figure:
    """Rows of each table: trusted, and in quarantine."""
    tables = [one for one in report.tables if one.trusted + one.rejected]
    figure = new_figure(0.34 * len(tables) + 1.1)
    axes = figure.subplots()
    tidy(axes, "Rows (each tenfold as long)", "")
    places = np.arange(len(tables))[::-1]
    trusted = np.array([one.trusted for one in tables])
    rejected = np.array([one.rejected for one in tables])
    axes.barh(places + 0.2, trusted, height=0.38, color=BLUE, label="trusted")
    axes.barh(places - 0.2, rejected, height=0.38, color=ORANGE, label="in quarantine")
    for place, good, bad in zip(places, trusted, rejected, strict=True):
        axes.text(good, place + 0.2, f" {good:,}", va="center", color=INK, fontsize=9)
        if bad:
            axes.text(bad, place - 0.2, f" {bad:,}", va="center", color=ORANGE, fontsize=9)
    axes.set_xscale("log")
    axes.set_xlim(0.8, trusted.max() * 6)
    axes.set_yticks(places, [one.table.replace("_", " ") for one in tables])
    axes.grid(axis="y", visible=False)
    axes.legend(frameon=False, loc="lower right")
    set_title(axes, f"{report.n_trusted:,} rows trusted, {report.n_rejected:,} in quarantine")
    return figure


def plot_rejections(report: ImportReport, *, most: int = 12) -> Figure:
    """The commonest reasons for quarantine."""
    found = sorted(report.rejections, key=lambda one: one.n, reverse=True)[:most]
    figure = new_figure(0.36 * len(found) + 1.0, width=8.4)
    axes = figure.subplots()
    tidy(axes, "Records", "")
    places = np.arange(len(found))[::-1]
    counts = [one.n for one in found]
    axes.barh(places, counts, color=ORANGE, height=0.7, alpha=0.85)
    for place, n in zip(places, counts, strict=True):
        axes.text(n, place, f" {n:,}", va="center", color=INK, fontsize=9)
    axes.set_yticks(places, [shorten(f"{o.table}: {o.reason}", 62) for o in found], fontsize=9)
    axes.grid(axis="y", visible=False)
    set_title(axes, "Why records wait in quarantine")
    return figure


def plot_last_digits(register: Register) -> Figure:
    """Last digits of systolic pressures; a device gives each as often, a guess prefers 0."""
    seen = register.observations
    values = seen.loc[seen["code"].eq(_SYSTOLIC), "value_number"].dropna()
    whole = values[values == values.round()].astype(int)
    shares = (whole % 10).value_counts(normalize=True).reindex(range(10), fill_value=0)
    figure, axes = new_axes("Last digit of the systolic pressure", "Share", height=3.2)
    colours = [ORANGE if digit in (0, 5) else GREY for digit in range(10)]
    axes.bar(shares.index, shares, color=colours, width=0.8)
    axes.axhspan(0.095, 0.105, color=PALE_GREY, zorder=0)
    axes.axhline(0.1, color=INK, lw=1.2, ls="--")
    axes.set_xticks(range(10))
    axes.grid(axis="x", visible=False)
    as_percent(axes, "y")
    set_title(axes, f"{len(whole):,} readings; the line is what a device would give")
    return figure
