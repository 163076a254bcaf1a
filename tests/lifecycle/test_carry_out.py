"""Whole runs, killed, failing and interrupted at every step: each is carried on to a released pod."""

from __future__ import annotations

import itertools
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from runpod_deploy.driver import to_end
from runpod_deploy.errors import AnswerUnclear, AuthRefused, CloudUnreachable, Interrupt, SshLost
from runpod_deploy.lifecycle import CLOSING, FORWARD, carry_out
from runpod_deploy.money import spent_usd
from runpod_deploy.record.events import (
    ArtifactPullCompleted,
    DatacenterFailover,
    Event,
    GuardReleased,
    JobLaunched,
    PodKilledUnexpected,
    PodRequested,
)
from runpod_deploy.record.manifest import manifest
from runpod_deploy.record.state import State
from runpod_deploy.spec import ArtifactPullSpec, BudgetSpec, LifecycleAction, LifecyclePolicySpec, RunSpec, SecretSpec
from tests.support.worlds import FaultAt, Killed, Memory, dies_after, with_job

EVENTS = 51
EFFECTS = 46


def settled(world: Memory) -> None:
    """No pod is left, none was made twice, no job was started twice."""
    assert world.cloud.list_pods() == [] and world.cloud.billing == []
    assert len(world.cloud.created) <= 1
    assert world.starts <= 1


def test_the_whole_story(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    state = carry_out(world.open())
    assert state.outcome == "succeeded" and state.exit_code == 0
    assert [p.name for p in state.progress.phases] == [phase.__name__ for phase in (*FORWARD, *CLOSING)]
    assert (tmp_path / "results/out").read_bytes() == b"result"
    assert world.dir.log.read_bytes() == b"hello\nDONE\n"
    assert world.starts == 1 and world.cloud.list_pods() == [] and len(world.cloud.created) == 1
    assert len(world.events) == EVENTS, "EVENTS above must cover the whole story"


def test_count_the_side_effects(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.on_effect = counter = FaultAt(10**9, RuntimeError)
    carry_out(world.open())
    assert counter.seen <= EFFECTS, "EFFECTS above must cover every side effect"


@pytest.mark.parametrize("n", range(1, EVENTS + 1))
def test_killed_after_any_event_and_resumed(tmp_path: Path, n: int) -> None:
    world = Memory(tmp_path)
    with pytest.raises(Killed):
        carry_out(world.open(dies_after(n)))
    state = carry_out(world.open())
    settled(world)
    assert state.outcome == "succeeded" and len(world.cloud.created) == 1 and world.starts == 1
    assert world.dir.log.read_bytes() == b"hello\nDONE\n"


@pytest.mark.parametrize("n", range(1, EFFECTS + 1))
@pytest.mark.parametrize("lag_s", [0.0, 12.0])
def test_killed_at_any_side_effect_and_resumed(tmp_path: Path, n: int, lag_s: float) -> None:
    world = Memory(tmp_path)
    world.cloud.listing_lag_s = lag_s
    world.on_effect = FaultAt(n, Killed)
    try:
        carry_out(world.open())
    except Killed:
        world.on_effect = None
        carry_out(world.open())
    settled(world)
    assert world.open().state.outcome == "succeeded"


@pytest.mark.parametrize("n", range(1, EFFECTS + 1))
@pytest.mark.parametrize("error", [CloudUnreachable, AnswerUnclear, SshLost, RuntimeError])
def test_failing_at_any_side_effect_leaves_no_pod(tmp_path: Path, n: int, error: type[Exception]) -> None:
    world = Memory(tmp_path)
    world.on_effect = FaultAt(n, lambda: error("the world is bad"))
    state = carry_out(world.open())
    if state.pod_may_exist:
        assert state.outcome == "unreleased" and state.exit_code == 9
        state = carry_out(world.open())
    settled(world)
    assert state.end.finished and not state.pod_may_exist


@pytest.mark.parametrize("n", range(1, EFFECTS + 1))
@pytest.mark.parametrize("lag_s", [0.0, 12.0])
def test_interrupted_at_any_side_effect_is_never_a_success(tmp_path: Path, n: int, lag_s: float) -> None:
    world = Memory(tmp_path)
    world.cloud.listing_lag_s = lag_s
    world.on_effect = fault = FaultAt(n, lambda: Interrupt("SIGINT"))
    state = carry_out(world.open())
    if not state.end.finished or fault.where.startswith(("before delete", "after delete")):
        world.on_effect = None
        state = carry_out(world.open())
    settled(world)
    if fault.where:
        assert state.outcome == "interrupted" and state.exit_code == 130


@pytest.mark.parametrize("n", range(1, EFFECTS + 1))
@pytest.mark.parametrize("policy", ["stop", "recycle"])
def test_a_pod_that_bills_is_guarded_wherever_its_driver_dies(tmp_path: Path, n: int, policy: LifecycleAction) -> None:
    world = Memory(tmp_path)
    world.spec = with_job(world.spec, lifecycle=LifecyclePolicySpec(on_success=policy, on_failure="stop"))
    world.on_effect = FaultAt(n, Killed)
    try:
        carry_out(world.open())
    except Killed:
        pass
    if world.open().state.pod.guard_deadline_at and any(pod.status == "RUNNING" for pod in world.cloud.billing):
        assert all(host.armed for host in world.hosts.values())


@pytest.mark.parametrize("n", range(1, EFFECTS + 1))
@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("lag_s", [0.0, 12.0])
def test_real_signals_at_any_side_effect_never_keep_the_pod(tmp_path: Path, n: int, again: bool, lag_s: float) -> None:
    world, seen = Memory(tmp_path), itertools.count(1)
    world.cloud.listing_lag_s = lag_s

    def kick(_where: str) -> None:
        at = next(seen)
        if at == n or (again and at == n + 1):
            os.kill(os.getpid(), signal.SIGTERM)

    world.on_effect = kick
    run = world.open()
    with run.signals.installed():
        state = to_end(run, carry_out)
    settled(world)
    assert state.end.released and (state.end.interrupted == "SIGTERM" or next(seen) <= n)


@pytest.mark.parametrize("n", range(1, EVENTS + 1))
@pytest.mark.parametrize("policy", ["delete", "stop"])
@pytest.mark.parametrize("lag_s", [0.0, 12.0])
def test_a_signal_after_any_event_never_keeps_the_pod(
    tmp_path: Path, n: int, policy: Literal["delete", "stop"], lag_s: float
) -> None:
    world, count = Memory(tmp_path), itertools.count(1)
    world.spec = with_job(world.spec, lifecycle=LifecyclePolicySpec(on_success=policy, on_failure=policy))
    world.cloud.listing_lag_s = lag_s

    def kick(_event: Event, _state: State) -> None:
        if next(count) == n:
            os.kill(os.getpid(), signal.SIGTERM)

    run = world.open(kick)
    with run.signals.installed():
        state = to_end(run, carry_out)
    assert not state.pod_may_exist and world.cloud.billing == []
    assert len(world.cloud.list_pods()) == (1 if policy == "stop" and world.cloud.created else 0)


def test_carrying_out_a_finished_run_changes_nothing(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    carry_out(world.open())
    before = world.dir.events.read_bytes()
    carry_out(world.open())
    assert world.dir.events.read_bytes() == before


def test_intent_is_on_disk_before_the_call(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    seen: list[list[str]] = []

    def at_create(where: str) -> None:
        if where == "before create":
            seen.append([json.loads(line)["event"] for line in world.dir.events.read_text().splitlines()])

    world.on_effect = at_create
    carry_out(world.open())
    assert [events[-1] for events in seen] == ["pod_requested"]


def test_a_lost_answer_is_adopted_and_never_asked_twice(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.listing_lag_s = 8.0
    world.on_effect = lose_first_answer()
    state = carry_out(world.open())
    settled(world)
    assert state.outcome == "succeeded"
    assert [call for call in world.cloud.calls if call.startswith("create")] == ["create demo-20261101T120000Z"]


class FirstAt(FaultAt):
    """Raises at the first side effect with this name."""

    def __init__(self, place: str, error: Callable[[], BaseException]) -> None:
        super().__init__(1, error)
        self.place = place

    def __call__(self, where: str) -> None:
        if where == self.place:
            super().__call__(where)


def lose_first_answer() -> FaultAt:
    """A create call that takes effect and whose answer is lost."""
    return FirstAt("after create", lambda: AnswerUnclear("connection reset"))


def test_refusals_fall_through_with_a_row_each(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.sold_out = {("NVIDIA L4", "EU-RO-1")}
    state = carry_out(world.open())
    settled(world)
    refused = [event for event in world.events if isinstance(event, DatacenterFailover)]
    assert [(event.from_, event.to) for event in refused] == [("EU-RO-1", "US-TX-3")]
    assert state.pod.datacenter_id == "US-TX-3"


def test_no_stock_at_all_is_exit_3_and_no_pod(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.sold_out = {("NVIDIA L4", "EU-RO-1"), ("NVIDIA L4", "US-TX-3")}
    state = carry_out(world.open())
    settled(world)
    assert state.exit_code == 3 and world.cloud.created == []


def test_a_pod_that_never_boots_is_replaced_once(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.dead_hosts = {"EU-RO-1"}
    state = carry_out(world.open())
    assert world.cloud.list_pods() == [] and world.starts == 1
    assert state.outcome == "succeeded" and len(world.cloud.created) == 2
    first, second = state.cost.rentals
    assert first.until_at is not None
    assert spent_usd([first], first.until_at) == pytest.approx(0.404 * 900 / 3600, rel=0.05)
    assert first.until_at <= second.since_at


def test_two_pods_that_never_boot_end_the_run(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.dead_hosts = {"EU-RO-1", "US-TX-3"}
    state = carry_out(world.open())
    assert world.cloud.list_pods() == [] and state.exit_code == 6


def test_the_exit_status_speaks_first(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_exit_code=3)
    state = carry_out(world.open())
    settled(world)
    assert state.outcome == "job_failed" and state.exit_code == 20 and state.job.exit_code == 3


def test_a_missing_marker_takes_success_away(tmp_path: Path) -> None:
    world = Memory(tmp_path, log=b"hello\n")
    state = carry_out(world.open())
    failure = state.failure
    assert failure is not None and failure.kind == "marker_missing"


def test_the_cap_ends_a_job_that_hangs(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=10.0**9)
    world.spec = with_job(world.spec, budget=BudgetSpec(cost_cap_usd=0.40, assumed_hourly_rate_usd=0.2))
    state = carry_out(world.open())
    settled(world)
    failure = state.failure
    assert failure is not None and failure.kind == "cost_cap" and state.exit_code == 21
    assert 0.40 <= spent_usd(state.cost.rentals, world.clock.now()) <= 0.4025
    assert (tmp_path / "results/out").exists()


def test_a_configured_failure_marker_ends_the_job(tmp_path: Path) -> None:
    world = Memory(tmp_path, log=b"BAD NEWS\nand on and on and on\nDONE\n", job_lasts_s=10.0**9)
    run = RunSpec(script_path="/r", log_path="/l", body="x", failure_markers=("BAD NEWS",))
    world.spec = with_job(world.spec, run=run)
    state = carry_out(world.open())
    settled(world)
    failure = state.failure
    assert failure is not None and failure.kind == "failure_marker"


def test_a_pod_killed_from_outside_is_known_within_30_s(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=10.0**6)
    died_s = 200.0
    world.clock.at(died_s, lambda: world.cloud.vanish(next(iter(world.cloud.rented))))
    state = carry_out(world.open())
    killed = next(event for event in world.events if isinstance(event, PodKilledUnexpected))
    assert (killed.ts_utc - world.spec.created_at).total_seconds() - died_s <= 30
    assert killed.gpu_id == "NVIDIA L4" and killed.datacenter_id == "EU-RO-1" and killed.pod_id
    assert state.exit_code == 22 and world.cloud.list_pods() == []


def left_at_launch(world: Memory) -> None:
    """The driver is killed when the job has just been launched."""

    def listen(event: Event, _state: State) -> None:
        if isinstance(event, JobLaunched):
            raise Killed

    with pytest.raises(Killed):
        carry_out(world.open(listen))


def test_a_pod_that_its_guard_paused_was_stopped_by_the_limit_and_costs_no_more(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=10.0**6)
    world.spec = with_job(world.spec, lifecycle=LifecyclePolicySpec(on_failure="stop"))
    left_at_launch(world)
    deadline = world.open().state.pod.guard_deadline_at
    assert deadline
    world.clock.advance((deadline - world.clock.now()).total_seconds() + 1)
    world.cloud.exit(next(iter(world.cloud.rented)))
    world.clock.advance(86_400.0)
    state = carry_out(world.open())
    assert state.exit_code == 21 and state.outcome == "stopped"
    assert [event.state for event in world.events if isinstance(event, GuardReleased)] == ["EXITED"]
    spent = manifest(world.spec, state, now=world.clock.now(), log=None, files=[])["estimated_cost_usd"]
    lasted_s = (deadline - state.cost.rentals[0].since_at).total_seconds()
    assert spent == pytest.approx(state.cost.rentals[0].usd_per_hour * lasted_s / 3600, 0.01)


def test_a_pod_that_was_ended_before_its_guard_s_time_was_killed(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=10.0**6)
    left_at_launch(world)
    world.cloud.exit(next(iter(world.cloud.rented)))
    assert carry_out(world.open()).exit_code == 22


def test_what_a_restarted_container_still_holds_comes_home(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_exit_code=None)
    state = carry_out(world.open())
    settled(world)
    assert state.exit_code == 22
    assert (tmp_path / "results/out").read_bytes() == b"result"


def test_a_pod_that_shows_up_when_another_was_asked_for_is_gone_in_the_end(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.listing_lag_s = 120.0
    world.on_effect = lose_first_answer()
    state = carry_out(world.open())
    assert len(world.cloud.created) == 2, "nobody can know of a pod that no listing shows for two minutes"
    assert world.cloud.list_pods() == [] and state.outcome == "succeeded"


def test_a_key_that_is_refused_at_the_end_is_exit_9(tmp_path: Path) -> None:
    world = Memory(tmp_path)

    def refuse(where: str) -> None:
        if where == "before delete":
            raise AuthRefused("HTTP 401")

    world.on_effect = refuse
    state = carry_out(world.open())
    assert state.exit_code == 9
    words = state.end.closing_failures[-1]
    assert "MAY STILL BE BILLING at $0.40 per hour" in words.message and "https://" in words.message


def test_a_connection_that_breaks_after_the_limit_does_not_end_the_pull(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=10.0**9)
    world.spec = with_job(world.spec, budget=BudgetSpec(cost_cap_usd=0.40, assumed_hourly_rate_usd=0.2))
    world.on_effect = FirstAt("before pull out", lambda: SshLost("connection reset"))
    state = carry_out(world.open())
    assert state.exit_code == 21 and (tmp_path / "results/out").exists()


def test_a_pod_that_cannot_be_reached_before_the_job_is_given_up_at_the_limit(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    budget = BudgetSpec(cost_cap_usd=0.04, assumed_hourly_rate_usd=0.2, ssh_lost_timeout_sec=3600)
    world.spec = with_job(world.spec, budget=budget)

    def deaf(where: str) -> None:
        if where.startswith(("before push", "before run")) and world.open().state.progress.phase == "stage":
            raise SshLost("connection reset")

    world.on_effect = deaf
    state = carry_out(world.open())
    settled(world)
    ended_at = state.cost.rentals[0].until_at
    assert state.exit_code == 21 and state.cost.stop_at and ended_at
    assert (ended_at - state.cost.stop_at).total_seconds() < 10


def test_an_unconfirmed_release_is_exit_9_and_can_be_taken_up_again(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.delete_lag_s = 400.0
    state = carry_out(world.open())
    assert state.outcome == "unreleased" and state.exit_code == 9
    world.clock.advance(400)
    state = carry_out(world.open())
    settled(world)
    assert state.outcome == "succeeded"


def test_a_missing_required_artifact_is_exit_7_and_released_as_a_failure(tmp_path: Path) -> None:
    world = Memory(tmp_path, results={})
    world.spec = with_job(world.spec, lifecycle=LifecyclePolicySpec(on_success="delete", on_failure="stop"))
    state = carry_out(world.open())
    assert state.exit_code == 7 and state.pod.final_state == "EXITED"
    assert world.cloud.billing == []


def test_a_guard_that_does_not_live_forbids_the_launch(tmp_path: Path) -> None:
    world = Memory(tmp_path, guard_lives=False)
    state = carry_out(world.open())
    settled(world)
    assert world.starts == 0 and state.exit_code == 6


def test_the_manifest_can_be_made_from_the_journal_alone(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    state = carry_out(world.open())
    again = world.open().state
    first = manifest(world.spec, state, now=world.clock.now(), log=None, files=[])
    second = manifest(world.spec, again, now=world.clock.now(), log=None, files=[])
    assert first == second and first["failed"] is False and first["estimated_cost_usd"] > 0


def test_a_write_ahead_row_names_the_pod(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    carry_out(world.open())
    asked = [event for event in world.events if isinstance(event, PodRequested)]
    assert [event.name for event in asked] == world.cloud.created


def test_artifacts_come_early_when_asked_to(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=100.0)
    early = ArtifactPullSpec(label="out", remote_path="/workspace/out", local_path="results/out", every_sec=30)
    world.spec = with_job(world.spec, artifacts=(early,))
    carry_out(world.open())
    pulls = [event for event in world.events if isinstance(event, ArtifactPullCompleted)]
    assert len(pulls) == 4 and world.open().state.outcome == "succeeded"


def test_secrets_go_up_by_stdin_and_come_off_again(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.environ = {"HF_TOKEN": "it's a $c4n4ry"}
    secret = SecretSpec(name="hf", destination="/root/.hf", env=("HF_TOKEN",))
    world.spec = with_job(world.spec, secrets=(secret,))
    carry_out(world.open())
    host = next(iter(world.hosts.values()))
    assert b"""HF_TOKEN='it'"'"'s a $c4n4ry'\n""" in host.files.values()
    assert any("rm -f" in command and "/root/.hf" in command for command in host.commands)
    assert "c4n4ry" not in world.dir.events.read_text()


def test_a_missing_secret_is_found_before_anything_is_paid(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.spec = with_job(world.spec, secrets=(SecretSpec(name="hf", destination="/root/.hf", env=("HF_TOKEN",)),))
    state = carry_out(world.open())
    assert state.exit_code == 2 and world.cloud.created == []
