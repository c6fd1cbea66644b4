"""Every row of the WHO tables within scope is carried out, or left out with a reason."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from chw_tools.programme import load_programme
from chw_tools.programme.cases import SILENT, read_cases
from chw_tools.programme.coverage import carried_out, coverage_page, expand, load_coverage
from chw_tools.programme.reading import Problems

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAMME = load_programme()
COVERAGE = load_coverage()
ROWS = carried_out(PROGRAMME)
EVERY = [row for _, rows in COVERAGE.tables.values() for row in rows]
LEFT_OUT = [row for one in COVERAGE.left_out for row in one.rows]
ROOT = Path(__file__).resolve().parents[3]
_NAMED = re.compile(r"(CHE\.DT\.\d+\.CL\d+|TB\.B\d\.DT\.\d+)")
#: Earlier forms of tables that have sheets of their own.
EARLIER = {"immz__Hepatitis_B_old.csv", "immz__Cholera_L2_Publication.csv"}
_HEADS = ("Business", "Trigger", "Input", "Service Name", "Note:", "ANC.B")


def rows_of(path: Path) -> list[str]:
    """Ids of the rows that decide; of the antenatal kit the place in the sheet, from 1."""
    with path.open(encoding="utf-8", newline="") as file:
        records = list(csv.reader(file))
    if path.name.startswith("anc__ANC.S."):
        return list(_schedule_rows(path.name[5:13], records))
    if path.name.startswith("immz__"):
        return list(_immunisation_rows(records))
    if path.name.startswith("anc__"):
        return list(_table_rows(records))
    found = (_NAMED.match(cell.strip()) for record in records for cell in record[:2])
    return [match[1] for match in found if match]


def _table_rows(records: list[list[str]]) -> Iterator[str]:
    table = ""
    for number, record in enumerate(records, start=1):
        first = record[1].strip() if len(record) > 1 else ""
        if first == "Decision ID":
            table = record[2][:9]
        elif table and any(cell.strip() for cell in record[1:]) and not first.startswith(_HEADS):
            yield f"{table}.R{number:02d}"


def _immunisation_rows(records: list[list[str]]) -> Iterator[str]:
    """Rows with an output; titles and the names of the inputs have none."""
    table, output = "", 0
    for number, record in enumerate(records, start=1):
        cells = [cell.strip() for cell in record]
        if cells[1:2] == ["Decision ID"]:
            table, output = cells[2], 0
        elif table.startswith("IMMZ.D2.DT.") and cells[1].startswith("Input"):
            output = cells.index("Output")
        elif output and cells[output]:
            yield f"{table}.R{number:02d}"


def _schedule_rows(table: str, records: list[list[str]]) -> Iterator[str]:
    for number, record in enumerate(records, start=1):
        cells = [cell.strip() for cell in record[1:]]
        is_service = bool(cells and cells[0]) and not cells[0].startswith(
            ("Schedule ID", "Service Name", "ANC.B", "Trigger", "Example", "End of", "Middle")
        )
        is_rule = len(cells) > 1 and cells[1].startswith("Rule ")
        if is_service or is_rule:
            yield f"{table}.R{number:02d}"


def test_each_row_is_carried_out_or_left_out_and_never_both() -> None:
    assert set(ROWS) & set(LEFT_OUT) == set()
    assert set(ROWS) | set(LEFT_OUT) == set(EVERY)
    assert len(LEFT_OUT) == len(set(LEFT_OUT))


def test_every_reason_is_a_sentence_and_no_two_are_the_same() -> None:
    reasons = [one.reason for one in COVERAGE.left_out]

    assert all(reason.endswith(".") and len(reason.split()) > 3 for reason in reasons)


def test_a_row_that_is_carried_out_is_exercised_by_a_case() -> None:
    cases = read_cases(None, {rule.id for rule in PROGRAMME.rules}, Problems())
    exercised = {case.rule_id for case in cases if case.advice != SILENT} | {"vaccines_due"}

    assert {name for names in ROWS.values() for name in names} <= exercised


def test_a_range_names_every_row_of_it() -> None:
    assert expand("ANC.DT.01.R05") == ("ANC.DT.01.R05",)
    assert expand("IMMZ.D2.DT.Hib.3 doses.R09-R10") == (
        "IMMZ.D2.DT.Hib.3 doses.R09",
        "IMMZ.D2.DT.Hib.3 doses.R10",
    )
    assert expand("TB.B7.DT.09-11") == ("TB.B7.DT.09", "TB.B7.DT.10", "TB.B7.DT.11")


def test_the_page_in_docs_is_the_one_written_now() -> None:
    page = ROOT / "docs" / "guidelines" / "coverage.md"

    assert page.read_text(encoding="utf-8") == coverage_page()
    assert "no reason is given" not in coverage_page()


@pytest.mark.shared
def test_the_rows_are_those_of_the_tables(shared: Path) -> None:
    folder = shared / "vectors" / "who_dak"
    paths = [
        *folder.glob("anc__ANC.DT*.csv"),
        *folder.glob("anc__ANC.S*.csv"),
        *folder.glob("imci_che__CHE.B23*.csv"),
        *folder.glob("tb__TB.B[47]*.csv"),
        *(path for path in folder.glob("immz__*.csv") if path.name not in EARLIER),
    ]

    assert {row for path in paths for row in rows_of(path)} == set(EVERY)
