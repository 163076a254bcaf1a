"""The guard and the job's supervisor outlive what a job does to its machine: it kills by name, and removes folders.

A container in which `job.sh` starts such a job beside the guard, in every shell and with what it names `sh`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.pod_scripts.test_guard import ACTION, CLIENTS, arm, program, variables
from tests.support.shell_grounds import FakeApi, container, eventually, fake_api, script_folder, shell_or_skip
from tests.support.sshd import tools_without

DEEDS = {
    "cleans up": (
        "pkill -f NAME; killall -q NAME; pkill -9 -f NAME; rm -rf VOLUME/.[!.]*; sleep 1; "
        "find VOLUME -mindepth 1 -delete; "
        "git init -q VOLUME && git -C VOLUME clean -xffdq; cat /dev/zero >VOLUME/fill; rm -rf VOLUME/.[!.]*; "
        "cat /dev/zero >>VOLUME/fill; mount -o remount,ro VOLUME"
    ),
    "ends every shell": "pkill -9 -f sh",
    "ends the guard and its folder": "killall -q bash; rm -rf VOLUME/.[!.]*; pkill -9 -f guard.sh",
}


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own, as the volume of a pod."""
    folder = tmp_path / "volume"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]).returncode:
        pytest.skip("no disk can be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def control(volume: Path) -> Path:
    folder = volume / ".runpod-deploy" / f"vllm-{os.getpid()}-{volume.parent.name.rpartition('_')[2]}"
    script_folder(folder / "bin-1")
    return folder


@contextmanager
def pod(control: Path, api: FakeApi, shell: str, body: str) -> Iterator[None]:
    """A container with guard and job, whose `sh` is this shell."""
    folder = control.parents[2] / "shell"
    folder.mkdir()
    (folder / "sh").symlink_to(shutil.which(shell_or_skip(shell)[0]) or "/nowhere")
    path = f"{folder}:{tools_without(*CLIENTS[1:], 'sh')}"
    start = f"sh {control}/bin-1/job.sh start {control} {control}/log {control}/script {control.name}@"
    script = (
        f"setsid sh -c 'eval \"$G\"' guard.sh </dev/null >/dev/null 2>&1 & unset G RUNPOD_DEPLOY_ROLE; "
        f'until [ -e {control}/guard/proof ]; do sleep 0.1; done; printf %s "$BODY" | {start} {len(body)}; '
        "exec sleep 600"
    )
    env = {**variables(api.url), **program(control), "PATH": path, "BODY": body}
    with container(env, ("/bin/sh", "-c", script)):
        eventually((control / "pid").exists)
        yield


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_the_guard_keeps_its_deadline(control: Path, volume: Path, shell: str, deed: str) -> None:
    arm(control, 8, on_failure="stop")
    body = DEEDS[deed].replace("NAME", control.name.split("-")[0]).replace("VOLUME", str(volume))
    with fake_api() as api, pod(control, api, shell, f"sleep 1; {body}; sleep 600"):
        eventually(lambda: api.calls)
    assert api.asked()[0] == ACTION
    assert api.calls[0].body == '{"action":"stop"}', "as the terms in force say, not as before a job"
