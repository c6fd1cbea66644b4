"""Every command says what it does and shows an example."""

import pytest
import typer

from chw_tools.cli.main import app, main


def _commands(command, path=()):
    subcommands = getattr(command, "commands", None)
    if subcommands is None or command.invoke_without_command:
        yield path, command
    if subcommands is None:
        return
    for name, sub in subcommands.items():
        yield from _commands(sub, (*path, name))


COMMANDS = dict(_commands(typer.main.get_command(app)))
ACTS = "simulate ingest train evaluate score recommend plan replay serve settings"


@pytest.mark.parametrize("name", ACTS.split())
def test_there_is_a_command_for_each_act(name):
    assert (name,) in COMMANDS


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_a_command_explains_itself_by_example(path):
    command = COMMANDS[path]
    assert command.help
    assert f"chw {' '.join(path)}" in command.epilog


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_a_command_answers_help(path, capsys):
    assert main([*path, "--help"], {}) == 0
    assert "Usage" in capsys.readouterr().out


def test_settings_are_shown_as_the_environment_gives_them(capsys):
    assert main(["settings", "--json"], {"CHW_HOME": "/srv/chw"}) == 0
    assert '"CHW_HOME": "/srv/chw"' in capsys.readouterr().out


def test_wrong_words_are_code_two(capsys):
    assert main(["no-such-act"], {}) == 2
    assert main(["plan", "--on", "yesterday"], {}) == 2
