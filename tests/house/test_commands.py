"""The command line explains itself, to people and to programs."""

import pytest

from commands import Command, commands

every_command = pytest.mark.parametrize("command", commands(), ids=lambda each: each.name)


@every_command
def test_a_command_says_what_it_does(command: Command) -> None:
    """So does every argument and every option."""
    silent = [each.name for each in command.parameters if not each.help]

    assert command.help
    assert silent == []


@every_command
def test_a_command_prints_json_when_asked(command: Command) -> None:
    """Whatever a person can read, a program can read."""
    assert any("--json" in each.name.split(", ") for each in command.parameters)
