"""Each FHIR resource type that the register models, to the rows it becomes.

A function gives nothing where rows were added, else the reason why not.

Source: HL7 FHIR R4 (4.0.1), https://hl7.org/fhir/R4/resourcelist.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chw_tools.errors import PopulationMixed
from chw_tools.exchange.fhir_context import NOT_MODELLED, WITHDRAWN, put
from chw_tools.exchange.fhir_elements import (
    coding,
    day,
    has_value,
    language,
    minutes,
    own_id,
    partial_day,
    period_day,
    phone,
    value,
)

if TYPE_CHECKING:
    from chw_tools.exchange.fhir_context import Context
    from chw_tools.exchange.fhir_elements import Resource

#: Encounter.class (HL7 v3 ActCode) to where a visit took place.
VISIT_KINDS = {
    "AMB": "facility", "HH": "home", "FLD": "home", "VR": "phone", "EMER": "emergency",
    "IMP": "inpatient", "ACUTE": "inpatient", "NONAC": "inpatient", "SS": "facility",
    "OBSENC": "facility", "PRENC": "facility",
}  # fmt: skip
#: Encounters that did not take place, or not yet.
NOT_HELD = {"planned", "cancelled", "arrived", "triaged"}
MEDICATION_STATUS = {
    "active": "active", "on-hold": "active", "stopped": "stopped", "completed": "completed",
    "ended": "stopped", "intended": "unknown", "draft": "unknown", "unknown": "unknown",
}  # fmt: skip
#: NUCC health care provider taxonomy: community health worker.
CHW_ROLE = "172V00000X"
#: Marks, within a Patient, of data that no living person stands behind.
SIMULATED_SYSTEM = "https://github.com/synthetichealth/synthea"
TEST_DATA_TAG = "HTEST"


def is_simulated(patient: Resource) -> bool:
    """Whether a Patient says of itself that no living person stands behind it.

    Source: HL7 v3 ActReason ``HTEST`` (test health data); Synthea's identifier system.
    """
    systems = {identifier.get("system") for identifier in patient.get("identifier", ())}
    tags = {tag.get("code") for tag in (patient.get("meta") or {}).get("tag", ())}
    return SIMULATED_SYSTEM in systems or TEST_DATA_TAG in tags


def read_patient(resource: Resource, at: str, context: Context) -> str | None:
    """A Patient becomes a person."""
    if context.population == "real" and is_simulated(resource):
        raise PopulationMixed(
            "A simulated person stands among records given as those of real people.",
            where=at,
            cure="Import simulated records into a store of their own, as simulated.",
        )
    born_on, precision = partial_day(resource.get("birthDate"))
    died_on, _ = partial_day(resource.get("deceasedDateTime"))
    if resource.get("deceasedBoolean") not in (None, True, False):
        raise TypeError("whether somebody has died is true or false")
    if resource.get("deceasedBoolean") is True:
        # Dead for certain by the day the record was last changed.
        died_on = day(resource.get("meta", {}).get("lastUpdated"))
        if died_on is None:
            return "the person has died, but no day of death is given"
    names: list[Resource] = resource.get("name") or [{}]
    name = next((n for n in names if n.get("use") in ("official", "usual")), names[0])
    given = name.get("given")
    row = (
        own_id(resource),
        " ".join(given) if given else None,
        name.get("family") or name.get("text"),
        resource.get("gender", "unknown"),
        born_on,
        precision,
        phone(resource),
        language(resource),
        died_on,
        born_on,
        at,
    )
    put(context, "people", row)
    return None


def read_encounter(resource: Resource, at: str, context: Context) -> str | None:
    """An Encounter becomes a visit."""
    status = resource.get("status")
    if status == "entered-in-error":
        return WITHDRAWN
    if status in NOT_HELD:
        return f"{NOT_MODELLED}: {status}"
    visited_on = period_day(resource, "period")
    code: str = (resource.get("class") or {}).get("code", "")
    workers = [
        reference
        for participant in resource.get("participant", ())
        if (reference := context.reference(participant.get("individual"), "Practitioner"))
        in context.workers
    ]
    row = (
        own_id(resource),
        context.reference(resource.get("subject"), "Patient"),
        workers[0] if workers else None,
        _place(resource, context),
        visited_on,
        VISIT_KINDS.get(code, code or None),
        "seen",
        minutes(resource.get("period")),
        visited_on,
        at,
    )
    put(context, "visits", row)
    return None


def _place(resource: Resource, context: Context) -> str | None:
    provider = context.reference(resource.get("serviceProvider"), "Organization")
    if provider is not None:
        return provider
    for place in resource.get("location", ()):
        reference = context.reference(place.get("location"), "Location")
        if reference is not None:
            return reference
    return None


def read_observation(resource: Resource, at: str, context: Context) -> str | None:
    """An Observation becomes a row for its value and for each component's."""
    status = resource.get("status")
    if status == "entered-in-error":
        return WITHDRAWN
    if status in ("cancelled", "registered"):
        return f"{NOT_MODELLED}: {status}"
    own = own_id(resource)
    observed_on = (
        day(resource.get("effectiveDateTime"))
        or day(resource.get("effectiveInstant"))
        or period_day(resource, "effective")
    )
    about = (
        context.reference(resource.get("subject"), "Patient"),
        context.reference(resource.get("encounter"), "Encounter"),
    )
    known_on = day(resource.get("issued")) or observed_on
    parts = [(own, resource)] if has_value(resource) else []
    seen: dict[str, int] = {}
    for component in resource.get("component", ()):
        if has_value(component):
            code = str(coding(component.get("code"))[1])
            seen[code] = seen.get(code, 0) + 1
            suffix = code if seen[code] == 1 else f"{code}~{seen[code]}"
            parts.append((own and f"{own}#{suffix}", component))
    rows = []
    for key, part in parts:
        system, code_, display = coding(part.get("code"))
        number, unit, answer = value(part)
        rows.append(
            (key, *about, system, code_, number, unit, answer, observed_on, known_on, at, display)
        )
    # All rows of a resource or none: a fault in the last component must not keep the first.
    for row in rows:
        put(context, "observations", row)
    if rows:
        return None
    if resource.get("hasMember"):
        return f"{NOT_MODELLED}: panel of other observations"
    return "it holds no value that the register can keep"


def read_condition(resource: Resource, at: str, context: Context) -> str | None:
    """A Condition becomes a condition."""
    verification = coding(resource.get("verificationStatus"))[1]
    if verification == "entered-in-error":
        return WITHDRAWN
    if verification == "refuted":
        return f"{NOT_MODELLED}: refuted"
    system, code, display = coding(resource.get("code"))
    recorded = day(resource.get("recordedDate"))
    # A condition known since a year or a month counts from its middle, as births do.
    onset, _ = partial_day(day(resource.get("onsetDateTime")) or period_day(resource, "onset"))
    over, _ = partial_day(
        day(resource.get("abatementDateTime")) or period_day(resource, "abatement", "end")
    )
    row = (
        own_id(resource),
        context.reference(resource.get("subject"), "Patient"),
        context.reference(resource.get("encounter"), "Encounter"),
        system,
        code,
        onset,
        over,
        recorded or onset,
        at,
        display,
    )
    put(context, "conditions", row)
    return None


def read_medication(resource: Resource, at: str, context: Context) -> str | None:
    """A MedicationRequest or MedicationStatement becomes a medicine."""
    status = resource.get("status", "unknown")
    if status == "entered-in-error":
        return WITHDRAWN
    if status in ("cancelled", "not-taken"):
        return f"{NOT_MODELLED}: {status}"
    concept = resource.get("medicationCodeableConcept") or _medicine(resource, context)
    system, code, display = coding(concept)
    if code is None and resource.get("medicationReference"):
        return "it names its medicine by a reference that leads nowhere"
    started = (
        day(resource.get("effectiveDateTime"))
        or period_day(resource, "effective")
        or day(resource.get("authoredOn"))
    )
    row = (
        own_id(resource),
        context.reference(resource.get("subject"), "Patient"),
        context.reference(resource.get("encounter") or resource.get("context"), "Encounter"),
        system,
        code,
        started,
        period_day(resource, "effective", "end"),
        MEDICATION_STATUS.get(status, status),
        day(resource.get("authoredOn")) or day(resource.get("dateAsserted")) or started,
        at,
        display,
    )
    put(context, "medications", row)
    return None


def _medicine(resource: Resource, context: Context) -> Any:
    node = resource.get("medicationReference")
    text = node.get("reference") if isinstance(node, dict) else None
    if isinstance(text, str) and text.startswith("#"):
        contained = resource.get("contained", ())
        return next((part.get("code") for part in contained if part.get("id") == text[1:]), None)
    return context.medicines.get(context.reference(node, "Medication") or "")


def read_immunisation(resource: Resource, at: str, context: Context) -> str | None:
    """An Immunization becomes a dose."""
    status = resource.get("status")
    if status == "entered-in-error":
        return WITHDRAWN
    if status == "not-done":
        return f"{NOT_MODELLED}: not-done"
    system, code, display = coding(resource.get("vaccineCode"))
    given_on = day(resource.get("occurrenceDateTime"))
    protocol: list[Resource] = resource.get("protocolApplied") or [{}]
    row = (
        own_id(resource),
        context.reference(resource.get("patient"), "Patient"),
        context.reference(resource.get("encounter"), "Encounter"),
        system,
        code,
        given_on,
        protocol[0].get("doseNumberPositiveInt"),
        day(resource.get("recorded")) or given_on,
        at,
        display,
    )
    put(context, "immunisations", row)
    return None


#: Words in a facility's name or type that say what it is, most telling first.
FACILITY_WORDS = (
    ("hospital", "hospital"), ("medical center", "hospital"), ("pharmacy", "pharmacy"),
    ("health post", "health_post"), ("clinic", "health_centre"),
    ("health cent", "health_centre"),
)  # fmt: skip


def read_facility(resource: Resource, at: str, context: Context) -> str | None:
    """An Organization or Location becomes a facility."""
    name = resource.get("name")
    words = (name or "").lower()
    kind = next((kind for word, kind in FACILITY_WORDS if word in words), "other")
    position = resource.get("position") or {}
    row = (
        own_id(resource), name, kind, position.get("latitude"), position.get("longitude"), None,
        at,
    )  # fmt: skip
    put(context, "facilities", row)
    return None


def read_role(resource: Resource, at: str, context: Context) -> str | None:
    """A PractitionerRole becomes a worker, if it is that of a community health worker."""
    if not is_health_worker_role(resource):
        return NOT_MODELLED
    practitioner = resource.get("practitioner")
    started = period_day(resource, "period")
    row = (
        context.reference(practitioner, "Practitioner"),
        practitioner.get("display") if isinstance(practitioner, dict) else None,
        context.reference(resource.get("organization"), "Organization"),
        started,
        period_day(resource, "period", "end"),
        started,
        at,
    )
    put(context, "workers", row)
    return None


def is_health_worker_role(resource: Resource) -> bool:
    """Whether a PractitionerRole is that of a community health worker."""
    for concept in resource.get("code", ()):
        codes = {coding.get("code") for coding in concept.get("coding", ())}
        texts = [concept.get("text"), *(c.get("display") for c in concept.get("coding", ()))]
        said = " ".join(filter(None, texts)).lower()
        if CHW_ROLE in codes or "community health worker" in said:
            return True
    return False
