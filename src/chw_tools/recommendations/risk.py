"""What an estimated risk adds: it may bring care forward, and never puts it off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chw_tools.programme.risk_steps import GENERAL
from chw_tools.programme.texts import FALLBACK_MARK, WRITTEN_IN, Translation, english
from chw_tools.recommendations.reasons import answer_word
from chw_tools.records.derived import RISK_BANDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from chw_tools.programme import Programme
    from chw_tools.programme.risk_steps import RiskStep

RULE_ID = "risk_high"
#: So many of the things that raise a risk are named; what a sentence bears.
_MOST_REASONS = 3
#: The answer that says no more than the question.
_YES = "yes"
#: The bands that bring care forward.
_HIGH = {band: place for place, band in enumerate(RISK_BANDS) if band in ("high", "very_high")}


def highest_risks(
    risks: pd.DataFrame, person_ids: pd.Index
) -> tuple[pd.DataFrame, NDArray[np.intp]]:
    """Each person's estimate in the highest band, of those that are estimated.

    Parameters
    ----------
    risks : DataFrame
        As declared in ``RISKS``, any number of outcomes a person.
    person_ids : Index
        The people asked about.

    Returns
    -------
    DataFrame, ndarray
        One row for each person whose highest band is ``high`` or ``very_high``, and the
        person's place. What is not known, or not valid, is no estimate and raises nothing.
    """
    level = _words(risks, "band", lambda band: _HIGH.get(band, -1))
    level[_words(risks, "state", lambda state: state != "estimated") == 1] = -1
    rows = np.flatnonzero(level >= 0)
    if len(rows) == 0:
        return risks.iloc[:0], rows
    place = person_ids.get_indexer(risks["person_id"].iloc[rows])
    rows, place = rows[place >= 0], place[place >= 0]
    chance = risks["risk"].to_numpy(dtype=np.float64)[rows]
    named = np.unique(risks["outcome"].to_numpy(dtype=object)[rows], return_inverse=True)[1]
    order = np.lexsort((named, -chance, -level[rows], place))
    rows, place = rows[order], place[order]
    first = np.diff(place, prepend=-1) > 0
    return risks.iloc[rows[first]], place[first]


def _words(risks: pd.DataFrame, name: str, number: Callable[[str], int]) -> NDArray[np.int64]:
    """A number for each text of a column, asked for once for each distinct text."""
    texts = risks[name].to_numpy(dtype=object, na_value="").tolist()
    numbers = {text: int(number(text)) for text in set(texts)}
    return np.array([numbers[text] for text in texts], dtype=np.int64)


def visit_due_days(
    bands: pd.Series, days_since_visit: NDArray[np.float64], *, programme: Programme
) -> NDArray[np.int64]:
    """Days until a person of that band is to be seen again; never seen is due now."""
    longest = np.array([programme.visit_within_days[band] for band in bands], dtype=np.float64)
    days = np.where(np.isnan(days_since_visit), 0.0, longest - days_since_visit)
    return np.asarray(days, dtype=np.int64)


def risk_actions(rows: pd.DataFrame, programme: Programme) -> list[str]:
    """What to do at that band of that risk, in the programme's language."""
    words = programme.translation()
    said = {}
    for outcome, band in set(zip(rows["outcome"], rows["band"], strict=True)):
        step = programme.step_for(outcome, band)
        key = "general" if step == GENERAL else f"{outcome}.{band}"
        said[outcome, band] = words.text(f"risk_steps.{key}.action", step.action)
    return [said[each] for each in zip(rows["outcome"], rows["band"], strict=True)]


def risk_reasons(rows: pd.DataFrame, words: Translation) -> list[str]:
    """Why the risk is called high, with up to three things that raise it."""
    return [
        _reason(outcome, band, reasons, words)
        for outcome, band, reasons in zip(
            rows["outcome"], rows["band"], rows["reasons"], strict=True
        )
    ]


def _reason(outcome: str, band: str, reasons: object, words: Translation) -> str:
    named = words.text(f"outcomes.{outcome}", _outcome(outcome))
    because = ", ".join(_raising(reasons, words))
    key = "reason_because" if because else "reason"
    said = words.text(f"{RULE_ID}.{key}")
    return said.format(outcome=named, band=words.text(f"bands.{band}"), reasons=because)


def risk_sources(rows: pd.DataFrame, programme: Programme) -> list[str]:
    """The model that says so, and where the step comes from."""
    steps = _steps(rows, programme)
    return [
        f"Estimate of {model}; {step.source}"
        for model, step in zip(rows["model"], steps, strict=True)
    ]


def risk_are_verified(rows: pd.DataFrame, programme: Programme) -> NDArray[np.bool_]:
    """Whether the source of each step was read."""
    return np.array([step.verified for step in _steps(rows, programme)], dtype=bool)


def _steps(rows: pd.DataFrame, programme: Programme) -> list[RiskStep]:
    return [
        programme.step_for(outcome, band)
        for outcome, band in zip(rows["outcome"], rows["band"], strict=True)
    ]


def _outcome(name: str) -> str:
    """An outcome in English; one that has no words is read from its own name."""
    return english().texts.get(f"outcomes.{name}", name.replace("_", " "))


def _raising(reasons: object, words: Translation) -> list[str]:
    if not isinstance(reasons, list | tuple):
        return []
    raising: Sequence[dict[str, Any]] = [r for r in reasons if float(r.get("effect", 0)) > 0]
    return [_raises(one, words) for one in raising[:_MOST_REASONS]]


def _raises(reason: dict[str, Any], words: Translation) -> str:
    """One thing that raises a risk: "tobacco use current"; in other words where there are some."""
    label, value = reason["label"], str(reason["value"])
    written = f"{label[0].lower()}{label[1:]}"
    name = reason.get("feature", "")
    if words.language == WRITTEN_IN or name not in words.words:
        said = f"{written} {value}"
        return said if words.language == WRITTEN_IN else f"{FALLBACK_MARK}{said}"
    word = words.words[name]
    if "{}" in word:
        return word.format(value.partition(" ")[0])
    is_number = value[:1].isdigit() or value[:1] == "-"
    if value == _YES:
        return word
    return f"{word} {value if is_number else answer_word(words, value)}"
