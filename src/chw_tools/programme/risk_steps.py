"""What is done at a band of an estimated risk, where a guideline says so.

The bands themselves, and how soon somebody in them is seen again, stand beside them in
``programme.toml``; an outcome or band that is not named here has the one general step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chw_tools.programme import reading

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The bands that bring care forward; risk adds nothing below them.
RAISED = ("high", "very_high")
_KEYS = ("action", "source", "verified")


@dataclass(frozen=True)
class RiskStep:
    """What to do, in plain words, and where it is said."""

    action: str
    source: str
    verified: bool


#: Where no guideline is named for the outcome and band.
GENERAL = RiskStep(
    "Visit soon. Ask how things are and check for danger signs.",
    "bands and intervals of the programme",
    verified=False,
)


def read_risk_steps(
    raw: Mapping[str, Any], file: str, problems: reading.Problems
) -> dict[tuple[str, str], RiskStep]:
    """The steps by outcome and band; what cannot be read is noted."""
    steps = {}
    for outcome, bands in raw.items():
        if not isinstance(bands, dict):
            problems.add(file, f"risk_steps.{outcome}", "must be a table")
            continue
        reading.check_names(bands, RAISED, file, f"risk_steps.{outcome}", problems)
        for band, table in bands.items():
            key = f"risk_steps.{outcome}.{band}"
            if not isinstance(table, dict):
                problems.add(file, key, "must be a table with action, source and verified")
                continue
            steps[outcome, band] = _step(table, file, key, problems)
    return steps


def _step(table: dict[str, Any], file: str, key: str, problems: reading.Problems) -> RiskStep:
    reading.check_names(table, _KEYS, file, key, problems)
    source = reading.read_text(table, "source", file, key, problems)
    if not source.strip():
        problems.add(file, f"{key}.source", "a step without a source is not used")
    return RiskStep(
        reading.read_text(table, "action", file, key, problems),
        source,
        reading.read_flag(table, "verified", file, key, problems, default=False),
    )
