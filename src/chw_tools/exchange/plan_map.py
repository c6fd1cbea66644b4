"""A week's routes as a picture: a colour for each day, a mark for what could not wait."""

from __future__ import annotations

from html import escape
from math import cos, radians
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Place = Callable[[float, float], tuple[float, float]]

_WIDTH, _HEIGHT, _MARGIN, _LEGEND = 900, 640, 40, 170
#: Least width and height of what is drawn: a straight road is no sliver.
_LEAST = 300
#: Beyond so many workers their names would hide the map.
_MOST_NAMES = 12
_KM_PER_DEGREE = 111.195
#: Days in colours told apart by the colour-blind (Okabe & Ito 2008), then again.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_NICE_KM = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200)


def draw_map(
    visits: pd.DataFrame,
    workers: pd.DataFrame,
    *,
    title: str = "Routes of the week",
    names: Mapping[str, str] | None = None,
    is_simulated: bool = False,
) -> str:
    """An SVG of each worker's walks, day by day; north is up.

    A worker's own map has the number of each stop; one of a few workers their names, where
    they are given. People without a position are counted below the legend, not drawn.
    """
    known = visits[visits["latitude"].notna() & visits["longitude"].notna()]
    staff = workers[workers["id"].isin(known["worker_id"])]
    starts = staff[staff["latitude"].notna() & staff["longitude"].notna()].set_index("id")
    days = sorted(visits["visit_on"].unique())
    title += " (simulated people)" if is_simulated else ""
    width, height = _WIDTH, _HEIGHT
    drawn: list[str] = []
    if len(known):
        place, km, (width, height) = _projection(known, starts)
        for (worker, on), day in known.groupby(["worker_id", "visit_on"], sort=True):
            colour = _COLOURS[days.index(on) % len(_COLOURS)]
            start = starts.loc[worker] if worker in starts.index else None
            drawn.extend(_walk(day, start, colour, place, numbered=len(staff) == 1))
        called = (names or {}) if 1 < len(starts) <= _MOST_NAMES else {}
        for worker, row in starts.iterrows():
            drawn.extend(_start(row, place, called.get(str(worker), "")))
        drawn.extend(_scale(km, height))
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="13" role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{_MARGIN}" y="24" font-size="17" font-weight="bold">{escape(title)}</text>',
    ]
    legend = _legend(days, len(visits) - len(known), width)
    return "\n".join([*head, *drawn, *legend, "</svg>"]) + "\n"


def _projection(known: pd.DataFrame, starts: pd.DataFrame) -> tuple[Place, float, tuple[int, int]]:
    """Positions to the page, true to scale; kilometres per unit; width and height needed."""
    latitude = np.concatenate([known["latitude"], starts["latitude"]]).astype(float)
    longitude = np.concatenate([known["longitude"], starts["longitude"]]).astype(float)
    narrow = cos(radians(float(latitude.mean())))
    west, south = longitude.min(), latitude.min()
    wide = max((longitude.max() - west) * narrow, 1e-6)
    high = max(latitude.max() - south, 1e-6)
    room = _WIDTH - 2 * _MARGIN - _LEGEND, _HEIGHT - 3 * _MARGIN
    scale = min(room[0] / wide, room[1] / high)
    across, down = max(wide * scale, _LEAST), max(high * scale, _LEAST)
    middle = (across - wide * scale) / 2, (down - high * scale) / 2

    def place(lat: float, lon: float) -> tuple[float, float]:
        x = _MARGIN + middle[0] + (lon - west) * narrow * scale
        y = _MARGIN + down - middle[1] - (lat - south) * scale
        return round(float(x), 1), round(float(y), 1)

    size = round(across + 2 * _MARGIN + _LEGEND), round(down + 3 * _MARGIN)
    return place, _KM_PER_DEGREE / scale, size


def _walk(
    day: pd.DataFrame, start: pd.Series | None, colour: str, place: Place, *, numbered: bool
) -> list[str]:
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
    for number, ((x, y), must) in enumerate(zip(points, stops["is_must"], strict=True), start=1):
        if numbered:
            drawn.append(
                f'<text x="{x + 6}" y="{y - 6}" font-size="11" fill="{colour}">{number}</text>'
            )
        drawn.append(f'<circle cx="{x}" cy="{y}" r="3.4" fill="{colour}"/>')
        if must:
            drawn.append(
                f'<circle cx="{x}" cy="{y}" r="7" fill="none" stroke="#b00020" stroke-width="2"/>'
            )
    return drawn


def _start(row: pd.Series, place: Place, name: str) -> list[str]:
    x, y = place(float(row["latitude"]), float(row["longitude"]))
    drawn = [f'<rect x="{x - 5}" y="{y - 5}" width="10" height="10" fill="#222222"/>']
    if name:  # a white rim keeps it readable above the lines
        drawn.append(
            f'<text x="{x + 9}" y="{y + 4}" font-weight="bold" stroke="#ffffff" '
            f'stroke-width="3" paint-order="stroke">{escape(name)}</text>'
        )
    return drawn


def _scale(km_per_unit: float, height: int) -> list[str]:
    km = max((k for k in _NICE_KM if k / km_per_unit <= 160), default=_NICE_KM[0])
    length = km / km_per_unit
    y = height - _MARGIN + 8
    return [
        f'<line x1="{_MARGIN}" y1="{y}" x2="{_MARGIN + length:.1f}" y2="{y}" stroke="#222222" '
        'stroke-width="2"/>',
        f'<text x="{_MARGIN}" y="{y + 18}">{km:g} km, north is up</text>',
    ]


def _legend(days: list[pd.Timestamp], n_without: int, width: int) -> list[str]:
    x, y = width - _LEGEND, 60
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
