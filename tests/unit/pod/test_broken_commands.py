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
KILLED_ONCE = """#!/bin/sh
[ ! -e {flag} ] || {{ echo 77; exit 0; }}
: >{flag}
exit 143
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


def test_a_launch_that_the_job_itself_kills_is_asked_again(host_with: Make, tmp_path: Path) -> None:
    host = host_with(KILLED_ONCE.format(flag=tmp_path / "killed"))
    assert host.launch(b"pkill -f run-1") == 77
