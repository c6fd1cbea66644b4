"""Write docs/guidelines/immunisation_cases.md: the schedule engine on 745 cases of the CDC.

Reads the test cases and the CDC's own schedule, which are not part of this project:
``python scripts/write_immunisation_cases.py FOLDER``. The engine is given the schedule files
alone; no case is looked at to build it.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from cdc_schedule import read_cdc_schedule

from chw_tools.programme.immunisation import VaccineSchedule
from chw_tools.recommendations.immunisation import Given, NextDose, Person, next_dose

PAGE = Path(__file__).resolve().parent.parent / "docs" / "guidelines" / "immunisation_cases.md"
CASES = "cdsi_testcases_2013_2017.json"
STATUSES = {"Not Complete": "not_complete", "Complete": "complete", "Aged Out": "aged_out"}
#: Antigens of a vaccine group, where it is not one of the same name.
ANTIGENS = {
    "DTaP": ("Diphtheria", "Tetanus", "Pertussis"),
    "MMR": ("Measles", "Mumps", "Rubella"),
    "POL": ("Polio",),
    "Rota": ("Rotavirus",),
    "PCV": ("Pneumococcal",),
    "Flu": ("Influenza",),
    "Var": ("Varicella",),
}
MEDICAL, CUT, WHOLE = "medical", "cut", "whole"
#: Why a whole case has another day, by its group; each case that differs must have one.
WHY = {
    "HPV": "the cases of 2013 recommend doses 2 and 3 by an age; in the schedule files (2016) "
    "these doses have no recommended age, only intervals, and the day follows from them",
    "Flu": "the cases name the season of their year; the schedule files recommend doses between "
    "1 July 2015 and 30 June 2016 alone",
    "MMR": "three single vaccines were given on one day and the case holds two of them, so that "
    "the third disease is due at once",
}

Case = dict[str, Any]


class Found(NamedTuple):
    """One case: whether it can be judged, and whether status, day and doses are the same."""

    id: str
    year: str
    group: str
    kind: str
    same_status: bool
    same_day: bool
    n_doses: int
    n_doses_same: int


def kind_of(case: Case) -> str:
    """Whether a case is whole, cut, or rests on a medical history."""
    doses = case["history"]
    named = any("Date Administered" not in dose for dose in doses)
    if named or case["series_status"] not in STATUSES:
        return MEDICAL
    # The day of assessment is that of the last dose: where it is later, a dose is missing.
    is_cut = len(doses) >= 2 and doses[-1]["Date Administered"] < case["assessment_date"]
    return CUT if is_cut else WHOLE


def assessed(case: Case, schedule: VaccineSchedule) -> list[NextDose]:
    """Where the child of a case stands against each antigen of its group."""
    group = case["vaccine_group"]
    history = [
        Given(date.fromisoformat(dose["Date Administered"]), dose["CVX"], dose["MVX"])
        for dose in case["history"]
    ]
    person = Person(date.fromisoformat(case["dob"]), case["sex"])
    day = date.fromisoformat(case["assessment_date"])
    found = [
        next_dose(antigen, history, person=person, schedule=schedule, as_of=day)
        for antigen in ANTIGENS.get(group, (group,))
    ]
    return [one for one in found if one is not None]


def of_group(found: Sequence[NextDose], *, together: bool) -> tuple[str, date | None]:
    """A group of antigens is due when the first of them is; one vaccine holds them all."""
    due = [one for one in found if one.status == "not_complete"]
    if not due:
        is_out = any(one.status == "aged_out" for one in found)
        return ("aged_out" if is_out else "complete"), None
    day = min(one.due_on for one in due if one.due_on)
    if together:
        day = max([day, *(one.earliest_on for one in due if one.earliest_on)])
    return "not_complete", day


def expected_of(case: Case) -> tuple[str, date | None]:
    """Status and day that a case expects."""
    day = re.search(r"on (\d{4}-\d\d-\d\d)", case["expected"])
    return STATUSES[case["series_status"]], date.fromisoformat(day[1]) if day else None


def judge(case: Case, schedule: VaccineSchedule) -> Found:
    """One case against the engine."""
    group, kind = case["vaccine_group"], kind_of(case)
    held = (case["id"], case["id"][:4], group, kind)
    if kind == MEDICAL:
        return Found(*held, False, False, 0, 0)
    found = assessed(case, schedule)
    got, wanted = of_group(found, together=group == "MMR"), expected_of(case)
    # Vaccines against another disease of the group are not judged by the first antigen.
    doses = found[0].judged if len(found[0].judged) == len(case["history"]) else ()
    valid = [given["Evaluation Status"].lower() == "valid" for given in case["history"]]
    same = sum((d.judgement == "valid") == v for d, v in zip(doses, valid, strict=False))
    return Found(*held, got[0] == wanted[0], got == wanted, len(doses), same)


def with_one_dose_more(case: Case) -> Case:
    """A cut case with the vaccine last given on the day of assessment too: a guess."""
    last = {**case["history"][-1], "Date Administered": case["assessment_date"]}
    return {**case, "history": [*case["history"], last]}


def page(folder: Path) -> str:
    """The page."""
    schedule = read_cdc_schedule(folder / "schedule")
    cases: list[Case] = json.loads((folder / CASES).read_text(encoding="utf-8"))
    found = [judge(case, schedule) for case in cases]
    guessed = [judge(with_one_dose_more(c), schedule) for c in cases if kind_of(c) == CUT]
    groups = sorted({one.group for one in found})
    years = sorted({one.year for one in found})
    whole, cut = ([one for one in found if one.kind == kind] for kind in (WHOLE, CUT))
    status, day = _count(whole, "same_status"), _count(whole, "same_day")
    lines = [
        _INTRODUCTION.format(
            n=len(found),
            years=", ".join(years),
            medical=sum(one.kind == MEDICAL for one in found),
            cut=len(cut),
            whole=len(whole),
            status=status,
            day=day,
            percent=f"{100 * day / len(whole):.1f}",
            other=_percent([one for one in whole if one.group not in ("HPV", "Flu")]),
        ),
        "## Result by year and vaccine group",
        "",
        "| Year | Group | Cases | Medical history | Cut | Whole | Status | Status and day |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(year, group, found) for year in years for group in groups),
        _row("", "**all**", found, every=True),
        "",
        "## Each difference",
        "",
        "| Group | Cases | Why |",
        "|---|---|---|",
    ]
    wrong = [one for one in whole if not one.same_day]
    for group in dict.fromkeys(one.group for one in wrong):
        ids = ", ".join(one.id.partition("-")[2] for one in wrong if one.group == group)
        lines.append(f"| {group} | {ids} | {WHY.get(group, 'NOT EXPLAINED')} |")
    lines += ["", _DOSES.format(whole=_doses(whole), cut=_doses(cut)), ""]
    lines.append(
        _GUESS.format(
            n=len(guessed),
            status=_count(guessed, "same_status"),
            day=_count(guessed, "same_day"),
        )
    )
    return "\n".join(lines)


def _count(found: Iterable[Found], name: str) -> int:
    return sum(getattr(one, name) for one in found)


def _percent(found: Sequence[Found]) -> str:
    return f"{_count(found, 'same_day')} of {len(found)}"


def _doses(found: Sequence[Found]) -> str:
    return f"{_count(found, 'n_doses_same')} of {_count(found, 'n_doses')}"


def _row(year: str, group: str, found: Sequence[Found], *, every: bool = False) -> str:
    mine = [one for one in found if every or (one.year, one.group) == (year, group)]
    kinds = Counter(one.kind for one in mine)
    whole = [one for one in mine if one.kind == WHOLE]
    numbers = (
        len(mine),
        kinds[MEDICAL],
        kinds[CUT],
        len(whole),
        _count(whole, "same_status"),
        _count(whole, "same_day"),
    )
    return f"| {year} | {group} | {' | '.join(map(str, numbers))} |"


_INTRODUCTION = """\
# The schedule engine on the CDC's cases

Written by `python scripts/write_immunisation_cases.py FOLDER` from {n} test cases of the CDC for
clinical decision support (CDSi; public domain; the file in use holds cases of {years} alone) and
the CDC's supporting data of 2016. The engine is given the schedule files alone and nothing was
fitted to the cases. They test dates and intervals; this project's own schedule is WHO's, and it
has no published cases.

Not all cases can be judged, which is decided before anything is computed:

- **{medical} rest on a medical history** (immunity, a contraindication): the engine reads
  doses, ages and sex only, and such a child is for a health centre.
- **{cut} are cut.** The file holds at most two doses of most cases, and the day of assessment is
  that of the last dose: where it is later than the last dose held, one or more are missing.
- **{whole} are whole.** The status (complete, not complete, aged out) is the same in {status}
  of {whole}; status and recommended day in {day} ({percent} %). The goal of 95 % is not reached,
  because two groups differ by edition: without HPV and influenza it is {other}.
"""
_DOSES = """\
## Which doses count

Of the doses that a whole case holds, {whole} are judged as the case says (valid or not); the
three others are HPV, where the cases have a lowest age for dose 2 that the schedule does not.
Of the doses that a cut case holds, {cut} are: what comes later does not change whether they
counted."""
_GUESS = """\
## The cut cases, with a guess

A cut case ends with a dose on the day of assessment, whose vaccine is not held. Guessing that it
was the vaccine last given, and that no other dose is missing, {status} of {n} have the expected
status and {day} the expected day too. A guess proves nothing either way: titles of the cases
name other vaccines and further doses. It stands here so that nobody needs to wonder.
"""


if __name__ == "__main__":
    PAGE.write_text(page(Path(sys.argv[1])), encoding="utf-8")
