"""The data dictionary says all that is declared, and the page in docs/ is the code's own."""

from __future__ import annotations

from pathlib import Path

from chw_tools.records import DERIVED_TABLES, TABLES, load_catalogue
from chw_tools.records.dictionary import data_dictionary

PAGE = Path(__file__).parents[3] / "docs" / "data_dictionary.md"


def test_the_page_is_as_declared():
    assert PAGE.read_text(encoding="utf-8") == data_dictionary(), "run `make docs`"


def test_every_table_column_and_observable_is_in_it():
    said = data_dictionary()
    for table in [*TABLES.values(), *DERIVED_TABLES.values()]:
        section = said.split(f"\n### {table.name}\n")[1].split("\n##")[0]
        assert table.meaning in section
        for column in table.columns:
            [row] = [line for line in section.splitlines() if line.startswith(f"| `{column.name}`")]
            assert column.meaning in row
            assert ("**identifying**" in row) == column.identifying
            assert all(f"`{word}`" in row for word in column.allowed)
    catalogue = said.split("## Catalogue of observables")[1]
    for name, entry in load_catalogue().entries.items():
        [row] = [line for line in catalogue.splitlines() if line.startswith(f"| `{name}` ")]
        assert all(code.code in row for code in entry.codes)


def test_every_row_of_a_grid_has_as_many_cells_as_its_head():
    width = 0
    for line in data_dictionary().splitlines():
        cells = line.replace("\\|", "").count("|")
        if not cells:
            width = 0
        elif not width:
            width = cells
        assert cells == width, line
