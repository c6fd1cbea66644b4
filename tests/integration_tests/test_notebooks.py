"""The notebooks: clean in git, telling of the package only, and running from the first cell on."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import nbformat
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NAMES = (
    "exploratory_analysis",
    "data_preprocessing",
    "model_training_evaluation",
    "model_evaluation",
    "plan_a_week",
)
#: A notebook tells a story: what it computes is in the package.
MAY_IMPORT = {"chw_tools", "pandas", "IPython", "datetime"}
PEOPLE = "PEOPLE = 3_000"


def _book(name: str) -> Any:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def _code(book: Any) -> list[str]:
    return [cell.source for cell in book.cells if cell.cell_type == "code"]


def _plain(source: str) -> str:
    return "\n".join(line for line in source.splitlines() if not line.startswith("%"))


def test_these_are_all_of_them():
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_ran_is_in_git(name):
    book = _book(name)
    nbformat.validate(book)
    for cell in book.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    assert set(book.metadata) == {"kernelspec", "language_info"}


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_defines_nothing_and_imports_the_package_only(name):
    for source in _code(_book(name)):
        for node in ast.walk(ast.parse(_plain(source))):
            assert not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda) or (
                isinstance(node, ast.Lambda) and len(ast.unparse(node)) < 30
            )
            if isinstance(node, ast.ImportFrom):
                assert str(node.module).split(".")[0] in MAY_IMPORT
            if isinstance(node, ast.Import):
                assert {alias.name.split(".")[0] for alias in node.names} <= MAY_IMPORT


@pytest.mark.parametrize("name", NAMES)
def test_one_cell_switches_to_ones_own_file(name):
    first = _code(_book(name))[0]
    assert "DATA, MAPPING = None, None" in first
    assert PEOPLE in first
    assert sum("DATA, MAPPING = None" in source for source in _code(_book(name))) == 1
    assert "simulated people" in _book(name).cells[0].source


def test_every_cell_of_every_notebook_runs(tmp_path):
    """All in one kernel, with few people and plain models, since this is run at each change.

    `make notebooks` gives each a kernel of its own, 3,000 people and the models it names.
    """
    from nbclient import NotebookClient

    whole = nbformat.v4.new_notebook()
    for name in NAMES:
        for source in _code(_book(name)):
            few = source.replace(PEOPLE, "PEOPLE = 600").replace('"additive"', '"logistic"')
            whole.cells.append(nbformat.v4.new_code_cell(few))
    NotebookClient(whole, timeout=240).execute(cwd=str(tmp_path))
    pictures = [
        output
        for cell in whole.cells
        for output in cell.outputs
        if {"image/png", "image/svg+xml"} & set(output.get("data", {}))
    ]
    assert len(pictures) >= 18
    assert not [cell for cell in whole.cells if any(o.output_type == "error" for o in cell.outputs)]


def test_a_file_of_ones_own_is_read(tmp_path):
    from chw_tools.notebook import open_records

    (tmp_path / "people.csv").write_text(
        "id,sex,known_on,born_on\n1,female,2024-05-01,1980-02-01\n2,male,2024-05-01,1990-02-01\n",
        encoding="utf-8",
    )
    opened = open_records(tmp_path)
    assert (opened.population, opened.truth, len(opened.register.people)) == ("real", None, 2)


def test_a_path_that_leads_nowhere_is_told(tmp_path):
    from chw_tools.errors import InputError
    from chw_tools.notebook import open_records

    with pytest.raises(InputError, match="nothing of that name"):
        open_records(tmp_path / "none.csv")
