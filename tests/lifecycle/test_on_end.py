"""The command at the end of a run: once, within bounds, without our secrets, and without any say in the outcome."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runpod_deploy.lifecycle import carry_out
from runpod_deploy.phases.on_end import environment_of, is_due, on_end
from runpod_deploy.record.events import OnEndFinished, OnEndStarted, RunFinished
from runpod_deploy.run import Run
from tests.support.worlds import Killed, Memory


def told(tmp_path: Path, command: str) -> tuple[Memory, Run]:
    """A run with that command that has just ended."""
    world = Memory(tmp_path)
    world.environ.update({"RUNPOD_API_KEY": "key", "HF_TOKEN": "secret", "PATH": "/usr/bin:/bin"})
    world.spec = replace(world.spec, job=replace(world.spec.job, on_end=command))
    run = world.open()
    carry_out(run)
    return world, run


def test_it_is_run_once_also_if_the_run_is_taken_up_again(tmp_path: Path) -> None:
    world, run = told(tmp_path, 'echo "$RUN_ID $OUTCOME $EXIT_CODE [$KIND] $COST" >> said.txt; env >> env.txt')
    on_end(run)
    again = world.open()
    assert carry_out(again).outcome == "succeeded" and not is_due(world.spec, again.state)
    on_end(again)
    (line,) = (tmp_path / "said.txt").read_text().splitlines()
    assert line.startswith("demo-20261101T120000Z succeeded 0 [] 0.0")
    heard = (tmp_path / "env.txt").read_text()
    assert "RUN_DIR=" in heard and "RUNPOD_API_KEY" not in heard and "HF_TOKEN" not in heard


def test_a_command_that_fails_changes_neither_outcome_nor_exit_code(tmp_path: Path) -> None:
    world, run = told(tmp_path, "exit 3")
    on_end(run)
    assert (run.state.outcome, run.state.exit_code) == ("succeeded", 0)
    (done,) = [event for event in world.events if isinstance(event, OnEndFinished)]
    assert (done.exit_code, done.error) == (3, "it exited with status 3")


def test_a_command_that_hangs_is_ended(tmp_path: Path) -> None:
    world, run = told(tmp_path, "sleep 60")
    on_end(run, within_s=0.2)
    (done,) = [event for event in world.events if isinstance(event, OnEndFinished)]
    assert done.exit_code is None and "longer than" in done.error


def test_a_process_that_dies_between_intent_and_command_does_not_run_it_twice(tmp_path: Path) -> None:
    world, run = told(tmp_path, "echo x >> said.txt")

    def die(event: object, _state: object) -> None:
        if isinstance(event, OnEndStarted):
            raise Killed

    run.listeners.append(die)
    with pytest.raises(Killed):
        on_end(run)
    later = world.open()
    carry_out(later)
    on_end(later)
    assert not (tmp_path / "said.txt").exists()
    assert len([event for event in world.events if isinstance(event, RunFinished)]) == 1


def test_a_process_that_dies_at_the_end_of_the_run_leaves_the_command_to_the_next(tmp_path: Path) -> None:
    world, _ = told(tmp_path, "echo x >> said.txt")
    later = world.open()
    assert is_due(world.spec, later.state)
    carry_out(later)
    on_end(later)
    assert (tmp_path / "said.txt").read_text() == "x\n"


def test_a_desktop_is_within_reach(tmp_path: Path) -> None:
    world, run = told(tmp_path, "true")
    world.environ["DISPLAY"] = ":0"
    assert environment_of(run)["DISPLAY"] == ":0"
