"""What an estimated risk adds: it may bring care forward, and never puts it off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chw_tools.records.derived import RISK_BANDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from chw_tools.programme import Programme
    from chw_tools.programme.risk_steps import RiskStep

RULE_ID = "risk_high"
#: The bands that bring care forward.
_HIGH = {band: place for place, band in enumerate(RISK_BANDS) if band in ("high", "very_high")}
#: Names of outcomes in words; one not named here is read from its own name.
_WORDS = {
    "hospital_admission_180d": "hospital admission or death within six months",
    "cvd_10y": "a heart attack or stroke within ten years",
    "diabetes": "diabetes",
    "death_5y": "death within five years",
}


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
    """What to do at that band of that risk."""
    return [step.action for step in _steps(rows, programme)]


def risk_reasons(rows: pd.DataFrame) -> list[str]:
    """Why the risk is called high, with up to three things that raise it."""
    return [
        f"The risk of {_outcome(outcome)} is {band.replace('_', ' ')}{_because(reasons)}."
        for outcome, band, reasons in zip(
            rows["outcome"], rows["band"], rows["reasons"], strict=True
        )
    ]


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
    return _WORDS.get(name, name.replace("_", " "))


def _because(reasons: object) -> str:
    if not isinstance(reasons, list | tuple):
        return ""
    raising: Sequence[dict[str, Any]] = [r for r in reasons if float(r.get("effect", 0)) > 0][:3]
    said = [f"{r['label'][0].lower()}{r['label'][1:]} {r['value']}" for r in raising]
    return f", mostly because of {', '.join(said)}" if said else ""
