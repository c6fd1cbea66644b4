"""Rows of WHO's immunisation decision tables, asked through the advice a worker is given.

Each case is a child with doses and a day to ask about, both in days from birth on 10 January
2024 (3, 4, 6, 9, 12, 15 and 24 months are 91, 121, 182, 274, 366, 456 and 731 days), and what
the row says. Rows are numbered as in ``docs/guidelines/coverage.md``.
"""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest

from chw_tools.programme import load_programme
from chw_tools.programme.coverage import load_coverage
from chw_tools.recommendations import vaccines_due
from chw_tools.recommendations.immunisation import Given, Person, next_dose
from chw_tools.records import TABLES, conform
from chw_tools.records.codes import CVX

COVERAGE = load_coverage()
SCHEDULE = load_programme().vaccination
BORN = date(2024, 1, 10)
#: Vaccines by short names: oral and injected polio, yellow fever as another live vaccine,
#: Rotarix, RotaTeq, and one of each other disease.
CODES = {
    "bcg": "19",
    "hepb": "08",
    "o": "178",
    "i": "10",
    "dtp": "20",
    "hib": "17",
    "pcv": "133",
    "rotarix": "119",
    "rotateq": "116",
    "measles": "05",
    "rubella": "06",
    "live": "37",
}
OPV_IPV = {"due": "OPV IPV", "due oral": "OPV", "due injected": "IPV"}
LABELS = {series.antigen: series.label for series in SCHEDULE.series}


def three(vaccine: str, rows: str) -> list[tuple[str, str, int, str]]:
    """A series from 6 weeks on, 4 weeks apart; the rows from "less than 6 weeks" on."""
    said = [
        ("", 41, "not due"),
        ("", 42, "due"),
        ("42", 69, "not due"),
        ("42", 70, "due"),
        ("42 70", 97, "not due"),
        ("42 70", 98, "due"),
        ("42 70 98", 99, "complete"),
    ]
    return [
        (row, " ".join(f"{vaccine}@{day}" for day in given.split()), day, says)
        for row, (given, day, says) in zip(rows.split(), said, strict=True)
        if row != "-"
    ]


#: Row, doses as vaccine@day, the day asked about, what the row says.
CASES: dict[tuple[str, str], list[tuple[str, str, int, str]]] = {
    ("BCG", "BCG"): [
        ("R06", "", 0, "due"),
        ("R06", "", 28, "due"),
        ("R07", "live@5", 20, "not due"),
        ("R30", "bcg@0", 1, "complete"),
    ],
    ("Hepatitis B.Birth dose", "HepB"): [
        ("R07", "", 0, "due"),
        ("R07", "", 41, "due"),
        ("R09", "hepb@0", 1, "not due"),
    ],
    ("Hepatitis B.4 doses", "HepB"): [
        ("R32", "hepb@0", 41, "not due"),
        ("R33", "hepb@0", 42, "due"),
        ("R34", "hepb@0 hepb@42", 69, "not due"),
        ("R35", "hepb@0 hepb@42", 70, "due"),
        ("R36", "hepb@0 hepb@42 hepb@70", 97, "not due"),
        ("R37", "hepb@0 hepb@42 hepb@70", 98, "due"),
        ("R38", "hepb@0 hepb@42 hepb@70 hepb@98", 99, "complete"),
    ],
    ("Polio.bOPV plus IPV", "OPV IPV"): [
        ("R16", "", 41, "not due"),
        ("R17", "", 42, "due oral"),
        ("R17", "", 91, "due oral"),
        ("R19", "o@42", 69, "not due"),
        ("R20", "o@42", 70, "due oral"),
        ("R21", "o@90", 98, "due injected"),
        ("R21", "o@90", 117, "due injected"),
        ("R22", "o@70", 98, "due"),
        ("R23", "i@98", 219, "due oral"),
        ("R24", "i@98", 220, "due"),
        ("R25", "o@42 o@70", 97, "not due"),
        ("R27", "o@42 o@80", 98, "due injected"),
        ("R27", "o@42 o@80", 107, "due injected"),
        ("R28", "o@42 o@70", 98, "due"),
        ("R29", "o@98 i@98", 125, "not due"),
        ("R30", "i@98 o@210", 220, "due injected"),
        ("R31", "o@98 i@98", 126, "due oral"),
        ("R32", "o@98 i@98", 220, "due"),
        ("R33", "i@98 i@220", 221, "due oral"),
        ("R35", "o@42 o@70 o@98", 99, "due injected"),
        ("R36", "o@42 o@98 i@98", 125, "not due"),
        ("R37", "o@98 i@98 o@210", 220, "due injected"),
        ("R38", "o@42 o@98 i@98", 126, "due oral"),
        ("R39", "o@42 o@98 i@98", 220, "due"),
        ("R40", "i@98 i@220 o@220", 247, "not due"),
        ("R41", "i@98 i@220 o@220", 248, "due oral"),
        ("R42", "o@42 o@70 o@98 i@98", 219, "not due"),
        ("R43", "o@42 o@70 o@98 i@98", 220, "due injected"),
        ("R44", "o@42 i@98 o@220 i@220", 247, "not due"),
        ("R45", "o@42 i@98 o@220 i@220", 248, "due oral"),
        ("R46", "o@42 o@70 o@98 i@98 i@220", 221, "complete"),
    ],
    ("DTP.On-time start", "DTP"): [
        *three("dtp", "R07 R08 R09 R10 R11 R12 -"),
        ("R08", "", 365, "due"),
        ("R13", "dtp@42 dtp@70 dtp@98", 365, "not due"),
        ("R15", "dtp@42 dtp@70 dtp@98 dtp@366", 730, "not due"),
        ("R20", "dtp@42 dtp@70 dtp@98", 365, "not due"),
        ("R21", "dtp@42 dtp@70 dtp@300", 480, "not due"),
        ("R22", "dtp@42 dtp@70 dtp@98", 366, "due"),
        ("R22", "dtp@42 dtp@70 dtp@300", 481, "due"),
        ("R24", "dtp@42 dtp@70 dtp@98 dtp@366", 367, "complete"),
    ],
    ("Hib.3 doses", "Hib"): [
        *three("hib", "R07 R08 R09 R10 R12 R13 R14"),
        ("R08", "", 730, "due"),
    ],
    ("Pneumococcal.3 doses", "PCV"): [
        *three("pcv", "R31 R32 R33 R34 R42 R43 R50"),
        ("R32", "", 730, "due"),
        ("R35", "pcv@400", 427, "not due"),
        ("R36", "pcv@400", 428, "due"),
        ("R49", "pcv@42 pcv@70 pcv@400", 500, "complete"),
        ("R51", "pcv@42 pcv@70 pcv@98", 731, "complete"),
        ("R52", "pcv@42 pcv@70 pcv@98 pcv@200", 201, "complete"),
    ],
    ("Rotavirus", "Rotavirus"): [
        ("R06", "", 41, "not due"),
        ("R07", "", 42, "due"),
        ("R07", "", 730, "due"),
        ("R09", "rotateq@42", 70, "due"),
        ("R11", "rotateq@42 rotarix@70", 98, "due"),
        ("R13", "rotateq@42 rotateq@70", 98, "due"),
        ("R15", "rotarix@42 rotarix@70", 98, "complete"),
        ("R16", "rotateq@42 rotateq@70 rotateq@98", 99, "complete"),
        ("R17", "rotateq@42", 731, "not due"),
    ],
    ("Measles.Ongoing transmission", "Measles"): [
        ("R07", "", 273, "not due"),
        ("R08", "", 274, "due"),
        ("R08", "live@250", 278, "due"),
        ("R09", "live@250", 277, "not due"),
        ("R10", "measles@274", 455, "not due"),
        ("R11", "measles@274", 456, "due"),
        ("R11", "measles@274 live@450", 478, "due"),
        ("R12", "measles@274 live@450", 477, "not due"),
        ("R13", "measles@274 measles@456", 457, "complete"),
    ],
    ("Rubella.High incidence", "Rubella"): [
        ("R07", "", 273, "not due"),
        ("R08", "", 274, "due"),
        ("R08", "live@250", 278, "due"),
        ("R09", "live@250", 277, "not due"),
        ("R10", "rubella@274", 275, "complete"),
    ],
}
#: Rows that are left out because the engine differs: what the engine says, not the row.
DIFFERENT: dict[tuple[str, str], list[tuple[str, str, int, str]]] = {
    ("Polio.bOPV plus IPV", "OPV IPV"): [
        ("R18", "", 92, "due oral"),
        ("R18", "", 97, "due oral"),
        ("R18", "", 98, "due"),
    ],
    ("DTP.On-time start", "DTP"): [("R14", "dtp@42 dtp@70 dtp@300", 480, "not due")],
    ("Hib.3 doses", "Hib"): [("R11", "hib@366", 394, "due")],
    ("Pneumococcal.3 doses", "PCV"): [("R44", "pcv@366 pcv@394", 422, "due")],
    ("Rotavirus", "Rotavirus"): [
        ("R08", "bcg@41", 42, "due"),
        ("R10", "rotateq@42 bcg@69", 70, "due"),
        ("R12", "rotateq@42 rotarix@70 bcg@97", 98, "due"),
        ("R14", "rotateq@42 rotateq@70 bcg@97", 98, "due"),
    ],
}
EVERY = [
    pytest.param(antigens, given, day, says, id=f"{table}.{row} on {day}")
    for (table, antigens), cases in (*CASES.items(), *DIFFERENT.items())
    for row, given, day, says in cases
]


def doses(given: str) -> list[Given]:
    pairs = (one.split("@") for one in given.split())
    return [Given(BORN + timedelta(days=int(day)), CODES[vaccine]) for vaccine, day in pairs]


def advised(history: list[Given], as_of: date) -> str:
    """What the worker is told to give on the day."""
    child = {"id": ["a"], "born_on": [pd.Timestamp(BORN).as_unit("s")], "sex": ["female"]}
    rows = pd.DataFrame(
        {
            "person_id": "a",
            "system": CVX,
            "code": [one.cvx for one in history],
            "given_on": pd.to_datetime([one.day for one in history]).astype("datetime64[s]"),
        }
    )
    found = vaccines_due(
        conform(TABLES["people"], pd.DataFrame(child)),
        conform(TABLES["immunisations"], rows),
        schedule=SCHEDULE,
        as_of=pd.Timestamp(as_of).as_unit("s"),
        ahead_days=0,
    )
    return found["action"].iloc[0] if len(found) else ""


@pytest.mark.parametrize(("antigens", "given", "day", "says"), EVERY)
def test_the_advice_is_as_said(antigens: str, given: str, day: int, says: str) -> None:
    history, as_of = doses(given), BORN + timedelta(days=day)
    action = advised(history, as_of)
    due = OPV_IPV.get(says, "") if antigens == "OPV IPV" else antigens * (says == "due")
    assert {one for one in antigens.split() if LABELS[one] in action} == set(due.split())
    if says == "complete":
        girl = Person(BORN, "female")
        for one in antigens.split():
            found = next_dose(one, history, person=girl, schedule=SCHEDULE, as_of=as_of)
            assert found is not None
            assert found.status == "complete"


def rows_of(cases: dict[tuple[str, str], list[tuple[str, str, int, str]]]) -> set[str]:
    return {f"IMMZ.D2.DT.{table}.{row}" for (table, _), rows in cases.items() for row, *_ in rows}


def test_every_immunisation_row_that_is_carried_out_has_a_case_and_no_other() -> None:
    assert rows_of(CASES) == {row for row in COVERAGE.engine if row.startswith("IMMZ.")}


def test_every_row_said_to_differ_is_shown_to_differ() -> None:
    said = [one for one in COVERAGE.left_out if one.reason.startswith("Differs")]
    assert rows_of(DIFFERENT) == {
        row for one in said for row in one.rows if row.startswith("IMMZ.")
    }
