"""What storms (tests/storm) have found, as the smallest story that shows it."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from runpod_deploy.driver import to_end
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.record.events import Event, Interrupted, PodReleased
from runpod_deploy.record.state import State
from runpod_deploy.run import Run
from runpod_deploy.spec import SecretSpec
from tests.lifecycle.test_recycle import second_run
from tests.support.worlds import FaultAt, Killed, Memory, with_job

SECRET = SecretSpec(name="hf", destination="/root/.hf", env=("HF_TOKEN",))


def test_a_clock_that_is_set_back_makes_no_event_older_than_the_one_before_it(tmp_path: Path) -> None:
    world = Memory(tmp_path)

    def set_back(where: str) -> None:
        if where == "after launch":
            world.clock.set_back(timedelta(hours=1))

    world.on_effect = set_back
    carry_out(world.open())
    times = [event.ts_utc for event in world.events]
    assert times == sorted(times)


def test_a_secret_that_takes_too_long_to_write_is_a_failed_staging(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.environ = {"HF_TOKEN": "x"}
    world.spec = with_job(world.spec, secrets=(SECRET,))

    def hang(where: str) -> None:
        if where.startswith("before run umask"):
            raise TimeoutError("too long")

    world.on_effect = hang
    state = carry_out(world.open())
    assert state.failure is not None and state.failure.kind == "staging" and state.exit_code == 7


def test_a_run_that_is_resumed_without_its_secrets_says_which_are_missing(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.environ = {"HF_TOKEN": "x"}
    world.spec = with_job(world.spec, secrets=(SECRET,))
    world.on_effect = FaultAt(2, Killed)
    with pytest.raises(Killed):
        carry_out(world.open())
    world.on_effect, world.environ = None, {}
    state = carry_out(world.open())
    assert state.failure is not None and state.failure.kind == "staging" and "HF_TOKEN" in state.failure.message
    assert world.cloud.billing == []


def test_a_job_is_not_started_while_the_journal_cannot_be_written(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    with disk_full_from("after push code", world):
        state = carry_out(world.open())
    assert state.failure is not None and state.failure.kind == "staging" and world.starts == 0
    assert world.cloud.billing == []


def test_rows_that_had_no_room_are_on_disk_at_the_end_if_there_is_room_again(tmp_path: Path) -> None:
    world = Memory(tmp_path)

    def story(run: Run) -> State:
        with disk_full_from("after push code", world):
            return carry_out(run)

    state = to_end(world.open(), story)
    assert world.open().state.exit_code == state.exit_code and world.open().state.end.finished


@contextmanager
def disk_full_from(place: str, world: Memory) -> Iterator[None]:
    """From this side effect on no file of this machine can grow."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(where: str) -> None:
        if where == place:
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, usual[1]))

    world.on_effect = fill
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def test_a_paused_pod_is_not_started_while_the_journal_cannot_be_written(tmp_path: Path) -> None:
    world = second_run(tmp_path)
    world.cloud.calls.clear()
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    run = world.open()
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, usual[1]))
    try:
        state = carry_out(run)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert state.exit_code == 2 and not any(call.startswith("start") for call in world.cloud.calls)


def test_a_paused_pod_whose_end_is_confirmed_late_is_not_exit_9(tmp_path: Path) -> None:
    world = second_run(tmp_path)
    world.cloud.host_is_full, world.cloud.delete_lag_s = True, 100.0
    state = carry_out(world.open())
    assert not state.pod_may_exist and state.exit_code == 5 and world.cloud.list_pods() == []


def test_one_empty_listing_does_not_end_the_search_for_a_late_pod(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.on_effect = lose_answer_and_die(world)
    with pytest.raises(Killed):
        carry_out(world.open())
    world.on_effect = None
    world.clock.advance(1000.0)
    late = next(iter(world.cloud.rented))
    world.cloud.hidden.add(late)
    world.clock.at(world.clock.monotonic() + 6.0, lambda: world.cloud.hidden.discard(late))
    run = world.open()
    run.record(Interrupted(signal="SIGINT"))
    carry_out(run)
    assert world.cloud.list_pods() == []


def lose_answer_and_die(world: Memory) -> Callable[[str], None]:
    """The process dies when its create call has had its effect."""

    def die(where: str) -> None:
        if where == "after create":
            raise Killed

    return die


def test_a_failed_run_that_was_killed_after_its_release_has_not_succeeded_when_it_is_resumed(tmp_path: Path) -> None:
    world = Memory(tmp_path)

    def no_artifact(where: str) -> None:
        if where.startswith("before pull"):
            raise OSError("Input/output error")

    world.on_effect = no_artifact
    with pytest.raises(Killed):
        carry_out(world.open(dies_at_the_release))
    state = carry_out(world.open())
    assert (state.outcome, state.exit_code) == ("failed", 7) and not world.cloud.billing


def dies_at_the_release(event: Event, _: State) -> None:
    """The process dies when its pod is released."""
    if isinstance(event, PodReleased):
        raise Killed
