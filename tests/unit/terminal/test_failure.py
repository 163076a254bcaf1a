"""The end of a failed run, as a person reads it."""

from __future__ import annotations

from pathlib import Path

from runpod_deploy.errors import FAILURE_KINDS
from runpod_deploy.record import events as e
from runpod_deploy.record.paths import RunDir
from runpod_deploy.record.state import State
from runpod_deploy.terminal.failure import KIND_WORDS, failure_lines
from tests.unit.terminal.pictures import START, state_after


def ended(*more: e.Event, exit_code: int = 137) -> State:
    """A run whose job has failed, and whose pod then was released as these events say."""
    created = e.PodCreated(
        pod_id="p1", gpu_id="L4", datacenter_id="EU", cloud_type="SECURE", usd_per_hour=1.0, price_source="x",
        created_at=START, stop_at=START, stop_why="cost_cap", disks_usd_per_hour=0.01, volume_gb=50,
    )  # fmt: skip
    requested = e.PodRequested(name="demo-1", gpu_id="L4", datacenter_id="EU", cloud_type="SECURE")
    return state_after(
        (0, e.RunStarted(run_id="demo-1", job_name="demo", tool_version="1")),
        (1, requested),
        (2, created),
        (3, e.PodReachable(host="h", port=22)),
        (4, e.JobLaunched(pid=7)),
        (5, e.JobEnded(exit_code=exit_code, why="exited", log_bytes=3)),
        *((6.0, event) for event in more),
    )


def said(state: State, folder: Path) -> list[str]:
    """The lines about the run in that folder."""
    assert state.failure is not None
    return list(failure_lines(state.failure, state, RunDir(folder)))


def test_every_kind_has_plain_words() -> None:
    assert set(KIND_WORDS) == set(FAILURE_KINDS)


def test_a_failed_job_shows_the_end_of_its_log_and_what_to_type(tmp_path: Path) -> None:
    bar = "".join(f"\r{n} %" for n in range(101))
    lines = "".join(f"line {n}\n" for n in range(40))
    (tmp_path / "run.log").write_text(f"{lines}{bar}\n__RUNPOD_EVENT__ {{}}\nMemoryError\n")
    text = said(ended(e.PodReleased(action="stop", state="EXITED")), tmp_path)
    shown = [line for line in text if line.startswith("  | ")]
    assert len(shown) == 20 and shown[-3:] == ["  | line 39", "  | 100 %", "  | MemoryError"]
    assert text[0] == "run demo-1 did not succeed: the job failed"
    assert "error: the job exited with status 137 (killed by SIGKILL, often because the pod's memory was full)" in text
    after = text[text.index("kind: job_failed") + 1 :]
    assert after[0] == "next:" and after[-1] == f"all files of the run: {tmp_path}"
    commands = [line.split("  #")[0].strip() for line in after[1:-1]]
    assert commands == [
        f"runpod-deploy logs {tmp_path}",
        f"runpod-deploy events {tmp_path}",
        f"runpod-deploy pull --start {tmp_path}",
        f"runpod-deploy stop --delete {tmp_path}",
    ]
    assert after[-2].endswith(" a day")


def test_a_pod_that_was_kept_running_can_be_entered(tmp_path: Path) -> None:
    text = "\n".join(said(ended(e.PodReleased(action="preserve", state="RUNNING")), tmp_path))
    assert "runpod-deploy ssh " in text and "runpod-deploy pull " in text and " a day\n" in text


def test_a_failed_command_shows_its_own_output(tmp_path: Path) -> None:
    (tmp_path / "console.log").write_text("[  0:01] setup[0]: apt\n  setup | E: no such package\n  job | no\n")
    state = state_after(
        (0, e.RunStarted(run_id="demo-1", job_name="demo", tool_version="1")),
        (1, e.PhaseFailed(phase="setup", kind="setup_failed", message="setup[0] failed", hint="mend it")),
    )
    text = said(state, tmp_path)
    assert text[2:6] == ["  | E: no such package", "error: setup[0] failed", "hint: mend it", "kind: setup_failed"]
    assert "  runpod-deploy events" in text[7] and "delete" not in "\n".join(text)


def test_a_run_that_rented_nothing_names_no_pod(tmp_path: Path) -> None:
    state = state_after(
        (0, e.RunStarted(run_id="demo-1", job_name="demo", tool_version="1")),
        (1, e.PhaseFailed(phase="choose", kind="stock_out", message="none")),
    )
    assert len(said(state, tmp_path)) == 6
