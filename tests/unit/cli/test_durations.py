"""Every flag that takes a duration accepts the same texts, and refuses others with the same error."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import click
import pytest

from runpod_deploy.cli import COMMANDS, cli, main
from runpod_deploy.cli.durations import Duration, read_duration


def options() -> Iterator[tuple[str, click.Option]]:
    """Every option of every command."""
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command
        yield from ((name, option) for option in command.params if isinstance(option, click.Option))


FLAGS = [(name, option) for name, option in options() if isinstance(option.type, Duration)]
NEEDED = {"cleanup": ["--all-stopped"], "resume": ["RUN"], "run": ["--config", "job.yaml"], "prune": []}


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1d", 86_400), ("1.5h", 5400), (" 5m ", 300)]
)
def test_what_is_a_duration(text: str, seconds: float) -> None:
    assert read_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "5x", "-5m", "1h30m", "٣m", "9e9d", "9" * 400 + "d"])
def test_what_is_none(text: str) -> None:
    assert read_duration(text) is None


def test_every_flag_for_a_duration_is_here() -> None:
    found = {(name, option.opts[0]) for name, option in FLAGS}
    waits = {("run", "--wait"), ("run", "--wait-for-stock"), ("resume", "--wait")}
    assert found == {*waits, ("cleanup", "--older-than"), ("prune", "--older-than")}


@pytest.mark.parametrize(("name", "option"), FLAGS, ids=lambda value: getattr(value, "name", value))
def test_they_refuse_with_the_same_error(name: str, option: click.Option, capsys: pytest.CaptureFixture[str]) -> None:
    flag = option.opts[0]
    assert main([name, *NEEDED[name], flag, "soon"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"error: {flag}: 'soon' is not a duration",
        "hint: write a number and s, m, h or d: 90s, 30m, 2h, 1d",
    ]


def test_only_wait_takes_a_bare_number() -> None:
    assert Duration(bare_seconds=True).convert("1.5", None, None) == timedelta(seconds=1.5)
    assert main(["cleanup", "--all-stopped", "--older-than", "7"]) == 2
