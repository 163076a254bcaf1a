"""Commands on the pod that end before they have done their work: the connection breaks, or the job kills by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runpod_deploy.cloud.values import Address
from runpod_deploy.pod.job import JobPaths
from runpod_deploy.pod.openssh import PodHost
from runpod_deploy.pod.ssh import Connection, Login, Unreachable

LONGER_THAN_A_PIPE = "/" + "x" * 300_000
BREAKS = """#!/bin/sh
case "$*" in
-V) echo 'OpenSSH_9.6p1, OpenSSL 3.0' >&2 ;;
*read*eval*|*check*) echo 'Connection closed by remote host' >&2; exit 255 ;;
esac
"""
# The scripts are installed; the launch is killed; there are no scripts; they are installed again; the job runs.
KILLED = """#!/bin/sh
echo call >>{calls}
case $(wc -l <{calls}) in
1|4) exit 0 ;;
2) exit 143 ;;
3) echo 'sh: 0: cannot open job.sh: No such file' >&2; exit 2 ;;
5) echo 77 ;;
esac
"""

Make = Callable[[str], PodHost]


@pytest.fixture
def host_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A host that is reached with this program as ssh."""

    def make(ssh: str) -> PodHost:
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "ssh").write_text(ssh)
        (folder / "ssh").chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=":")
        login = Login(ssh_dir=tmp_path, address=Address(host="127.0.0.1", port=1), host_alias="run")
        paths = JobPaths(control_dir="/run-1", log=LONGER_THAN_A_PIPE, script="/job.sh", disk="/")
        return PodHost(Connection(login), paths)

    return make


def test_a_follow_channel_that_breaks_before_it_has_read_its_command_is_lost(host_with: Make) -> None:
    with pytest.raises(Unreachable), host_with(BREAKS).follow(0) as channel:
        channel.read(5.0)


def test_a_launch_is_asked_again_if_the_job_kills_it_and_removes_the_scripts(host_with: Make, tmp_path: Path) -> None:
    host = host_with(KILLED.format(calls=tmp_path / "calls"))
    assert host.launch(b"pkill -f run-1; rm -rf /workspace/.[!.]*") == 77
