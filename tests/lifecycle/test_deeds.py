"""What a job does to parts of ours, as the follow channel tells it: recorded, and put right."""

from __future__ import annotations

from pathlib import Path

from runpod_deploy.lifecycle import carry_out
from runpod_deploy.phases.notices import mirror_of, take_notice
from runpod_deploy.pod.protocol import Notice
from runpod_deploy.record.events import (
    ControlFolderLost,
    Event,
    GuardArmed,
    GuardLost,
    GuardMissing,
    IdleProcessesEnded,
    ProcessesLeft,
)
from tests.support.worlds import Memory


def told(tmp_path: Path, *notices: Notice) -> Memory:
    """A run that ended, whose channel told these."""
    world = Memory(tmp_path, notices=list(notices))
    state = carry_out(world.open())
    assert (state.outcome, state.exit_code) == ("succeeded", 0)
    return world


def of_kinds(world: Memory, *kinds: type[Event]) -> list[Event]:
    return [event for event in world.events if isinstance(event, kinds)]


def test_a_guard_that_was_lost_is_armed_again(tmp_path: Path) -> None:
    world = told(tmp_path, Notice("guard"))
    first, lost, again = of_kinds(world, GuardLost, GuardArmed)
    assert isinstance(first, GuardArmed) and isinstance(lost, GuardLost) and isinstance(again, GuardArmed)
    assert first.deadline_at == again.deadline_at


def test_a_guard_that_cannot_be_armed_again_is_told(tmp_path: Path) -> None:
    world = Memory(tmp_path, notices=[Notice("guard")])

    def dies(where: str) -> None:
        if where == "after launch":
            world.inside().guard_lives = False

    world.on_effect = dies
    carry_out(world.open())
    assert [type(event) for event in of_kinds(world, GuardLost, GuardMissing)] == [GuardLost, GuardMissing]


def test_a_folder_that_was_removed_is_no_end_of_the_pod(tmp_path: Path) -> None:
    world = told(tmp_path, Notice("folder"))
    assert len(of_kinds(world, ControlFolderLost)) == 1
    assert len(of_kinds(world, GuardArmed)) == 2, "its guard has its terms again"


def test_processes_that_were_left_are_recorded_once(tmp_path: Path) -> None:
    left = Notice("left", ("7 python train.py",))
    world = told(tmp_path, left, left, Notice("idle", ("7 python train.py",)))
    assert [getattr(event, "processes", None) for event in of_kinds(world, ProcessesLeft, IdleProcessesEnded)] == [
        ("7 python train.py",)
    ] * 2


def test_a_log_that_was_emptied_is_read_from_its_new_begin_by_the_next_process(tmp_path: Path) -> None:
    run = Memory(tmp_path).open()
    mirror = mirror_of(run)
    list(mirror.take(b"one\ntwo\n"))
    list(take_notice(run, mirror, Notice("truncated")))
    list(mirror.take(b"three"))
    assert mirror.remote_offset == 5
    assert mirror_of(run).remote_offset == 5, "the journal knows where the pod's file begins"
    assert run.dir.log.read_bytes() == b"one\ntwo\nthree"
