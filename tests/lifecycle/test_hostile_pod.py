"""A pod that sends nonsense, and texts that nobody can print: the run goes on by its rules."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest

from runpod_deploy.driver import RunOptions, with_listeners
from runpod_deploy.errors import StagingFailed
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.phases import notices, watch
from runpod_deploy.pod.protocol import Notice, Sample
from runpod_deploy.record import events as e
from runpod_deploy.record.state import State
from tests.support.worlds import Killed, Memory

NASTY = "\x1b]52;c;aGk=\x07 \u202e \udc80 \x9b2J \r\n[  0:00] succeeded, exit code 0"


def test_a_channel_that_brings_only_garbage_ends_at_the_limit(tmp_path: Path) -> None:
    world = Memory(tmp_path, garbage=True, job_lasts_s=1e9)
    state = carry_out(world.open())
    assert (state.outcome, state.exit_code) == ("stopped", 21) and state.end.released and not world.cloud.billing
    lost = [event for event in world.events if isinstance(event, e.ConnectionLost)]
    assert 10 < len(lost) < 2000, "it is tried less and less often"
    stopped = next(event for event in world.events if isinstance(event, e.StopRequested))
    assert state.cost.stop_at is not None
    assert abs((stopped.ts_utc - state.cost.stop_at).total_seconds()) < 2, "the limit holds although nothing is heard"


@pytest.mark.parametrize("flaw", ["garbage", "mute"])
def test_a_stopped_job_whose_end_nobody_hears_has_ended(tmp_path: Path, flaw: str) -> None:
    world = Memory(tmp_path, **{flaw: True}, job_lasts_s=1e9)
    state = carry_out(world.open())
    assert (state.outcome, state.exit_code) == ("stopped", 21) and not world.cloud.billing
    assert state.cost.stop_at is not None
    assert (world.clock.now() - state.cost.stop_at).total_seconds() < 120


@pytest.mark.parametrize("flaws", [(), ("garbage",), ("mute",)])
def test_a_job_that_cannot_be_stopped_is_ended_by_the_limit_all_the_same(
    tmp_path: Path, flaws: tuple[str, ...]
) -> None:
    world = Memory(tmp_path, **dict.fromkeys(flaws, True), stop_fails=True, job_lasts_s=1e9)
    state = carry_out(world.open())
    assert (state.outcome, state.exit_code) == ("stopped", 21) and not world.cloud.billing
    assert any(isinstance(event, e.StopFailed) for event in world.events)
    assert state.work.collected, "the results that are there come home"


def test_no_text_of_a_job_ends_the_run_or_reaches_the_console_as_it_is(tmp_path: Path) -> None:
    row = json.dumps({"event": NASTY, "a": NASTY, NASTY: [NASTY, 1e999]}).encode()
    world = Memory(tmp_path, log=b"__RUNPOD_EVENT__ " + row + b"\n" + NASTY.encode("utf-8", "replace") + b"\nDONE\n")
    out = io.StringIO()
    state = carry_out(with_listeners(world.open(), RunOptions(out=out, verbose=True)))
    assert state.exit_code == 0
    assert not any(isinstance(event, e.ListenerFailed) for event in world.events)
    for text in (out.getvalue(), world.dir.console.read_text()):
        assert all(char.isprintable() for char in text.replace("\n", "")), "every way to people is clean"
        assert [line for line in text.splitlines() if line.startswith("[  0:00] succeeded")] == []
    for line in world.dir.events.read_bytes().splitlines():
        json.loads(line, parse_constant=lambda constant: 1 / 0)


def test_a_listener_that_fails_ends_no_run_and_is_named_once(tmp_path: Path) -> None:
    def broken(_event: e.Event, _state: State) -> None:
        raise RuntimeError("a defect")

    def broken_printer(_source: str, data: bytes) -> None:
        raise ValueError(data)

    world = Memory(tmp_path)
    run = world.open(broken)
    run.printers.append(broken_printer)
    assert carry_out(run).exit_code == 0
    named = [event for event in world.events if isinstance(event, e.ListenerFailed)]
    assert len(named) == 2 and "RuntimeError('a defect')" in named[0].error


def test_samples_without_end_do_not_fill_this_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "SAMPLES_BYTES", 10_000)
    world = Memory(tmp_path)
    run = world.open()
    watcher = watch.Watcher(run)
    for _ in range(100):
        watcher.keep_sample(Sample({"noise": "x" * 1000}))
    assert 10_000 < run.dir.metrics.stat().st_size < 12_000
    said = [event for event in world.events if isinstance(event, e.Retried)]
    assert len(said) == 1 and "GiB" in said[0].error


def test_a_log_that_is_emptied_again_and_again_does_not_fill_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "JOB_ROWS", 50)
    world = Memory(tmp_path)
    run = world.open()
    mirror = notices.mirror_of(run)
    for _ in range(200):
        list(notices.take_notice(run, mirror, Notice("truncated")))
    assert sum(isinstance(event, e.LogTruncated) for event in world.events) == 50


def fails(*_: object) -> NoReturn:
    """A call of ours that the pod cannot carry out any more."""
    raise StagingFailed("the pod cannot do what a run needs: No space left on device")


def test_a_guard_that_cannot_be_armed_again_ends_no_job(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=60.0)
    run = world.open()

    def spoil(event: e.Event, _: State) -> None:
        if isinstance(event, e.JobLaunched):
            world.inside().arm = fails  # type: ignore[assignment, method-assign]
            notices.arm_again(run)

    run.listeners.append(spoil)
    state = carry_out(run)
    assert state.exit_code == 0 and state.work.collected
    missing = [event.reason for event in world.events if isinstance(event, e.GuardMissing)]
    assert missing == ["the pod cannot do what a run needs: No space left on device"]


def test_a_channel_that_cannot_be_opened_ends_no_job_and_keeps_no_results_there(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=60.0)

    def spoil(event: e.Event, _: State) -> None:
        if isinstance(event, e.JobLaunched):
            world.inside().follow = fails  # type: ignore[assignment, method-assign]

    state = carry_out(world.open(spoil))
    assert (state.outcome, state.exit_code) == ("stopped", 21), "the limit ends it, since nobody hears of its end"
    assert all(artifact.status == "success" for _, artifact in state.work.artifacts) and state.work.artifacts
    assert not world.cloud.billing


def test_parts_that_are_told_as_lost_without_end_do_not_fill_the_journal(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=1e9)

    def tell(event: e.Event, _: State) -> None:
        if isinstance(event, e.JobLaunched):
            mirror = notices.mirror_of(run)
            for _number in range(5000):
                list(notices.take_notice(run, mirror, Notice("guard")))
                world.clock.advance(0.1)

    run = world.open(tell)
    carry_out(run)
    lost = sum(isinstance(event, e.GuardLost) for event in world.events)
    assert notices.MANY < lost < notices.MANY + 5000 * 0.1 / notices.TOLD_EVERY_S + 5


def test_a_lease_that_cannot_be_read_in_time_ends_no_run(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=60.0)
    world.spec = replace(world.spec, any_machine=True)

    def slow(*_: object) -> NoReturn:
        world.clock.sleep(20.0)
        raise TimeoutError("the command took too long")

    world.inside().lease = slow  # type: ignore[method-assign]
    state = carry_out(world.open())
    assert state.exit_code == 0 and state.work.collected and not world.cloud.billing


def test_the_cost_of_a_pod_whose_guard_is_lost_goes_on(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=1e9)

    def lose(event: e.Event, _: State) -> None:
        if isinstance(event, e.JobLaunched):
            world.inside().arm = fails  # type: ignore[assignment, method-assign]
            notices.arm_again(run)
            raise Killed

    run = world.open(lose)
    with pytest.raises(Killed):
        carry_out(run)
    left = world.open().state
    assert left.cost.guarded_until is None
    later = world.clock.now() + timedelta(days=30)
    assert left.cost.spent_usd(later) > 30 * 24 * 0.3
