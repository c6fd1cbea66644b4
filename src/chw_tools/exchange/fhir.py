"""FHIR R4 resources to rows, by a light map of our own: lenient, and fast.

One function per resource type reads what the register has a column for. A resource that
cannot be used is listed with a reason; a type that the register does not model is counted.
Identifiers are FHIR's own literal references (``Patient/17``), so that a reference and the
record it names meet without a look-up. Nothing is validated against the full standard here.

Source: HL7 FHIR R4 (4.0.1), https://hl7.org/fhir/R4/.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from chw_tools.errors import PopulationMixed
from chw_tools.exchange.fhir_elements import (
    Resource,
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
    from chw_tools.exchange.rows import Gathered

#: Columns of the tuples that each map appends. ``at`` is the place, ``display`` the code's text.
COLUMNS: dict[str, tuple[str, ...]] = {
    "facilities": ("id", "name", "kind", "latitude", "longitude", "known_on", "at"),
    "workers": ("id", "name", "facility_id", "started_on", "ended_on", "known_on", "at"),
    "people": (
        "id", "given_name", "family_name", "sex", "born_on", "born_precision", "phone",
        "language", "died_on", "known_on", "at",
    ),
    "visits": (
        "id", "person_id", "worker_id", "facility_id", "visited_on", "kind", "outcome",
        "minutes", "known_on", "at",
    ),
    "observations": (
        "id", "person_id", "visit_id", "system", "code", "value_number", "unit", "value_code",
        "observed_on", "known_on", "at", "display",
    ),
    "conditions": (
        "id", "person_id", "visit_id", "system", "code", "onset_on", "resolved_on", "known_on",
        "at", "display",
    ),
    "medications": (
        "id", "person_id", "visit_id", "system", "code", "started_on", "ended_on", "status",
        "known_on", "at", "display",
    ),
    "immunisations": (
        "id", "person_id", "visit_id", "system", "code", "given_on", "dose_number", "known_on",
        "at", "display",
    ),
}  # fmt: skip

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

WITHDRAWN = "the source marks it as entered in error"


class Context:
    """What is known while the resources of one file are read.

    Parameters
    ----------
    gathered : Gathered
        Where rows and refusals go.
    population : str
        ``real`` or ``simulated``, as the records were given.
    keep_unmodelled : bool
        Whether the body of what is not modelled is kept.
    """

    def __init__(
        self, gathered: Gathered, *, population: str = "real", keep_unmodelled: bool = False
    ) -> None:
        self.gathered = gathered
        self.population = population
        self.keep_unmodelled = keep_unmodelled
        self.file = ""
        self.full_urls: dict[str, str] = {}
        self.medicines: dict[str, Resource] = {}
        self.workers: set[str] = set()

    def reference(self, node: Any, expected: str) -> str | None:
        """The literal reference (``Type/id``) that a Reference element stands for."""
        text = node.get("reference") if isinstance(node, dict) else None
        if not isinstance(text, str) or text.startswith("#"):
            return None
        known = self.full_urls.get(text)
        if known is not None:
            return known
        if text.startswith(("urn:uuid:", "urn:oid:")):
            return f"{expected}/{text.rpartition(':')[2]}"
        if "?" in text:
            return _conditional(text, expected)
        parts = text.split("/_history")[0].rsplit("/", 2)
        return f"{parts[-2]}/{parts[-1]}" if len(parts) > 1 else None


def _conditional(text: str, expected: str) -> str | None:
    # Synthea names providers by the identifier that is also their id.
    kind, _, query = text.partition("?")
    if not query.startswith("identifier="):
        return None
    return f"{kind.rpartition('/')[2] or expected}/{query.rpartition('|')[2].rpartition('=')[2]}"


def add_resource(resource: Any, at: str, context: Context) -> None:
    """Read one resource into the context: rows, a refusal, or a count.

    ``at`` is the place of the resource, shown to whoever mends it.
    """
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        context.gathered.count("(not a resource)", "read")
        context.gathered.reject(
            "", at, "it is not a FHIR resource", cure="Each record needs a resourceType.",
            body=resource,
        )  # fmt: skip
        return
    kind = resource["resourceType"]
    context.gathered.count(kind, "read")
    mapper = MAPPERS.get(kind)
    try:
        reason = _NOT_MODELLED if mapper is None else mapper(resource, at, context)
    except (AttributeError, TypeError, KeyError, IndexError, ValueError):
        # Lenient on purpose: any element of the wrong shape, anywhere in the resource.
        reason = "an element has another shape than FHIR R4 says"
    if reason is None:
        return
    if reason.startswith(_NOT_MODELLED):
        _not_modelled(resource, kind + reason.removeprefix(_NOT_MODELLED), at, context)
        return
    table = TABLE_OF.get(kind, "")
    context.gathered.reject(
        table, at, reason, cure="Mend the record at its source and import it again.", body=resource
    )


_NOT_MODELLED = "not modelled"


def _not_modelled(resource: Resource, kind: str, at: str, context: Context) -> None:
    context.gathered.count(resource["resourceType"], "not_modelled")
    if kind != resource["resourceType"]:
        context.gathered.count(kind, "unmodelled_kind")
    if context.keep_unmodelled:
        context.gathered.unmodelled.append(
            {"file": context.file, "at": at, "type": resource["resourceType"], "body": resource}
        )


def _put(context: Context, table: str, row: tuple[Any, ...]) -> None:
    rows = context.gathered.rows
    if table in rows:
        rows[table].append(row)
    else:
        rows[table] = [row]


def is_simulated(patient: Resource) -> bool:
    """Whether a Patient says of itself that no living person stands behind it.

    Source: HL7 v3 ActReason ``HTEST`` (test health data); Synthea's identifier system.
    """
    systems = {identifier.get("system") for identifier in patient.get("identifier", ())}
    tags = {tag.get("code") for tag in (patient.get("meta") or {}).get("tag", ())}
    return SIMULATED_SYSTEM in systems or TEST_DATA_TAG in tags


def _patient(resource: Resource, at: str, context: Context) -> str | None:
    if context.population == "real" and is_simulated(resource):
        raise PopulationMixed(
            "A simulated person stands among records given as those of real people.",
            where=at,
            cure="Import simulated records into a store of their own, as simulated.",
        )
    born_on, precision = partial_day(resource.get("birthDate"))
    died_on, _ = partial_day(resource.get("deceasedDateTime"))
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
    _put(context, "people", row)
    return None


def _encounter(resource: Resource, at: str, context: Context) -> str | None:
    status = resource.get("status")
    if status == "entered-in-error":
        return WITHDRAWN
    if status in NOT_HELD:
        return f"{_NOT_MODELLED}: {status}"
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
    _put(context, "visits", row)
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


def _observation(resource: Resource, at: str, context: Context) -> str | None:
    status = resource.get("status")
    if status == "entered-in-error":
        return WITHDRAWN
    if status in ("cancelled", "registered"):
        return f"{_NOT_MODELLED}: {status}"
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
        _put(context, "observations", row)
    if rows:
        return None
    if resource.get("hasMember"):
        return f"{_NOT_MODELLED}: panel of other observations"
    return "it holds no value that the register can keep"


def _condition(resource: Resource, at: str, context: Context) -> str | None:
    verification = coding(resource.get("verificationStatus"))[1]
    if verification == "entered-in-error":
        return WITHDRAWN
    if verification == "refuted":
        return f"{_NOT_MODELLED}: refuted"
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
    _put(context, "conditions", row)
    return None


def _medication(resource: Resource, at: str, context: Context) -> str | None:
    status = resource.get("status", "unknown")
    if status == "entered-in-error":
        return WITHDRAWN
    if status in ("cancelled", "not-taken"):
        return f"{_NOT_MODELLED}: {status}"
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
    _put(context, "medications", row)
    return None


def _medicine(resource: Resource, context: Context) -> Any:
    node = resource.get("medicationReference")
    text = node.get("reference") if isinstance(node, dict) else None
    if isinstance(text, str) and text.startswith("#"):
        contained = resource.get("contained", ())
        return next((part.get("code") for part in contained if part.get("id") == text[1:]), None)
    return context.medicines.get(context.reference(node, "Medication") or "")


def _immunisation(resource: Resource, at: str, context: Context) -> str | None:
    status = resource.get("status")
    if status == "entered-in-error":
        return WITHDRAWN
    if status == "not-done":
        return f"{_NOT_MODELLED}: not-done"
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
    _put(context, "immunisations", row)
    return None


#: Words in a facility's name or type that say what it is, most telling first.
FACILITY_WORDS = (
    ("hospital", "hospital"), ("medical center", "hospital"), ("pharmacy", "pharmacy"),
    ("health post", "health_post"), ("clinic", "health_centre"),
    ("health cent", "health_centre"),
)  # fmt: skip


def _facility(resource: Resource, at: str, context: Context) -> str | None:
    name = resource.get("name")
    words = (name or "").lower()
    kind = next((kind for word, kind in FACILITY_WORDS if word in words), "other")
    position = resource.get("position") or {}
    row = (
        own_id(resource), name, kind, position.get("latitude"), position.get("longitude"), None,
        at,
    )  # fmt: skip
    _put(context, "facilities", row)
    return None


def _role(resource: Resource, at: str, context: Context) -> str | None:
    if not is_health_worker_role(resource):
        return _NOT_MODELLED
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
    _put(context, "workers", row)
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


def note_beforehand(resource: Resource, context: Context) -> None:
    """Remember what other resources of the file refer to: medicines and health workers."""
    kind = resource.get("resourceType")
    if kind == "Medication":
        context.medicines[f"Medication/{resource.get('id')}"] = resource.get("code") or {}
    elif kind == "PractitionerRole" and is_health_worker_role(resource):
        worker = context.reference(resource.get("practitioner"), "Practitioner")
        if worker is not None:
            context.workers.add(worker)


#: Types that other resources are resolved by.
REFERRED_TO = frozenset(
    {"Patient", "Encounter", "Organization", "Location", "Practitioner", "PractitionerRole",
     "Medication"}
)  # fmt: skip

Mapper = Callable[[Resource, str, Context], str | None]

MAPPERS: dict[str, Mapper] = {
    "Patient": _patient,
    "Encounter": _encounter,
    "Observation": _observation,
    "Condition": _condition,
    "MedicationRequest": _medication,
    "MedicationStatement": _medication,
    "Immunization": _immunisation,
    "Organization": _facility,
    "Location": _facility,
    "PractitionerRole": _role,
}

#: The table that each modelled type becomes; also the order in which its files are read.
TABLE_OF = {
    "Organization": "facilities",
    "Location": "facilities",
    "PractitionerRole": "workers",
    "Patient": "people",
    "Encounter": "visits",
    "Observation": "observations",
    "Condition": "conditions",
    "MedicationRequest": "medications",
    "MedicationStatement": "medications",
    "Immunization": "immunisations",
}
