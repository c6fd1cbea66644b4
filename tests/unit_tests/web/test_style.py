"""The style sheet: readable in sunlight, turnable for right-to-left scripts, small."""

from __future__ import annotations

import gzip
import re
from importlib.resources import files

import pytest

CSS = files("chw_tools.web").joinpath("static", "app.css").read_text("utf-8")
COLOURS = dict(re.findall(r"--([a-z_-]+): (#[0-9a-f]{3,6});", CSS))


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio, WCAG 2.2."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(
    ("text", "ground", "least"),
    [
        ("ink", "paper", 7),
        ("ink", "card", 7),
        ("ink", "accent-soft", 7),
        ("ink", "emergency-soft", 7),
        ("soft", "paper", 4.5),
        ("soft", "card", 4.5),
        ("accent", "card", 4.5),
        ("accent", "accent-soft", 4.5),
        ("card", "accent", 4.5),
        ("card", "emergency", 7),
        *((level, f"{level}-soft", 4.5) for level in ("same_day", "within_days", "routine")),
        ("emergency", "emergency-soft", 4.5),
        ("focus", "paper", 2.5),
    ],
)
def test_text_stands_out_from_its_ground(text, ground, least):
    assert contrast(COLOURS[text], COLOURS[ground]) >= least


def test_the_contrast_of_black_on_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_properties_are_logical_so_that_pages_turn():
    physical = r"\b(margin|padding|border|inset)?-?(left|right)\b\s*:"
    assert not re.findall(physical, CSS)
    assert "text-align: left" not in CSS
    assert "text-align: right" not in CSS


def test_the_shell_stays_small():
    shell = [
        f.read_bytes()
        for f in files("chw_tools.web").joinpath("static").iterdir()
        if f.name.startswith("app.")
    ]
    assert sum(len(gzip.compress(content)) for content in shell) < 30 * 1024


def test_nothing_is_loaded_from_elsewhere():
    assert "@import" not in CSS
    assert "url(" not in CSS
