"""The page on the life of a model names commands and options that there are."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from chw_tools.cli.main import app
from chw_tools.model_registry.gates import FIRM

_PAGE = Path(__file__).resolve().parents[3] / "docs" / "model_registry.md"
_TEXT = _PAGE.read_text(encoding="utf-8")
_BLOCKS = re.findall(r"```sh\n(.*?)```", _TEXT, re.DOTALL)
_LINES = [line for block in _BLOCKS for line in block.splitlines() if line.startswith("chw ")]


@pytest.mark.parametrize("line", _LINES)
def test_a_command_of_the_page_can_be_given(line):
    words, command = shlex.split(line, comments=True)[1:], typer.main.get_command(app)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    command.make_context("chw", list(words))  # refuses unknown options and missing arguments


def test_the_page_says_of_each_gate_whether_it_can_be_overridden():
    rows = re.findall(r"^\| `([a-z_]+)` \|.*\| (yes|no) \|$", _TEXT, re.MULTILINE)
    assert {name for name, may in rows if may == "no"} == set(FIRM)
    assert len(rows) == 9
