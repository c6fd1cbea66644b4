"""The choke point: statements on tables are built in one place."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import sqlalchemy as sa

import chw_tools.store
from chw_tools.store.scope import WHOLE, Scope, select_from, table_named, update_of
from chw_tools.store.tables import DERIVED, REGISTER

FOLDER = Path(chw_tools.store.__file__).parent
#: The store's own tables that hold nothing about anybody, and so may be asked directly.
ABOUT_NOBODY = {"STORE_INFO", "SOURCES", "IMPORT_RUNS", "WRITER_LOCK"}
BUILDERS = {"select", "update", "delete"}


def _bypasses(source: str) -> list[int]:
    """Lines that build a SELECT, UPDATE or DELETE other than through a Reader or the scope."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner, builds = ast.unparse(node.func.value), node.func.attr
            named = {n.id for a in node.args for n in ast.walk(a) if isinstance(n, ast.Name)}
            is_own = owner in ABOUT_NOBODY or bool(named & ABOUT_NOBODY)
            is_reader = owner == "reader" or owner.startswith("Reader(")
            if builds in BUILDERS and not (is_own or is_reader):
                lines.append(node.lineno)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            verb, *rest = node.value.split() or [""]
            tables = {*REGISTER, *DERIVED, "unmodelled", "plan_runs", "planning_runs"}
            if verb in {"SELECT", "UPDATE", "DELETE", "WITH"} and tables & set(rest):
                lines.append(node.lineno)
    return lines


_MODULES = sorted({*FOLDER.glob("*.py"), *FOLDER.glob("[!m]*/*.py")})


@pytest.mark.parametrize("path", _MODULES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_no_other_module_builds_statements(path: Path) -> None:
    if path.name == "scope.py":
        pytest.skip("this is the place")
    assert _bypasses(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "sa.select(REGISTER['people'])",
        "REGISTER['people'].update()",
        "stored.delete()",
        "connection.exec_driver_sql('SELECT id FROM people')",
        "sa.update(people).values(a=1)",
    ],
)
def test_the_lint_sees_a_bypass(line: str) -> None:
    assert _bypasses(line) == [1]


def test_a_scope_names_what_it_is_limited_to() -> None:
    with pytest.raises(ValueError, match="names them"):
        Scope.of_areas([])
    with pytest.raises(ValueError, match="names them"):
        Scope("whole", ("x",))


def test_the_whole_programme_is_not_narrowed() -> None:
    assert "WHERE" not in str(select_from("people", ["id"], scope=WHOLE))


@pytest.mark.parametrize(
    "name", sorted({*REGISTER, *DERIVED, "unmodelled"} - {"areas", "facilities"})
)
@pytest.mark.parametrize(
    "scope", [Scope.of_worker("w"), Scope.of_areas(["a"])], ids=["worker", "areas"]
)
def test_every_table_is_narrowed(name: str, scope: Scope) -> None:
    table = table_named(name)
    column = next(key for key in ("id", "row_digest", "person_id", "run_id") if key in table.c)
    read = str(select_from(name, [column], scope=scope).compile())
    assert "WHERE" in read
    changed = update_of(name, scope=scope).values({column: sa.literal("x")})
    assert "WHERE" in str(changed.compile())


def test_an_unknown_table_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        select_from("alembic_version", ["id"], scope=WHOLE)
