"""Exit code 0 means that the run succeeded, in every state that events can lead to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from runpod_deploy.errors import SshLost
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.record import events as e
from runpod_deploy.record.fold import apply
from runpod_deploy.record.state import State
from tests.support.worlds import Killed, Memory

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
WHERE: dict[str, Any] = {"gpu_id": "g", "datacenter_id": "d", "cloud_type": "SECURE"}
PRICE: dict[str, Any] = {
    "usd_per_hour": 0.4,
    "price_source": "catalogue",
    "created_at": AT,
    "stop_at": AT,
    "stop_why": "cost_cap",
}
PHASES = ("check", "provision", "connect", "watch", "collect", "release")
EVENTS: tuple[e.Event, ...] = (
    e.RunStarted(run_id="r", job_name="j", tool_version="1", success_marker="DONE"),
    e.RunStarted(run_id="r", job_name="j", tool_version="1"),
    e.RunResumed(after="x"),
    e.PodRequested(name="r", **WHERE),
    e.CreateUnclear(reason="504"),
    e.PodRefused(reason="402"),
    e.PodCreated(pod_id="pod", **WHERE, **PRICE),
    e.PodRecycled(pod_id="old", name="q", **WHERE),
    e.PodReachable(host="h", port=22),
    e.PodAbandoned(pod_id="pod", reason="dark"),
    e.PodDiscarded(pod_id="pod"),
    e.LatePodFound(pod_id="late", usd_per_hour=None, created_at=None),
    e.JobLaunched(pid=1),
    e.SuccessMarkerSeen(marker="DONE"),
    e.StopRequested(why="cost_cap"),
    *(e.JobEnded(exit_code=code, why=why) for code, why in ((0, "exited"), (3, "exited"), (None, "cost_cap"))),
    *(e.PhaseStarted(phase=phase) for phase in PHASES),
    *(e.PhaseFinished(phase=phase, duration_sec=1.0) for phase in PHASES),
    *(e.PhaseFailed(phase=phase, kind="cloud", message="m") for phase in PHASES),
    e.PodKilledUnexpected(state=None, note="n", pod_id="pod", gpu_id=None, datacenter_id=None),
    e.GuardReleased(state="EXITED"),
    e.Interrupted(signal="SIGINT"),
    e.Detached(why="asked"),
    e.Detached(why="ssh_lost"),
    e.PodReopening(pod_id="pod"),
    e.ReleaseStarted(action="delete"),
    e.PodReleased(action="delete", state=None),
    e.RunFinished(outcome="o", exit_code=0),
)


def check(state: State) -> None:
    """The exit code, the outcome and the failure say the same."""
    left_on_purpose = state.end.detached == "asked" and not state.end.finished
    if state.exit_code == 0:
        assert left_on_purpose or (state.outcome == "succeeded" and state.failure is None and not state.pod_may_exist)
    if state.end.finished:
        assert (state.exit_code == 0) == (state.outcome == "succeeded")
        assert state.outcome == "succeeded" or state.failure is not None or state.pod_may_exist
    if state.outcome == "succeeded":
        assert state.job.ended and state.job.exit_code == 0 and state.work.collected


@settings(max_examples=600, deadline=None)
@given(st.lists(st.sampled_from(EVENTS), max_size=24))
def test_exit_code_0_means_succeeded_after_any_events(events: list[e.Event]) -> None:
    state = State()
    for number, event in enumerate(events):
        state = apply(state, replace(event, ts_utc=AT + timedelta(seconds=number)))
        check(state)


def test_results_that_were_lost_with_the_pod_are_no_success(tmp_path: Path) -> None:
    world = Memory(tmp_path)

    def die(event: e.Event, _state: State) -> None:
        if isinstance(event, e.JobEnded):
            raise Killed

    try:
        carry_out(world.open(die))
    except Killed:
        world.cloud.vanish(next(iter(world.cloud.rented)))
    state = carry_out(world.open())
    assert state.exit_code in (7, 22) and state.outcome == "failed"
    again = carry_out(world.open())
    assert (again.exit_code, again.outcome) == (state.exit_code, state.outcome)
    assert again.failure is not None and not (tmp_path / "results/out").exists()


def test_a_resumed_run_says_which_results_are_not_here(tmp_path: Path) -> None:
    world = Memory(tmp_path)

    def die(event: e.Event, _state: State) -> None:
        if isinstance(event, e.ReleaseStarted):
            raise Killed

    def vanish(where: str) -> None:
        if where == "before pull out":
            world.on_effect = None
            world.cloud.vanish(next(iter(world.cloud.rented)))
            raise SshLost("connection reset")

    world.on_effect = vanish
    try:
        carry_out(world.open(die))
    except Killed:
        pass
    state = carry_out(world.open())
    assert state.exit_code == 7 and state.failure is not None
    assert "not here: out (/workspace/out)" in state.failure.message
