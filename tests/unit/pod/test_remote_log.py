"""The command that follows a log on the pod ends with the job."""

from __future__ import annotations

import subprocess
from pathlib import Path

from runpod_deploy.pod.remote_log import followed


def run(log: Path, status: Path) -> subprocess.CompletedProcess[str]:
    command = followed(f"tail -n 2 -- {log}", str(status))
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)


def test_the_log_of_a_job_that_is_over_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("1\n2\n3\n")
    (tmp_path / "status").touch()
    done = run(tmp_path / "log", tmp_path / "status")
    assert (done.returncode, done.stdout) == (0, "2\n3\n")


def test_a_log_that_is_missing_is_no_success(tmp_path: Path) -> None:
    assert run(tmp_path / "log", tmp_path / "status").returncode != 0
