"""Runs of ours read back from their folders: where they stand, and their manifest made again."""

from __future__ import annotations

import json
import os
import socket
from datetime import timedelta
from pathlib import Path

import pytest

from runpod_deploy.history.known_runs import known_runs
from runpod_deploy.history.runs import (
    RunUnreadable,
    holder,
    last_line,
    may_cost,
    read_run,
    rebuild_manifest,
    run_status,
)
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.record.events import PhaseStarted
from runpod_deploy.record.lock import RunLock
from runpod_deploy.record.manifest import write_manifest
from runpod_deploy.spec.json import spec_to_json
from tests.support.worlds import Killed, Memory, dies_after


def recorded(tmp_path: Path) -> Memory:
    """A world whose run has its spec on disk, as the command line leaves it."""
    world = Memory(tmp_path)
    world.dir.spec.write_text(spec_to_json(world.spec))
    return world


def killed_in(world: Memory, phase: str) -> None:
    """The run's process died as this phase began."""

    def listen(event: object, _state: object) -> None:
        if isinstance(event, PhaseStarted) and event.phase == phase:
            raise Killed

    with pytest.raises(Killed):
        carry_out(world.open(listen))


def test_a_manifest_made_again_is_the_one_that_was_lost_and_keeps_what_others_added(tmp_path: Path) -> None:
    world = recorded(tmp_path)
    state = carry_out(world.open())
    write_manifest(world.spec, state, world.dir, world.clock.now())
    before = json.loads(world.dir.manifest.read_text())

    world.dir.manifest.unlink()
    assert rebuild_manifest(read_run(world.dir.path, print), world.clock.now()) == before
    world.dir.manifest.write_text(json.dumps({"failed": True, "billed_usd": 0.4}))
    rebuild_manifest(read_run(world.dir.path, print), world.clock.now())

    assert json.loads(world.dir.manifest.read_text()) == {**before, "billed_usd": 0.4}


def test_a_run_whose_process_died_is_left_and_its_pod_goes_on_costing(tmp_path: Path) -> None:
    world = recorded(tmp_path)
    killed_in(world, "watch")
    world.dir.log.write_bytes(b"step 1\rstep 2\r\n\n")
    later = world.clock.now() + timedelta(hours=1)

    row = run_status(read_run(world.dir.path, print), later)

    assert (row["state"], row["phase"], row["last_line"]) == ("left", "watch", "step 2")
    assert row["spent_usd"] > 0.40, "an hour at the real rate of an L4"
    assert may_cost(world.dir.path, print)
    carry_out(world.open())
    assert run_status(read_run(world.dir.path, print), later)["state"] == "finished"


def test_the_holder_is_named_as_long_as_it_holds_the_run(tmp_path: Path) -> None:
    world = recorded(tmp_path)
    assert holder(world.dir) is None
    lock = RunLock(world.dir)
    lock.acquire()
    assert holder(world.dir) == f"process {os.getpid()} on {socket.gethostname()}"
    lock.release()
    assert holder(world.dir) is None


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"run_id": 5}'])
def test_a_folder_without_a_spec_of_ours_is_named(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "spec.json").write_text(text)

    with pytest.raises(RunUnreadable, match=str(tmp_path)):
        read_run(tmp_path, print)


def test_finished_and_foreign_runs_are_not_looked_at_again(tmp_path: Path) -> None:
    world = recorded(tmp_path)
    write_manifest(world.spec, carry_out(world.open()), world.dir, world.clock.now())

    assert not may_cost(world.dir.path, print)
    assert not may_cost(tmp_path / "src", print)


def test_the_last_line_of_a_long_log_is_found_without_reading_it_all(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    assert last_line(log) is None
    log.write_bytes(b"x" * 100_000 + b"\nthe end\n   \n")
    assert last_line(log) == "the end"


def test_every_prefix_of_a_history_can_be_shown(tmp_path: Path) -> None:
    for n in range(1, 40, 3):
        root = tmp_path / str(n)
        root.mkdir()
        world = recorded(root)
        try:
            carry_out(world.open(dies_after(n)))
        except Killed:
            pass
        assert run_status(read_run(world.dir.path, print), world.clock.now())["run_id"] == world.spec.run_id


STRANGE_ROWS = b"""{"ts_utc": "2026-06-04T10:00:00+00:00", "event": "heartbeat", "spent_usd": NaN}
{"ts_utc": Infinity, "event": "pod_created", "pod_id": "p", "usd_per_hour": -Infinity}
{"ts_utc": "2026-06-04T10:00:00+00:00", "event": "teleported"}
not JSON at all
[1, 2]
"""


def test_rows_that_this_version_does_not_know_end_no_reader_and_name_their_file_once(tmp_path: Path) -> None:
    world = recorded(tmp_path)
    write_manifest(world.spec, carry_out(world.open()), world.dir, world.clock.now())
    lines = len(world.dir.events.read_bytes().splitlines())
    with world.dir.events.open("ab") as file:
        file.write(STRANGE_ROWS)
    told: list[tuple[str, str]] = []

    def unreadable(path: str, why: str) -> None:
        told.append((path, why))

    run = read_run(world.dir.path, unreadable)
    [known] = known_runs([str(tmp_path)], [world.spec.run_id], unreadable)

    assert run.state.end.finished and known.state.end.finished and not known.held
    assert run_status(run, world.clock.now())["state"] == "finished"
    assert [path for path, _ in told] == [str(world.dir.events)] * 2
    assert all(f"first on line {lines + 1}" in why for _, why in told)
