"""A week's routes as a picture: a colour for each day, a mark for what could not wait."""

from __future__ import annotations

from html import escape
from math import cos, radians
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

    Place = Callable[[float, float], tuple[float, float]]

_WIDTH, _HEIGHT, _MARGIN, _LEGEND = 900, 640, 40, 190
_KM_PER_DEGREE = 111.195
#: Days in colours told apart by the colour-blind (Okabe & Ito 2008), then again.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_NICE_KM = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200)


def draw_map(
    visits: pd.DataFrame,
    workers: pd.DataFrame,
    *,
    title: str = "Routes of the week",
    is_simulated: bool = False,
) -> str:
    """An SVG of each worker's walks, day by day; north is up.

    People without a position are counted below the legend, not drawn.
    """
    known = visits[visits["latitude"].notna() & visits["longitude"].notna()]
    staff = workers[workers["id"].isin(known["worker_id"])]
    starts = staff[staff["latitude"].notna() & staff["longitude"].notna()].set_index("id")
    days = sorted(visits["visit_on"].unique())
    title += " (simulated people)" if is_simulated else ""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'font-family="sans-serif" font-size="13" role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        f'<text x="{_MARGIN}" y="24" font-size="17" font-weight="bold">{escape(title)}</text>',
    ]
    if len(known):
        place, km = _projection(known, starts)
        for (worker, on), day in known.groupby(["worker_id", "visit_on"], sort=True):
            colour = _COLOURS[days.index(on) % len(_COLOURS)]
            start = starts.loc[worker] if worker in starts.index else None
            parts.extend(_walk(day, start, colour, place))
        parts.extend(_start(row.latitude, row.longitude, place) for row in starts.itertuples())
        parts.extend(_scale(km))
    parts.extend(_legend(days, len(visits) - len(known)))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _projection(known: pd.DataFrame, starts: pd.DataFrame) -> tuple[Place, float]:
    """Positions to the page, true to scale; and kilometres per unit of the page."""
    latitude = np.concatenate([known["latitude"], starts["latitude"]]).astype(float)
    longitude = np.concatenate([known["longitude"], starts["longitude"]]).astype(float)
    narrow = cos(radians(float(latitude.mean())))
    west, south = longitude.min(), latitude.min()
    wide = max((longitude.max() - west) * narrow, 1e-6)
    high = max(latitude.max() - south, 1e-6)
    room = _WIDTH - 2 * _MARGIN - _LEGEND, _HEIGHT - 3 * _MARGIN
    scale = min(room[0] / wide, room[1] / high)

    def place(lat: float, lon: float) -> tuple[float, float]:
        x = _MARGIN + (lon - west) * narrow * scale
        y = _MARGIN + room[1] - (lat - south) * scale
        return round(float(x), 1), round(float(y), 1)

    return place, _KM_PER_DEGREE / scale


def _walk(day: pd.DataFrame, start: pd.Series | None, colour: str, place: Place) -> list[str]:
    stops = day.drop_duplicates(["latitude", "longitude"])
    points = [place(row.latitude, row.longitude) for row in stops.itertuples()]
    line = points
    if start is not None:
        line = [place(float(start["latitude"]), float(start["longitude"])), *points]
    path = " ".join(f"{x},{y}" for x, y in line)
    drawn = [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6" '
        'stroke-opacity="0.75"/>'
    ]
    for (x, y), must in zip(points, stops["is_must"], strict=True):
        drawn.append(f'<circle cx="{x}" cy="{y}" r="3.4" fill="{colour}"/>')
        if must:
            drawn.append(
                f'<circle cx="{x}" cy="{y}" r="7" fill="none" stroke="#b00020" stroke-width="2"/>'
            )
    return drawn


def _start(latitude: float, longitude: float, place: Place) -> str:
    x, y = place(latitude, longitude)
    return f'<rect x="{x - 5}" y="{y - 5}" width="10" height="10" fill="#222222"/>'


def _scale(km_per_unit: float) -> list[str]:
    km = max((k for k in _NICE_KM if k / km_per_unit <= 160), default=_NICE_KM[0])
    length = km / km_per_unit
    y = _HEIGHT - _MARGIN + 8
    return [
        f'<line x1="{_MARGIN}" y1="{y}" x2="{_MARGIN + length:.1f}" y2="{y}" stroke="#222222" '
        'stroke-width="2"/>',
        f'<text x="{_MARGIN}" y="{y + 18}">{km:g} km</text>',
    ]


def _legend(days: list[pd.Timestamp], n_without: int) -> list[str]:
    x, y = _WIDTH - _LEGEND, 60
    drawn = []
    for at, on in enumerate(days):
        colour = _COLOURS[at % len(_COLOURS)]
        drawn.append(
            f'<line x1="{x}" y1="{y - 4}" x2="{x + 26}" y2="{y - 4}" stroke="{colour}" '
            f'stroke-width="3"/><text x="{x + 34}" y="{y}">{pd.Timestamp(on):%a %d %b}</text>'
        )
        y += 22
    drawn.append(
        f'<circle cx="{x + 13}" cy="{y - 4}" r="7" fill="none" stroke="#b00020" stroke-width="2"/>'
        f'<text x="{x + 34}" y="{y}">cannot wait</text>'
    )
    drawn.append(
        f'<rect x="{x + 8}" y="{y + 13}" width="10" height="10" fill="#222222"/>'
        f'<text x="{x + 34}" y="{y + 22}">start</text>'
    )
    if n_without:
        drawn.append(f'<text x="{x}" y="{y + 50}">{n_without} without position</text>')
    return drawn
