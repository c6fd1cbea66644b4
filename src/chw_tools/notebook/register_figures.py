"""Pictures of a register: who is in it, how often they are seen, what is known of them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.model_evaluation.drawing import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE_BLUE,
    as_percent,
    new_axes,
    new_figure,
    set_title,
    tidy,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from chw_tools.feature_engineering import Features
    from chw_tools.records import Register

_AGES = [0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 130]


def plot_population(features: Features) -> Figure:
    """Women and men by age, as a pyramid."""
    frame = features.frame[["age_years", "sex"]].dropna()
    bands = pd.cut(frame["age_years"].astype(float), _AGES, right=False)
    counts = pd.crosstab(bands, frame["sex"], dropna=False)
    figure, axes = new_axes("People", "Age", height=4.8)
    places = np.arange(len(counts))
    for sex, colour, sign in (("female", ORANGE, 1), ("male", BLUE, -1)):
        n = counts[sex].to_numpy() if sex in counts else np.zeros(len(counts))
        axes.barh(places, sign * n, height=0.86, color=colour, alpha=0.85, label=sex)
    labels = [f"{low}–{high - 1}" for low, high in pairwise(_AGES[:-1])]
    axes.set_yticks(places, [*labels, "80+"])
    widest = max(1, int(np.abs(axes.get_xlim()).max()))
    axes.set_xlim(-widest, widest)
    axes.xaxis.set_major_formatter(lambda value, _: f"{abs(value):,.0f}")
    axes.axvline(0, color="white", lw=1.5)
    axes.grid(axis="y", visible=False)
    axes.legend(frameon=False, loc="upper right")
    set_title(axes, f"{len(frame):,} people as known on {features.as_of:%d %B %Y}")
    return figure


def plot_visits(register: Register) -> Figure:
    """Visits a month: those at which the person was seen, and those at which not."""
    visits = register.visits.dropna(subset=["visited_on"])
    month = visits["visited_on"].dt.to_period("M").dt.to_timestamp()
    seen = visits["outcome"].eq("seen") | visits["outcome"].isna()
    counts = pd.crosstab(month, seen).reindex(columns=[True, False], fill_value=0)
    figure, axes = new_axes("", "Visits a month", height=3.4)
    axes.fill_between(counts.index, counts[True], color=PALE_BLUE)
    axes.plot(counts.index, counts[True], color=BLUE, lw=2, label="seen")
    axes.plot(counts.index, counts[False], color=ORANGE, lw=2, ls="--", label="away or refused")
    axes.legend(frameon=False, loc="upper left")
    axes.set_ylim(0)
    plain_months(axes)
    set_title(axes, f"{len(visits):,} visits, {100 * seen.mean():.0f} % found the person")
    return figure


def plain_months(axes: Axes) -> None:
    """Months as few and as short as can be read."""
    from matplotlib import dates

    # Its functions carry no types.
    known: Any = dates
    locator = known.AutoDateLocator(minticks=3, maxticks=8)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(known.ConciseDateFormatter(locator))


def plot_places(register: Register) -> Figure:
    """Homes by how far they are from a facility, and where workers live."""
    homes = register.households.dropna(subset=["latitude", "longitude"])
    figure, axes = new_axes("", "", height=5.2)
    km = homes["facility_km"].astype(float)
    dots = axes.scatter(
        homes["longitude"], homes["latitude"], c=km, cmap="viridis_r", s=14, lw=0, alpha=0.8
    )
    staff = register.workers.dropna(subset=["latitude", "longitude"])
    axes.scatter(
        staff["longitude"], staff["latitude"], marker="^", s=90, color=ORANGE,
        edgecolor="white", lw=0.9, label="worker",
    )  # fmt: skip
    axes.set_aspect(1 / np.cos(np.radians(homes["latitude"].mean())) if len(homes) else 1)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(dots, ax=axes, shrink=0.7)
    bar.set_label("km to the nearest facility", color=INK)
    bar.outline.set_visible(False)
    figure.legend(frameon=False, loc="outside lower left")
    set_title(axes, f"{len(homes):,} homes and {len(staff):,} workers")
    return figure


def compute_known_share(features: Features, names: Sequence[str]) -> pd.DataFrame:
    """Share of people of whom a feature is known, by age: children, adults, people over 60."""
    age = features.frame["age_years"].astype(float)
    groups = pd.cut(age, [0, 5, 15, 60, 130], right=False)
    groups = groups.cat.rename_categories(["under 5", "5–14", "15–59", "60 and over"])
    known = features.frame[list(names)].notna()
    return known.groupby(groups, observed=False).mean().T


def plot_known_share(shares: pd.DataFrame, *, labels: Sequence[str] | None = None) -> Figure:
    """What is known of whom: dark is everybody, white is nobody."""
    figure = new_figure(0.32 * len(shares) + 1.2)
    axes = figure.subplots()
    values = shares.to_numpy(dtype=float)
    axes.imshow(values, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        colour = "white" if value > 0.55 else INK
        axes.text(column, row, f"{100 * value:.0f} %", ha="center", va="center", color=colour)
    axes.set_xticks(range(len(shares.columns)), list(shares.columns))
    axes.set_yticks(range(len(shares)), labels or [n.replace("_", " ") for n in shares.index])
    axes.tick_params(length=0, labeltop=True, labelbottom=False, colors=INK)
    axes.spines[:].set_visible(False)
    return figure


def plot_values_by_age(
    features: Features, name: str, *, label: str, limit: float | None = None
) -> Figure:
    """A measurement against age, the middle half of people shaded, with a limit to look at."""
    frame = features.frame[["age_years", name]].astype(float).dropna()
    figure, axes = new_axes("Age in years", label, height=3.8)
    axes.scatter(frame["age_years"], frame[name], s=9, lw=0, color=GREY, alpha=0.35)
    bands = pd.cut(frame["age_years"], range(0, 96, 8))
    grouped = frame.groupby(bands, observed=True)[name]
    low, half, high = (grouped.quantile(share) for share in (0.25, 0.5, 0.75))
    middle = [band.mid for band in half.index]
    axes.fill_between(middle, low, high, color=PALE_BLUE, alpha=0.7, lw=0)
    axes.plot(middle, half, color=BLUE, lw=2.5, label="median, and the middle half")
    title = f"{len(frame):,} people were measured"
    if limit is not None:
        axes.axhline(limit, color=ORANGE, lw=1.6, ls="--")
        title += f"; {100 * (frame[name] >= limit).mean():.0f} % at {limit:g} or above"
    axes.legend(frameon=False, loc="upper left")
    set_title(axes, title)
    return figure


def plot_event_share(labels: pd.Series, features: Features) -> Figure:
    """How often an outcome happened, by age, with the interval that chance leaves."""
    from chw_tools.model_evaluation.calibration import compute_wilson
    from chw_tools.model_evaluation.drawing import draw_intervals

    frame = pd.DataFrame({"age": features.frame["age_years"].astype(float), "event": labels})
    frame = frame.dropna()
    bands = pd.cut(frame["age"], [0, 5, 15, 30, 45, 60, 75, 130], right=False)
    counts = frame.groupby(bands, observed=True)["event"].agg(["sum", "count"]).astype(float)
    names = [f"{band.left:g}–{band.right - 1:g}" for band in counts.index]
    low, high = compute_wilson(counts["sum"].to_numpy(), counts["count"].to_numpy())
    figure = new_figure(3.4)
    axes = figure.subplots()
    tidy(axes, "Had the event", "Age")
    places = np.arange(len(counts))
    share = counts["sum"] / counts["count"]
    draw_intervals(axes, share, low, high, places, colour=BLUE)
    axes.set_yticks(places, names)
    axes.set_xlim(0)
    as_percent(axes, "x")
    n, events = int(counts["count"].sum()), int(counts["sum"].sum())
    set_title(axes, f"{events:,} of {n:,} rows with the event")
    return figure
