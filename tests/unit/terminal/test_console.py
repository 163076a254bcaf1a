"""The lines that tell a person of events."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from runpod_deploy.record import events as e
from runpod_deploy.record.fold import apply
from runpod_deploy.record.state import State
from runpod_deploy.terminal.console import event_line
from tests.unit.terminal.pictures import RUN_ID, START, state_after, watching

STOP = f"`runpod-deploy stop {RUN_ID} --delete`"


def console_line(event: e.Event, state: State, after_s: float = 1800.0) -> str | None:
    """The console's line for the event."""
    happened = type(event)(**{**vars(event), "ts_utc": START + timedelta(seconds=after_s)})
    return event_line(happened, apply(state, happened))


@pytest.mark.parametrize(
    ("action", "status", "ending"),
    [
        ("delete", None, "is gone: it costs nothing any more"),
        ("preserve", "RUNNING", f"released (preserve): RUNNING; it costs $1.09/hr until you delete it with {STOP}"),
    ],
)
def test_a_release_says_what_goes_on_costing(action: str, status: str | None, ending: str) -> None:
    line = console_line(e.PodReleased(action=action, state=status), watching())
    assert line == f"pod k3v9x1q7 {ending}"


def test_a_run_without_a_pod_releases_none() -> None:
    state = state_after((0, e.RunStarted(run_id="r", job_name="demo", tool_version="1")))
    assert console_line(e.PodReleased(action="delete", state=None), state) == "no pod is left"


def test_an_instant_of_another_day_says_so() -> None:
    armed = e.GuardArmed(deadline_at=START + timedelta(hours=13))
    assert "ends itself at Nov 02 01:00:00 UTC" in str(console_line(armed, watching()))
    armed = e.GuardArmed(deadline_at=START + timedelta(hours=1))
    assert "ends itself at 13:00:00 UTC" in str(console_line(armed, watching()))


def test_one_file_is_one_file() -> None:
    pulled = e.ArtifactPullCompleted(label="out", duration_sec=1, files=1, bytes=9, bytes_transferred=9, sha256="")
    assert console_line(pulled, watching()) == "pulled out: 1 file, 9 B in 1.0 s"


def test_entries_that_were_not_created_are_named() -> None:
    pulled = e.ArtifactPullCompleted(
        label="out",
        duration_sec=1,
        files=1,
        bytes=9,
        bytes_transferred=9,
        sha256="",
        refused=5,
        refused_first=("'a'", "'b'", "'c'", "'d'", "'e'"),
    )
    assert str(console_line(pulled, watching())).startswith(
        "pulled out: 1 file, 9 B in 1.0 s; WARNING: 'a', 'b', 'c' and 2 more not created here"
    )


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (e.JobEnded(exit_code=3, why="exited"), "job ended: exit status 3"),
        (e.JobEnded(exit_code=143, why="cost_cap"), "job ended: exit status 143; the cost cap was reached"),
        (e.JobEnded(exit_code=None, why="exited"), "job ended: no exit status is known"),
        (e.Detached(why="asked"), "detached: the job goes on; the guard ends the pod at 13:02:00 UTC at the latest"),
        (
            e.Detached(why="ssh_lost"),
            "detached: the pod does not answer over SSH; the guard ends the pod at 13:02:00 UTC at the latest",
        ),
    ],
)
def test_what_ends_is_said_in_full(event: e.Event, line: str) -> None:
    guarded = apply(watching(), e.GuardArmed(deadline_at=START + timedelta(minutes=62)))
    assert console_line(event, guarded) == line


def test_a_detached_pod_without_a_guard_bills_on() -> None:
    line = "detached: the job goes on; NO GUARD is on the pod, so it bills until you end it"
    assert console_line(e.Detached(why="asked"), watching()) == line


def test_a_paused_pod_comes_with_the_command_that_deletes_it() -> None:
    paused = replace(watching(), pod=replace(watching().pod, volume_gb=40, name=RUN_ID))
    line = str(console_line(e.PodReleased(action="stop", state="EXITED"), paused))
    assert "; its disk costs $0.27 a day until you delete it with " in line
    assert line.endswith(STOP)


def test_the_last_line_of_a_success_names_the_optional_artifacts_that_are_not_here() -> None:
    failed = e.ArtifactPullFailed(label="plots", error="connection reset", duration_sec=1.0)
    state = apply(State(), failed)
    ends = [e.RunFinished(outcome=outcome, exit_code=code) for outcome, code in (("succeeded", 0), ("failed", 7))]
    lines = [console_line(end, state) or "" for end in ends]
    assert [line.endswith("; not here, and not required: plots") for line in lines] == [True, False]
