"""The help shows each command once, in a group, with its whole sentence."""

from __future__ import annotations

from click.testing import CliRunner

from runpod_deploy.cli import COMMANDS, cli
from runpod_deploy.cli.groups import GROUPS, OTHER, grouped


def test_each_command_has_one_group() -> None:
    names = [name for group in GROUPS for name in group.commands]
    assert sorted(names) == sorted(COMMANDS) and OTHER not in [group.title for group in grouped(list(COMMANDS))]


def test_no_line_of_the_help_is_cut_off() -> None:
    shown = CliRunner().invoke(cli, ["--help"], terminal_width=80).output
    assert "...\n" not in shown.partition("Options:")[2] and all(
        f"Example: {group.example}" in shown for group in GROUPS
    )
