"""What a model says, keyed so that a file can carry it in any language."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The English sentences; a model file carries them, and translations beside them.
SENTENCES: Mapping[str, str] = {
    "reason_number": "{label} is {value}",
    "reason_choice": "{label}: {value}",
    "reason_flag": "{label}: {value}",
    "reason_missing": "{label} is not known",
    "yes": "yes",
    "no": "no",
    "missing": "not known",
    "not_known": "Not known: {labels}.",
    "holds_from": "{label}: the estimate holds from {low} only.",
    "holds_to": "{label}: the estimate holds up to {high} only.",
    "holds_between": "{label}: the estimate holds from {low} to {high} only.",
    "not_plausible": "{label}: not plausible in {unit}. Is the value right?",
    "not_plausible_number": "{label}: not a plausible value. Is it right?",
    "other_unit": "{label}: not plausible in {unit}. Was it written down in {other}?",
    "better_with": "Better with: {labels}.",
}
#: Codes of units (UCUM) that people do not read as they stand.
UNIT_WORDS: Mapping[str, str] = {
    "mm[Hg]": "mmHg",
    "cm[Hg]": "cmHg",
    "Cel": "°C",
    "[degF]": "°F",
    "[in_i]": "inches",
    "[lb_av]": "pounds",
    "a": "years",
    "mo": "months",
    "d": "days",
    "1": "",
    "{score}": "points",
    "{drink}": "drinks",
}
_A_YEAR = " a year"


def unit_word(unit: str) -> str:
    """A unit as people read it.

    >>> unit_word("mm[Hg]"), unit_word("mm[Hg] a year"), unit_word("mmol/L")
    ('mmHg', 'mmHg a year', 'mmol/L')
    """
    base = unit.removesuffix(_A_YEAR)
    return f"{UNIT_WORDS.get(base, base)}{unit[len(base) :]}".strip()
