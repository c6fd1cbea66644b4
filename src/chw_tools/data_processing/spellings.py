"""What registers write for the same thing: units, answers, code systems, words for nothing.

Only spellings that can mean one thing are listed; whatever is not here goes back to the
sender with a reason. A local vocabulary belongs in the mapping file, not in this module.
"""

from __future__ import annotations

import re

from chw_tools.records.codes import CVX, ICD10, ICD10CM, LOINC, RXNORM, SNOMED

#: Words that say "no value", in typed columns only: in a name column they may be a name.
NOTHING = frozenset({"na", "n/a", "#n/a", "nan", "nat", "null", "none", "nil", "<na>", "-", "."})

#: Words of the two flag values, case folded.
FLAGS: dict[str, bool] = {
    **dict.fromkeys(("true", "t", "yes", "y", "1", "1.0"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0", "0.0"), False),
}

#: Other words for a declared choice, by column.
CHOICES: dict[str, dict[str, str]] = {
    "sex": {"f": "female", "m": "male", "woman": "female", "man": "male", "o": "other",
            "u": "unknown", "unk": "unknown"},
    "status": {"entered-in-error": "unknown", "on-hold": "unknown", "cancelled": "stopped"},
    "kind": {"amb": "facility", "hh": "home", "imp": "inpatient", "acute": "inpatient",
             "emer": "emergency", "vr": "phone", "ambulatory": "facility",
             "health_center": "health_centre", "health center": "health_centre"},
}  # fmt: skip

#: Other names of a code system, case folded. Object identifiers as in HL7's registry.
SYSTEMS: dict[str, str] = {
    "loinc": LOINC,
    "urn:oid:2.16.840.1.113883.6.1": LOINC,
    "snomed": SNOMED,
    "snomed ct": SNOMED,
    "urn:oid:2.16.840.1.113883.6.96": SNOMED,
    "icd10": ICD10,
    "icd-10": ICD10,
    "urn:oid:2.16.840.1.113883.6.3": ICD10,
    "icd10cm": ICD10CM,
    "icd-10-cm": ICD10CM,
    "urn:oid:2.16.840.1.113883.6.90": ICD10CM,
    "cvx": CVX,
    "urn:oid:2.16.840.1.113883.12.292": CVX,
    "rxnorm": RXNORM,
    "urn:oid:2.16.840.1.113883.6.88": RXNORM,
}

#: UCUM for the spellings met in registers, case folded without blanks.
UNITS: dict[str, str] = {
    "mmhg": "mm[Hg]", "mm[hg]": "mm[Hg]", "mm_hg": "mm[Hg]",
    "/min": "/min", "bpm": "/min", "beats/min": "/min", "beats/minute": "/min",
    "{beats}/min": "/min", "{breaths}/min": "/min", "breaths/min": "/min",
    "breaths/minute": "/min", "/minute": "/min", "permin": "/min", "1/min": "/min",
    "cel": "Cel", "c": "Cel", "°c": "Cel", "degc": "Cel", "celsius": "Cel",
    "[degf]": "[degF]", "f": "[degF]", "°f": "[degF]", "degf": "[degF]",
    "fahrenheit": "[degF]",
    "%": "%", "percent": "%", "pct": "%",
    "kg": "kg", "kgs": "kg", "kilogram": "kg", "kilograms": "kg",
    "g": "g", "gram": "g", "grams": "g",
    "[lb_av]": "[lb_av]", "lb": "[lb_av]", "lbs": "[lb_av]", "[lb_us]": "[lb_av]",
    "cm": "cm", "m": "m", "mm": "mm", "centimetre": "cm", "centimeter": "cm",
    "[in_i]": "[in_i]", "in": "[in_i]", "inch": "[in_i]", "inches": "[in_i]",
    "[in_us]": "[in_i]",
    "kg/m2": "kg/m2", "kg/m^2": "kg/m2", "kg/m²": "kg/m2",
    "mmol/l": "mmol/L", "mg/dl": "mg/dL", "g/dl": "g/dL", "gm/dl": "g/dL", "g/l": "g/L",
    "umol/l": "umol/L", "µmol/l": "umol/L", "μmol/l": "umol/L", "micromol/l": "umol/L",
    "d": "d", "day": "d", "days": "d", "h": "h", "hour": "h", "hours": "h",
    "1": "1", "{score}": "{score}", "score": "{score}", "points": "{score}",
    "{points}": "{score}",
}  # fmt: skip

#: Units in which a plain number counts the same thing: a score, a ratio, a pure number.
PURE_UNITS = frozenset({"1", "{score}", ""})

_YES_NO = {"y": "yes", "n": "no", "true": "yes", "false": "no", "1": "yes", "0": "no",
           "1.0": "yes", "0.0": "no", "373066001": "yes", "373067005": "no",
           "la33-6": "yes", "la32-8": "no"}  # fmt: skip
_SIGNS = {"pos": "positive", "neg": "negative", "10828004": "positive", "260385009": "negative",
          "la6576-8": "positive", "la6577-6": "negative", "nil": "negative", "+": "1+",
          "++": "2+", "+++": "3+", "++++": "4+"}  # fmt: skip
#: SNOMED CT findings of the value set "presence in urine" of IHE's antepartum profiles.
_URINE_PROTEIN = {
    "167273002": "negative", "167274008": "trace", "167275009": "1+", "167276005": "2+",
    "167277001": "3+", "167278006": "4+",
}  # fmt: skip
#: SNOMED CT concepts and LOINC answers of the US Core smoking status value set; "unknown if
#: ever smoked" is left out on purpose, since it is no answer.
_TOBACCO = {
    "266919005": "never", "8517006": "former", "449868002": "current", "77176002": "current",
    "428041000124106": "current", "428061000124105": "current", "428071000124103": "current",
    "la18976-3": "current", "la18977-1": "current", "la18978-9": "never", "la15920-4": "former",
    "la18979-7": "current", "la18981-3": "current", "la18982-1": "current",
    "never smoker": "never", "former smoker": "former", "ex-smoker": "former",
    "current smoker": "current", "smoker": "current", "non-smoker": "never",
}  # fmt: skip
_OWN_WORDS = {"tobacco": _TOBACCO, "urine_protein": {**_SIGNS, **_URINE_PROTEIN}}
_ANNOTATION = re.compile(r"\{[^}]*\}")


def answers_for(name: str, allowed: tuple[str, ...]) -> dict[str, str]:
    """Every known spelling of the answers of one observable, case folded.

    >>> answers_for("oedema", ("no", "yes"))["y"]
    'yes'
    """
    known = {word.casefold(): word for word in allowed}
    extra = _OWN_WORDS.get(name, {**_SIGNS, **_YES_NO})
    return {**{said: word for said, word in extra.items() if word in allowed}, **known}


def ucum(unit: str) -> str:
    """The UCUM unit meant by a spelling; one that is not listed comes back as it is.

    >>> ucum("mm Hg"), ucum("µmol/L"), ucum("fathom")
    ('mm[Hg]', 'umol/L', 'fathom')
    """
    folded = unit.casefold().replace(" ", "")
    # An annotation in braces carries no meaning in UCUM (section 2.2, rule 6).
    return UNITS.get(folded) or UNITS.get(_ANNOTATION.sub("", folded)) or unit
