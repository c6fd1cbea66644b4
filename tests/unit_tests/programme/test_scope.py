"""The scope of the work: what is shipped is sound, and every fault of a folder is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chw_tools.errors import ProgrammeFault
from chw_tools.programme import load_programme
from chw_tools.programme.scope import load_scope

if TYPE_CHECKING:
    from pathlib import Path


def test_every_number_of_the_scope_is_on_the_page_of_numbers() -> None:
    programme = load_programme()
    keys = {figure.key for figure in programme.figures}

    assert {f"scope.services.{name}" for name in programme.scope.services} <= keys
    assert {f"scope.items.{name}" for name in programme.scope.items} <= keys
    assert "scope.workload.walk_limit_minutes" in keys


def test_every_item_used_is_declared_and_every_item_declared_is_used() -> None:
    scope = load_scope()
    used = {item for service in scope.services.values() for item in service.items}

    assert used == set(scope.items)


def test_a_folder_changes_a_number_with_its_own_source(tmp_path: Path) -> None:
    (tmp_path / "scope.toml").write_text(
        "[services.antenatal]\nminutes = 60\nsource = 'Our own count, 2026'\n"
        "[services.everybody]\noff = true\n"
    )
    scope = load_scope(tmp_path)

    assert scope.services["antenatal"].minutes == 60
    assert "everybody" not in scope.services
    assert "services.everybody" not in scope.figures()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[services.antenatal]\nminutes = 60\n", "needs its own `source`"),
        ("[services.x]\nlabel = 'X'\n", "visits_per_year"),
        ("[services.antenatal]\nwho = [['agee', '<', 3]]\nsource='s'\n", "no feature is called"),
        ("[services.antenatal]\nwho = [['sex']]\nsource='s'\n", "a condition is"),
        ("[services.antenatal]\nbands = ['huge']\nsource='s'\n", "must be of low"),
        ("[services.antenatal]\nskills = 'all'\nsource='s'\n", "must be a list of names"),
        ("[services.antenatal.items]\ngold = 1\n", "no item is called so"),
        ("[workload.rural_factor]\nvalue = 0\nsource='s'\n", "from 1 to 5"),
        ("[workload.extra]\nvalue = 0\nsource='s'\n", "is not a key"),
        ("[items.ors_sachets]\nservice_level = 1.2\nsource='s'\n", "from 0.5 to"),
        ("[items.new]\nlabel = 'N'\n", "without a source"),
        ("services = 3\n", "must be a table of tables"),
        ("[services]\nantenatal = 3\n", "must be a table"),
    ],
)
def test_each_fault_is_told(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "scope.toml").write_text(text)

    with pytest.raises(ProgrammeFault, match=said.replace("`", ".")):
        load_scope(tmp_path)
