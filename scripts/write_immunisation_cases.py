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

from cdc_schedule import in_season, read_cdc_schedule, season_of

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
MEDICAL, CUT, REBUILT, WHOLE = "medical", "cut", "rebuilt", "whole"
#: Groups that are due anew in each season.
SEASONAL = ("Flu",)
#: Why a whole case has another day, by its group; each case that differs must have one.
WHY = {
    "HPV": "the cases of 2013 recommend doses 2 and 3 by an age (11 years and 2 or 6 months), "
    "and have lowest ages for them; in the schedule files (2016) they have intervals alone",
    "Flu": "0170 and 0172 ask for the dose of the next season although the one of this season is "
    "open; 0175 counts four weeks as 27 days",
    "MMR": "three single vaccines were given on one day and the case holds two of them, so that "
    "the third disease is due at once",
}
#: The same of rebuilt cases, where the vaccine that was put in decides.
WHY_REBUILT = {
    "HPV": WHY["HPV"],
    "DTaP": "the dose not held was Tdap: by title in 0060, by what is expected in 0016, 0017",
    "PCV": "the title names PCV 13 for the dose that is not held; PCV 7 was put in",
    "POL": "the title says that OPV and IPV were mixed; OPV was put in",
}

Case = dict[str, Any]
Brands = dict[str, tuple[str, str]]


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
    if not is_cut:
        return WHOLE
    return REBUILT if last_dose_named(case["title"]) == len(doses) + 1 else CUT


def last_dose_named(title: str) -> int | None:
    """The number of the last dose, where the title of a case says it.

    >>> last_dose_named("#3 at age 14 weeks"), last_dose_named("Dose 2 to dose 3 interval 28 days")
    (3, 3)
    >>> last_dose_named("# 2 (Tdap) to child age 7. Forecast # 3"), last_dose_named("in midst")
    (2, None)
    """
    told = re.split(r"(?i)forecast|needs|series complete|\.|=", title)[0]
    pairs = re.findall(r"(?i)dose\s*#?\s*\d\s*(?:to|-)\s*(?:dose)?\s*#?\s*(\d)", told)
    if pairs:
        return int(pairs[-1])
    if re.search(r"(?i)midst|first of", told):
        return None
    named = re.findall(r"(?i)(?:#|dose)\s*#?\s*(\d)", told)
    return max(map(int, named)) if named else None


def brands_of(cases: Iterable[Case]) -> Brands:
    """Vaccine and maker of each brand of one word that the cases hold."""
    return {
        name: (dose["CVX"], dose["MVX"])
        for case in cases
        for dose in case["history"]
        if (name := dose.get("Vaccine Name", "").lower()) and " " not in name
    }


def rebuilt(case: Case, brands: Brands) -> Case:
    """A case with the one dose that it lacks: on its day of assessment.

    The vaccine is the brand that the title names, or else the one last held.
    """
    last = {**case["history"][-1], "Date Administered": case["assessment_date"]}
    named = [brand for brand in brands if brand in case["title"].lower()]
    if named and last["Vaccine Name"].lower() not in named:
        last["CVX"], last["MVX"] = brands[named[0]]
    return {**case, "history": [*case["history"], last]}


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


def in_its_season(
    case: Case, schedule: VaccineSchedule
) -> tuple[list[NextDose], tuple[str, date | None]]:
    """Where the child stands; in the season of that day, and if that is done in the next."""
    group = case["vaccine_group"]
    if group not in SEASONAL:
        found = assessed(case, schedule)
        return found, of_group(found, together=group == "MMR")
    season = season_of(date.fromisoformat(case["assessment_date"]))
    found = assessed(case, in_season(schedule, season))
    if of_group(found, together=False)[0] == "complete":
        found = assessed(case, in_season(schedule, season + 1))
    return found, of_group(found, together=False)


def judge(case: Case, schedule: VaccineSchedule, brands: Brands) -> Found:
    """One case against the engine, rebuilt first where it can be."""
    group, kind = case["vaccine_group"], kind_of(case)
    held = (case["id"], case["id"][:4], group, kind)
    if kind == MEDICAL:
        return Found(*held, False, False, 0, 0)
    n_held = len(case["history"])
    if kind == REBUILT:
        case = rebuilt(case, brands)
    found, got = in_its_season(case, schedule)
    wanted = expected_of(case)
    # Vaccines against another disease of the group are not judged by the first antigen.
    doses = found[0].judged[:n_held] if len(found[0].judged) == len(case["history"]) else ()
    valid = [given["Evaluation Status"].lower() == "valid" for given in case["history"][:n_held]]
    same = sum((d.judgement == "valid") == v for d, v in zip(doses, valid, strict=False))
    return Found(*held, got[0] == wanted[0], got == wanted, len(doses), same)


def page(folder: Path) -> str:
    """The page."""
    schedule = read_cdc_schedule(folder / "schedule")
    cases: list[Case] = json.loads((folder / CASES).read_text(encoding="utf-8"))
    brands = brands_of(cases)
    found = [judge(case, schedule, brands) for case in cases]
    groups = sorted({one.group for one in found})
    years = sorted({one.year for one in found})
    whole, built, cut = ([o for o in found if o.kind == kind] for kind in (WHOLE, REBUILT, CUT))
    both = [*whole, *built]
    lines = [
        _INTRODUCTION.format(
            n=len(found),
            years=", ".join(years),
            medical=sum(one.kind == MEDICAL for one in found),
            cut=len(cut),
            whole=len(whole),
            status=_count(whole, "same_status"),
            day=_percent(whole),
            rebuilt=len(built),
            rebuilt_status=_count(built, "same_status"),
            rebuilt_day=_percent(built),
            both=_percent(both),
            other=_percent([one for one in both if one.group != "HPV"]),
        ),
        "## Result by year and vaccine group",
        "",
        "| Year | Group | Cases | Medical history | Cut | Whole | Status | Status and day "
        "| Rebuilt | Status | Status and day |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
        *(_row(year, group, found) for year in years for group in groups),
        _row("", "**all**", found, every=True),
        "",
        "## Each difference",
        "",
        "| Cases | Group | Which | Why |",
        "|---|---|---|---|",
        *_differences(whole, "whole", WHY),
        *_differences(built, "rebuilt", WHY_REBUILT),
        "",
        _DOSES.format(whole=_doses(whole), cut=_doses([*built, *cut])),
    ]
    return "\n".join(lines)


def _differences(found: Sequence[Found], kind: str, why: dict[str, str]) -> Iterable[str]:
    wrong = [one for one in found if not one.same_day]
    for group in dict.fromkeys(one.group for one in wrong):
        ids = ", ".join(one.id.partition("-")[2] for one in wrong if one.group == group)
        yield f"| {kind} | {group} | {ids} | {why.get(group, 'NOT EXPLAINED')} |"


def _count(found: Iterable[Found], name: str) -> int:
    return sum(getattr(one, name) for one in found)


def _percent(found: Sequence[Found]) -> str:
    day = _count(found, "same_day")
    return f"{day} of {len(found)} ({100 * day / len(found):.1f} %)"


def _doses(found: Sequence[Found]) -> str:
    return f"{_count(found, 'n_doses_same')} of {_count(found, 'n_doses')}"


def _row(year: str, group: str, found: Sequence[Found], *, every: bool = False) -> str:
    mine = [one for one in found if every or (one.year, one.group) == (year, group)]
    kinds = Counter(one.kind for one in mine)
    numbers = [len(mine), kinds[MEDICAL], kinds[CUT]]
    for kind in (WHOLE, REBUILT):
        some = [one for one in mine if one.kind == kind]
        numbers += [len(some), _count(some, "same_status"), _count(some, "same_day")]
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
- **{whole} are whole:** they hold every dose. The status (complete, not complete, aged out) is
  the same in {status} of {whole}; status and recommended day in {day}.
- **{rebuilt} could be rebuilt.** The file holds at most two doses of most cases, and the day of
  assessment is that of the last dose: where it is later than the last dose held, one or more are
  missing. Where the title says that the last dose was the one after those held ("#3 at age 14
  weeks", "Dose 2 to dose 3 interval 28 days"), exactly one is missing, and its day is known. Its
  vaccine is taken to be the brand that the title names, or else the one last held: an
  assumption, so these stand apart. The status is the same in {rebuilt_status} of {rebuilt};
  status and day in {rebuilt_day}.
- **{cut} are cut:** two or more doses are missing, or the title does not say how many. They
  cannot be judged.

Whole and rebuilt together: {both}. **The goal of 95 % is not reached**, because the
schedule for HPV is of another edition than the cases, and no older one is at hand: without HPV
it is {other}.

Influenza is due anew each season. The schedule files hold the doses of one season, 1 July 2015 to
30 June 2016; for a case these days are moved by whole years to the season of its assessment,
and for whoever is done in that season to the next.
"""
_DOSES = """\
## Which doses count

Of the doses that a whole case holds, {whole} are judged as the case says (valid or not); the
others are HPV, where the cases have a lowest age for dose 2 that the schedule does not. Of the
doses held by the rebuilt and the cut cases, {cut} are: what comes later does not change
whether they counted.
"""


if __name__ == "__main__":
    PAGE.write_text(page(Path(sys.argv[1])), encoding="utf-8")
