"""FHIR R4 resources to rows, by a light map of our own: lenient, and fast.

One function per resource type reads what the register has a column for. A resource that
cannot be used is listed with a reason; a type that the register does not model is counted.
Identifiers are FHIR's own literal references (``Patient/17``), so that a reference and the
record it names meet without a look-up. Nothing is validated against the full standard here.

Source: HL7 FHIR R4 (4.0.1), https://hl7.org/fhir/R4/.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from chw_tools.exchange.fhir_context import COLUMNS, NOT_MODELLED, Context
from chw_tools.exchange.fhir_elements import Resource
from chw_tools.exchange.fhir_resources import (
    is_health_worker_role,
    read_condition,
    read_encounter,
    read_facility,
    read_immunisation,
    read_medication,
    read_observation,
    read_patient,
    read_role,
)

__all__ = [
    "COLUMNS",
    "MAPPERS",
    "REFERRED_TO",
    "TABLE_OF",
    "Context",
    "add_resource",
    "note_beforehand",
]

#: Names of resource types: the longest of R4 has 35 letters.
_TYPE_NAME = re.compile(r"[A-Z][A-Za-z]{1,63}")


def add_resource(resource: Any, at: str, context: Context) -> None:
    """Read one resource into the context: rows, a refusal, or a count.

    ``at`` is the place of the resource, shown to whoever mends it.
    """
    if not _is_resource(resource):
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
        reason = NOT_MODELLED if mapper is None else mapper(resource, at, context)
    except (AttributeError, TypeError, KeyError, IndexError, ValueError):
        # Lenient on purpose: any element of the wrong shape, anywhere in the resource.
        reason = "an element has another shape than FHIR R4 says"
    if reason is None:
        return
    if reason.startswith(NOT_MODELLED):
        _not_modelled(resource, kind + reason.removeprefix(NOT_MODELLED), at, context)
        return
    table = TABLE_OF.get(kind, "")
    context.gathered.reject(
        table, at, reason, cure="Mend the record at its source and import it again.", body=resource
    )


def _is_resource(resource: Any) -> bool:
    # The name of the type is shown in the report: it must be a name, and nothing else.
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    return isinstance(kind, str) and _TYPE_NAME.fullmatch(kind) is not None


def _not_modelled(resource: Resource, kind: str, at: str, context: Context) -> None:
    context.gathered.count(resource["resourceType"], "not_modelled")
    if kind != resource["resourceType"]:
        context.gathered.count(kind, "unmodelled_kind")
    if context.keep_unmodelled:
        context.gathered.unmodelled.append(
            {"file": context.file, "at": at, "type": resource["resourceType"], "body": resource}
        )


def note_beforehand(resource: Resource, context: Context) -> None:
    """Remember what other resources of the file refer to: medicines and health workers."""
    try:
        _note_beforehand(resource, context)
    except (AttributeError, TypeError):
        return  # refused with its place when it is read itself


def _note_beforehand(resource: Resource, context: Context) -> None:
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
    "Patient": read_patient,
    "Encounter": read_encounter,
    "Observation": read_observation,
    "Condition": read_condition,
    "MedicationRequest": read_medication,
    "MedicationStatement": read_medication,
    "Immunization": read_immunisation,
    "Organization": read_facility,
    "Location": read_facility,
    "PractitionerRole": read_role,
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
