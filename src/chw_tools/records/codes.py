"""Codes as types: a code is always a pair of system and code.

The code alone is never a key: ``2106-3`` is a pregnancy test in LOINC and a race
in a CDC list.
"""

from __future__ import annotations

from typing import NamedTuple

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
CVX = "http://hl7.org/fhir/sid/cvx"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
UCUM = "http://unitsofmeasure.org"
#: Codes of this project's own, for what no public system names.
CHW = "urn:chw-tools:code"
#: Danger signs, one code each, valued ``yes`` or ``no``.
DANGER_SIGN = "urn:chw-tools:danger-sign"
#: Symptoms and home care, asked where they decide something.
SYMPTOM = "urn:chw-tools:symptom"


class Code(NamedTuple):
    """A code with the system that gives it meaning.

    >>> Code(LOINC, "8480-6")
    Code(system='http://loinc.org', code='8480-6')
    """

    system: str
    code: str
