"""What an estimated risk adds: it may bring care forward, and never puts it off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chw_tools.records.derived import RISK_BANDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from chw_tools.programme import Programme

RULE_ID = "risk_high"
#: Names of outcomes in words; one not named here is read from its own name.
_WORDS = {
    "hospital_admission_180d": "hospital admission or death within six months",
    "cvd_10y": "a heart attack or stroke within ten years",
    "diabetes": "diabetes",
    "death_5y": "death within five years",
}


def highest_risks(risks: pd.DataFrame, person_ids: pd.Index) -> pd.DataFrame:
    """Each person's estimate in the highest band, of those that are estimated.

    Parameters
    ----------
    risks : DataFrame
        As declared in ``RISKS``, any number of outcomes a person.
    person_ids : Index
        The people asked about.

    Returns
    -------
    DataFrame
        Indexed by ``person_id``; one row for each person whose highest band is ``high`` or
        ``very_high``. What is not known, or not valid, is no estimate and raises nothing.
    """
    asked = person_ids.get_indexer(risks["person_id"]) >= 0
    estimated = risks[(risks["state"] == "estimated") & asked]
    level = estimated["band"].map({band: place for place, band in enumerate(RISK_BANDS)})
    ranked = estimated.assign(level=level.astype("float64"))
    ranked = ranked[ranked["level"] >= RISK_BANDS.index("high")]
    ranked = ranked.sort_values(
        ["level", "risk", "outcome"], ascending=[False, False, True], kind="stable"
    )
    return ranked.drop_duplicates("person_id").set_index("person_id")


def visit_due_days(
    bands: pd.Series, days_since_visit: NDArray[np.float64], *, programme: Programme
) -> NDArray[np.int64]:
    """Days until a person of that band is to be seen again; never seen is due now."""
    longest = bands.map(dict(programme.visit_within_days)).to_numpy(dtype="float64")
    days = np.where(np.isnan(days_since_visit), 0.0, longest - days_since_visit)
    return np.asarray(days, dtype=np.int64)


def risk_reasons(rows: pd.DataFrame) -> list[str]:
    """Why the risk is called high, with up to three things that raise it."""
    return [
        f"The risk of {_outcome(outcome)} is {band.replace('_', ' ')}{_because(reasons)}."
        for outcome, band, reasons in zip(
            rows["outcome"], rows["band"], rows["reasons"], strict=True
        )
    ]


def risk_sources(rows: pd.DataFrame) -> list[str]:
    """The model that says so."""
    return [f"Estimate of {model}; bands and intervals of the programme" for model in rows["model"]]


def _outcome(name: str) -> str:
    return _WORDS.get(name, name.replace("_", " "))


def _because(reasons: object) -> str:
    if not isinstance(reasons, list | tuple):
        return ""
    raising: Sequence[dict[str, Any]] = [r for r in reasons if float(r.get("effect", 0)) > 0][:3]
    said = [f"{r['label'][0].lower()}{r['label'][1:]} {r['value']}" for r in raising]
    return f", mostly because of {', '.join(said)}" if said else ""
