"""Elements of FHIR resources: identifiers, days, codes, values, each read leniently.

Source: HL7 FHIR R4 (4.0.1), https://hl7.org/fhir/R4/datatypes.html.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

Resource = dict[str, Any]

#: Longest stay whose minutes the register can hold; a longer one is kept without them.
MAX_MINUTES = 100_000


def own_id(resource: Resource) -> str | None:
    """The resource's literal reference (``Type/id``), or nothing where it has no id."""
    identifier = resource.get("id")
    if not isinstance(identifier, str) or not identifier:
        return None
    return f"{resource['resourceType']}/{identifier}"


def day(value: Any) -> str | None:
    """The day of a date or an instant.

    Raises
    ------
    TypeError
        If it is no text: a birth or a death must not be passed over as if not given.
    """
    if value is not None and not isinstance(value, str):
        raise TypeError("a day is text")
    # The day in the record's own offset: the day on the nurse's wall. A month or a year alone
    # goes along as it is, and is refused with that reason where a day is needed.
    return value[:10] if value else None


def period_day(resource: Resource, name: str, end: str = "start") -> str | None:
    """The first (or last) day of a period, such as ``effectivePeriod``."""
    period = resource.get(name + "Period") or resource.get(name)
    return day(period.get(end)) if isinstance(period, dict) else None


def coding(concept: Any) -> tuple[str | None, str | None, str | None]:
    """System, code and text; the first coding that has both, else the text."""
    if not isinstance(concept, dict):
        return None, None, None
    text = concept.get("text")
    for coding in concept.get("coding", ()):
        code = coding.get("code")
        if code is not None:
            return coding.get("system"), code, coding.get("display") or text
    return None, None, text


def partial_day(value: Any) -> tuple[str | None, str | None]:
    """A birth date as the middle of what is known of it, and how precisely it is known.

    >>> partial_day("1980"), partial_day("1980-02"), partial_day("1980-02-03")
    (('1980-07-01', 'year'), ('1980-02-15', 'month'), ('1980-02-03', 'day'))
    """
    value = day(value)
    if value is None:
        return None, None
    if len(value) == 4:
        return f"{value}-07-01", "year"
    if len(value) == 7:
        return f"{value}-15", "month"
    return value, "day"


def phone(resource: Resource) -> str | None:
    """The first telephone number."""
    for contact in resource.get("telecom", ()):
        if contact.get("system") in ("phone", "sms"):
            value: str | None = contact.get("value")
            return value
    return None


def language(resource: Resource) -> str | None:
    """The first language spoken."""
    spoken = resource.get("communication")
    return coding(spoken[0].get("language"))[1] if spoken else None


def minutes(period: Any) -> float | None:
    """The length of a period, where both ends are known and it can be kept."""
    if not isinstance(period, dict) or "start" not in period or "end" not in period:
        return None
    try:
        start = datetime.fromisoformat(period["start"])
        minutes = (datetime.fromisoformat(period["end"]) - start).total_seconds() / 60
    except (TypeError, ValueError):
        return None
    return minutes if 0 <= minutes <= MAX_MINUTES else None


def has_value(part: Resource) -> bool:
    """Whether an observation or component has a value that the register can keep."""
    return any(value in part for value in _VALUES)


_VALUES = (
    "valueQuantity", "valueCodeableConcept", "valueString", "valueInteger", "valueBoolean",
)  # fmt: skip


def value(part: Resource) -> tuple[float | None, str | None, str | None]:
    """Number, unit and coded answer of an observation or one of its components."""
    quantity = part.get("valueQuantity")
    if quantity is not None:
        # A comparator (`<5`) is a bound, not a measurement; it is kept as the answer.
        if quantity.get("comparator"):
            return None, None, f"{quantity['comparator']}{quantity.get('value')}"
        return quantity.get("value"), quantity.get("code") or quantity.get("unit"), None
    concept = part.get("valueCodeableConcept")
    if concept is not None:
        _, code, text = coding(concept)
        return None, None, code or text
    if "valueInteger" in part:
        return part["valueInteger"], None, None
    if "valueBoolean" in part:
        return None, None, "yes" if part["valueBoolean"] else "no"
    return None, None, part.get("valueString")
