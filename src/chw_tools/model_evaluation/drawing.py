"""How every picture looks: size, colours, quiet axes, and the bytes of a PNG.

Colours are from Okabe and Ito's set, told apart by people who are colour-blind; every mark also
differs in shape or place, so that a print in grey can be read.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#007A5A", "#6B6B6B"
PALE_BLUE, PALE_GREY, INK = "#CFE3F1", "#ECECEC", "#1F2328"
_WIDTH = 6.4


def new_figure(height: float = 4.4, *, width: float = _WIDTH) -> Figure:
    """An empty figure of the report's width."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def new_axes(x_label: str, y_label: str, *, height: float = 4.4) -> tuple[Figure, Axes]:
    """A figure with one pair of quiet axes."""
    figure = new_figure(height)
    axes = figure.subplots()
    tidy(axes, x_label, y_label)
    return figure, axes


def tidy(axes: Any, x_label: str, y_label: str) -> None:
    """Names, and no more ink than is read."""
    axes.set_xlabel(x_label, color=INK)
    axes.set_ylabel(y_label, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#9A9A9A")
    axes.tick_params(colors="#4A4A4A")
    axes.grid(color="#E8E8E8", lw=0.7)
    axes.set_axisbelow(True)


def set_title(axes: Any, text: str) -> None:
    """What the picture says, on its left edge."""
    axes.set_title(text, loc="left", fontsize=11, color=INK)


def as_percent(axes: Any, which: str = "both") -> None:
    """Shares as percentages."""
    from matplotlib.ticker import FuncFormatter

    def said(value: float, _: int) -> str:
        return f"{100 * value:.3g} %"

    if which in ("x", "both"):
        axes.xaxis.set_major_formatter(FuncFormatter(said))
    if which in ("y", "both"):
        axes.yaxis.set_major_formatter(FuncFormatter(said))


def draw_intervals(
    axes: Any, values: Any, lows: Any, highs: Any, places: Any, *, colour: str, **marker: Any
) -> None:
    """Points with their intervals, one a row, read from the top."""
    axes.hlines(places, lows, highs, color=colour, lw=2, alpha=0.55)
    axes.plot(values, places, ls="", color=colour, **({"marker": "o", "ms": 6.5} | marker))


def write_png(figure: Figure) -> bytes:
    """The figure as the bytes of a PNG, the same for the same figure."""
    held = BytesIO()
    figure.savefig(held, format="png", dpi=144, facecolor="white", metadata={"Software": None})
    return held.getvalue()
