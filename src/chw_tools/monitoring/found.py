"""What a rule finds: people, since when, and the facts that decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from chw_tools.monitoring.evidence import Days, Places


class Found(NamedTuple):
    """One finding a row.

    ``since`` is the day of what the finding rests on: only what happens later can end it.
    ``occasion`` tells one finding about a person from the next. ``level`` is the place of the
    urgency, where it is more urgent than the rule's own.
    """

    place: Places
    since: Days
    occasion: Sequence[str]
    facts: Sequence[dict[str, Any]]
    level: NDArray[np.int64] | None = None


def texts_of(days: Days) -> list[str]:
    """Days as ISO text."""
    texts: list[str] = np.datetime_as_string(days, unit="D").tolist()
    return texts


def plain(values: Iterable[float]) -> str:
    """Numbers as they are read out, those that are missing left out."""
    return "/".join(f"{value:.4g}" for value in values if value == value)


def on_days(place: Places, day: Days, facts: Sequence[dict[str, Any]]) -> Found:
    """Findings whose occasion is the day that they rest on."""
    texts = texts_of(day)
    told = [{**fact, "day": text} for fact, text in zip(facts, texts, strict=True)]
    return Found(place, day, texts, told)
