"""A starter mapping for unknown files: what each column may be, by its name and its kind.

The text holds names of columns and kinds of values, never a value. What is only a guess stands
as a comment, for somebody who knows the file to confirm.

Examples
--------
>>> recognise("BPSysAve"), recognise("Gender"), recognise("Favourite colour")
('systolic_mmhg', 'sex', '')
"""

from __future__ import annotations

import re
from itertools import islice, pairwise
from typing import TYPE_CHECKING

import pandas as pd

from chw_tools.errors import FileFault, NothingToRead
from chw_tools.exchange.archives import list_files, stem
from chw_tools.exchange.csv_files import read_csv, read_parquet
from chw_tools.records import load_catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from chw_tools.exchange.archives import SourceFile

#: Rows looked at to tell the kind of a column.
SAMPLE_ROWS = 2_000
#: A column of at most this many different values is a choice.
MOST_CHOICES = 12

#: What a column's name may begin with or be, once in lower case without signs.
WORDS: dict[str, tuple[str, ...]] = {
    "person": ("personid", "patientid", "patientno", "clientid", "memberid", "seqn", "id", "mrn"),
    "sex": ("sex", "gender"),
    "born_on": ("dateofbirth", "birthdate", "dob", "born", "birthday"),
    "age": ("ageyears", "age"),
    "as_of": (
        "visitdate",
        "dateofvisit",
        "visitedon",
        "observedon",
        "examdate",
        "date",
        "visitday",
    ),
    "education": ("education", "schooling"),
    "given_name": ("firstname", "givenname", "patientname", "clientname", "fullname"),
    "family_name": ("lastname", "surname", "familyname"),
    "phone": ("phone", "telephone", "mobile"),
    "systolic_mmhg": ("systolic", "sbp", "bpsys", "sysbp"),
    "diastolic_mmhg": ("diastolic", "dbp", "bpdia", "diabp"),
    "heart_rate_per_min": ("heartrate", "pulse"),
    "respiratory_rate_per_min": ("respiratoryrate", "resprate", "breaths"),
    "temperature_celsius": ("temperature", "bodytemp", "temp"),
    "oxygen_saturation_percent": ("spo2", "oxygensaturation"),
    "weight_kg": ("weight",),
    "height_cm": ("height",),
    "bmi": ("bmi", "bodymassindex"),
    "muac_cm": ("muac", "midupperarm"),
    "waist_cm": ("waist",),
    "haemoglobin_g_dl": ("haemoglobin", "hemoglobin", "hgb"),
    "hba1c_percent": ("hba1c", "a1c"),
    "fasting_glucose_mmol_l": ("fastingglucose", "fbs", "fpg"),
    "glucose_mmol_l": ("glucose", "bloodsugar", "rbs"),
    "cholesterol_mmol_l": ("totalcholesterol", "totchol", "cholesterol"),
    "hdl_mmol_l": ("hdl", "directchol"),
    "tobacco": ("tobacco", "smoker", "currentsmoker"),
    "general_health": ("generalhealth", "genhlth", "healthgen"),
    "sleep_hours": ("sleephours", "sleephrs"),
    "I10": ("hypertension", "highbp", "htn"),
    "diabetes": ("diabetes", "diabetic"),
    "I64": ("stroke",),
    "J45": ("asthma",),
}
#: Columns that look like one of the above by their beginning, and are not.
NOT_THESE = ("bmicat", "bmiwho", "diabetesage", "weightcat", "agemonths", "smokeage")

_EACH_ROW = (
    "person = { row_number = true }   # each row another person; else the column with the "
    "person's number"
)
#: How the heads of columns write a unit, beside its UCUM letters.
_ALSO_WRITTEN = {
    "[lb_av]": ("lb", "lbs", "pounds"),
    "[in_i]": ("inch", "inches"),
    "[degF]": ("f", "fahrenheit"),
}

DAY_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y/%m/%d", "%d %b %Y")


def recognise(column: str) -> str:
    """What a column may be, by its name alone; nothing where it says nothing."""
    bare = re.sub(r"[^a-z0-9]", "", column.lower())
    if bare.startswith(NOT_THESE):
        return ""
    for what, words in WORDS.items():
        if bare in words:
            return what
    for what, words in WORDS.items():
        if any(len(word) > 2 and bare.startswith(word) for word in words):
            return what
    return bare if bare in load_catalogue().entries else ""


def unit_in(column: str, units: Iterable[str]) -> str:
    """The unit that a column's head names; nothing where it names none.

    A glucose of 98 mg/dL taken for mmol/L is a possible value and a wrong one.

    >>> unit_in("RBS mg/dl", ("mmol/L", "mg/dL")), unit_in("Weight in kg", ("kg", "g"))
    ('mg/dL', 'kg')
    """
    words = re.findall(r"[a-z]+", column.lower())
    said = set(words) | {first + second for first, second in pairwise(words)}
    for unit in units:
        written = (re.sub(r"[^a-z]", "", unit.lower()), *_ALSO_WRITTEN.get(unit, ()))
        if said.intersection(written):
            return unit
    return ""


def kind_of(values: pd.Series) -> tuple[str, str]:
    """The kind of a column's values, and the format where they are days.

    Returns
    -------
    tuple of str
        ``day``, ``number``, ``choice``, ``text`` or ``empty``; and the format of a day.
    """
    known = values.dropna()
    if known.empty:
        return "empty", ""
    if pd.api.types.is_datetime64_any_dtype(known):
        return "day", DAY_FORMATS[0]
    text = known.astype("str")
    for form in DAY_FORMATS:
        if pd.to_datetime(text, format=form, errors="coerce").notna().all():
            return "day", form
    if pd.to_numeric(text, errors="coerce").notna().all():
        return "number", ""
    return ("choice" if text.nunique() <= MOST_CHOICES else "text"), ""


def suggest_mapping(path: Path) -> str:
    """The text of a starter mapping for the CSV and Parquet files at a path.

    Raises
    ------
    NothingToRead
        If there is no such file.
    """
    parts = []
    for file in list_files(path):
        if file.ending in (".csv", ".tsv", ".parquet"):
            sample = _sample(file)
            if sample is not None:
                parts.append("\n".join(_of_file(file, sample)))
    if not parts:
        raise NothingToRead(
            "There is no CSV or Parquet file to map.",
            where=str(path),
            cure="FHIR files need no mapping.",
        )
    head = (
        "# A starter, from the names and kinds of the columns: check every line.\n"
        "# Lines that begin with # do nothing yet. Tables and columns: docs/data_dictionary.md.\n\n"
        f'source = "{stem(path)}"\n'
        'population = "real"   # or "simulated"; the two never share a store\n'
    )
    return head + "\n" + "\n\n".join(parts) + "\n"


def _sample(file: SourceFile) -> pd.DataFrame | None:
    reader = read_parquet(file) if file.ending == ".parquet" else read_csv(file, _ignore)
    try:
        frames = list(islice(reader, 1))
    except FileFault:
        return None
    return frames[0].head(SAMPLE_ROWS) if frames else None


def _ignore(at: str, reason: str, text: str) -> None:
    """A bad line says nothing about the columns; the import itself lists it."""


def _of_file(file: SourceFile, sample: pd.DataFrame) -> Iterator[str]:
    kinds = {str(column): kind_of(sample[column]) for column in sample}
    found = _found(kinds)
    used = set(found.values())
    yield "[[file]]"
    yield f"name = {_quoted(file.name.rsplit('/', 1)[-1])}"
    person = found.pop("person", "")
    # One row for each person, or the file has no column that tells persons apart.
    yield f"person = {_quoted(person)}" if person else _EACH_ROW
    yield from _as_of(found.pop("as_of", ""), kinds)
    yield from _people(found, kinds)
    for what, column in found.items():
        yield from _content(what, column, kinds[column][0])
    for column, (kind, _) in kinds.items():
        if column not in used and recognise(column) != "as_of":
            yield f"# not used: {_quoted(column)} ({kind})"


def _found(kinds: dict[str, tuple[str, str]]) -> dict[str, str]:
    """The first column for each thing that is recognised and of a kind that fits."""
    found: dict[str, str] = {}
    entries = load_catalogue().entries
    for column, (kind, _) in kinds.items():
        what = recognise(column)
        is_number = what in entries and entries[what].kind == "number"
        fits = kind != "empty" and (kind == "number" if is_number or what == "age" else True)
        fits = fits and (what not in ("as_of", "born_on") or kind == "day")
        if what and fits and what not in found:
            found[what] = column
    return found


def _as_of(column: str, kinds: dict[str, tuple[str, str]]) -> Iterator[str]:
    if not column:
        yield "# as_of = 2024-12-31   # the file carries no day: state the one it speaks of"
        return
    yield f"as_of = {_day(column, kinds[column][1])}"


def _day(column: str, form: str) -> str:
    if form == DAY_FORMATS[0]:
        return _quoted(column)
    check = "   # check which is the day and which the month" if form in DAY_FORMATS[1:3] else ""
    return f"{{ column = {_quoted(column)}, format = {_quoted(form)} }}{check}"


def _people(found: dict[str, str], kinds: dict[str, tuple[str, str]]) -> Iterator[str]:
    yield ""
    yield "[file.people]"
    sex = found.pop("sex", "")
    said = _quoted(sex) if sex else '{ constant = "unknown" }'
    yield f"sex = {said}   # female, male, other, unknown; else translate by values = {{ }}"
    born, age = found.pop("born_on", ""), found.pop("age", "")
    if born:
        yield f"born_on = {_day(born, kinds[born][1])}"
    elif age:
        yield f"born_on = {{ age = {_quoted(age)} }}   # years on as_of"
    for name in ("given_name", "family_name", "phone"):
        if name in found:
            yield f"{name} = {_quoted(found.pop(name))}"
    if "education" in found:
        column = _quoted(found.pop("education"))
        yield "# none, primary, secondary or higher:"
        yield f"# education = {{ column = {column}, values = {{ }} }}"
    yield ""


def _content(what: str, column: str, kind: str) -> Iterator[str]:
    entry = load_catalogue().entries.get(what)
    if entry is not None:
        yield "[[file.observations]]"
        yield f"name = {_quoted(what)}"
        yield f"column = {_quoted(column)}"
        if entry.kind == "number":
            unit = unit_in(column, (entry.unit, *entry.units)) or entry.unit
            others = ", ".join(one for one in (entry.unit, *entry.units) if one != unit)
            yield f"unit = {_quoted(unit)}" + (f"   # or {others}: check" if others else "")
        else:
            yield f"values = {{ }}   # to {', '.join(entry.allowed)}"
    elif what == "diabetes":
        yield "# [[file.outcomes]]"
        yield '# outcome = "diabetes"'
        yield f'# positive = [[{_quoted(column)}, "==", ...]]'
        yield f'# negative = [[{_quoted(column)}, "==", ...]]'
    else:
        yield "# [[file.conditions]]"
        yield f"# code = {_quoted(what)}"
        yield f'# when = [[{_quoted(column)}, "==", ...]]   # {kind}'
    yield ""


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", " ", escaped) + '"'
