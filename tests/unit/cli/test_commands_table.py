"""The table of commands: what help and completion say without importing a command."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from runpod_deploy.cli import COMMANDS, cli

TOOL_MODULES = "[name for name in sys.modules if name.startswith('runpod_deploy.')]"
LIGHT = {"errors", "cli", "cli.groups", "spec", "spec.visible", "spec.strict_json", "terminal", "terminal.output"}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_row_leads_to_its_command(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.name == name
    assert command.short_help == COMMANDS[name][1]


def test_an_unknown_name_is_no_command() -> None:
    assert cli.get_command(click.Context(cli), "rnu") is None


@pytest.mark.parametrize("argv", [["--help"], ["--version"], ["rnu"]])
def test_help_imports_no_command(argv: list[str]) -> None:
    code = f"import sys; from runpod_deploy.cli import main; main({argv}); print({TOOL_MODULES}, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.removeprefix("runpod_deploy.") for name in eval(done.stderr.splitlines()[-1])}
    assert loaded - LIGHT == set()


def test_help_has_a_line_for_each_command() -> None:
    shown = CliRunner().invoke(cli, ["--help"], terminal_width=200).output
    assert all(f"{name}  " in shown and short_help in shown for name, (_, short_help) in COMMANDS.items())


def test_names_and_options_are_completed() -> None:
    context = click.Context(cli)
    found = [item.value for word in ("events", "--vers") for item in cli.shell_complete(context, word)]
    assert found == ["events", "events-query", "--version"]
