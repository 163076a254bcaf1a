"""A job that fills the disk of its run's control folder: its end is known, and the guard still works."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runpod_deploy.pod.protocol import JobEnd
from tests.pod_scripts.test_guard import CLIENTS, DELETED, arm, guarding, variables
from tests.pod_scripts.test_job import Job
from tests.support.shell_grounds import eventually, fake_api, script_folder, shell_or_skip
from tests.support.sshd import tools_without

FILL = "cat /dev/zero >'{}/fill' 2>/dev/null"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A separate disk that is little larger than a run needs."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_a_job_that_fills_its_disk_keeps_its_exit_code(disk: Path, shell: str) -> None:
    control = disk / f"run {os.getpid()} full"
    script_folder(control / "bin-1")
    job = Job(control, shell_or_skip(shell))
    job.start(f"{FILL.format(disk)}; exit 3")
    assert job.followed()[-1] == JobEnd(3, stopped=False)
    assert (disk / "fill").stat().st_size > 100_000


@pytest.mark.parametrize("client", CLIENTS)
def test_the_guard_keeps_its_deadline_on_a_full_disk(disk: Path, client: str) -> None:
    control = disk / "run-1"
    script_folder(control / "bin-1")
    arm(control, in_s=4, on_failure="delete")
    lacking = tools_without(*(other for other in CLIENTS if other != client))
    with fake_api() as api, guarding(control, {**variables(api.url), "PATH": lacking}):
        eventually((control / "guard/proof").exists)
        subprocess.run(["sh", "-c", FILL.format(disk)])
        eventually(lambda: DELETED in api.asked())
        assert all(call.authorized for call in api.calls)
