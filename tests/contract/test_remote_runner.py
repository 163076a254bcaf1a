"""Plain ssh and rsync of the Python API, against a real SSH server."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runpod_deploy import RemoteRunError, RemoteRunner, RsyncPushSpec, rsync_argv
from tests.support.sshd import asyncssh_server, has_openssh, openssh

pytestmark = pytest.mark.skipif(not has_openssh(), reason="needs OpenSSH's own server, and root to log in")
AWKWARD = 'it\'s a "name" with $HOME é'


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[RemoteRunner]:
    key = tmp_path / "my key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    public = key.with_name("my key.pub").read_text().strip()
    with openssh(tmp_path / "server", public, "/usr/bin:/bin") as address:
        yield RemoteRunner(address.host, address.port, key)


def test_commands_answer_with_status_and_streams(runner: RemoteRunner) -> None:
    done = runner.ssh_exec("echo out; echo err >&2; exit 3", check=False)

    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")
    with pytest.raises(RemoteRunError, match=r"status 3: err"):
        runner.ssh_exec("echo err >&2; exit 3")
    with pytest.raises(TimeoutError):
        runner.ssh_exec("sleep 20", timeout_sec=0.5)


def test_streamed_output_reaches_our_stdout(runner: RemoteRunner, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert runner.ssh_stream("printf 'a\\nb'; exit 4") == 4
    assert capfdbinary.readouterr().out == b"a\nb"


def test_a_detached_command_outlives_its_call(runner: RemoteRunner, tmp_path: Path) -> None:
    done = tmp_path / "done"
    began = time.monotonic()
    runner.ssh_exec_detached(f"sleep 1; echo done > '{done}'")

    assert time.monotonic() - began < 1 or not done.exists()
    for _ in range(100):
        if done.exists():
            break
        time.sleep(0.05)
    assert done.read_text() == "done\n"


def test_folders_go_there_and_back(runner: RemoteRunner, tmp_path: Path) -> None:
    here, there, back = (tmp_path / name for name in ("here", "there", "back"))
    here.mkdir()
    there.mkdir()
    (here / AWKWARD).write_text("x")
    (here / "left.pyc").write_text("x")
    (there / "stale").write_text("x")

    transfer = RsyncPushSpec(label="code", source=f"{here}/", destination=f"{there}/", excludes_default=True)
    runner.rsync_push(transfer, chmod="F600")
    runner.rsync_pull(remote_path=f"{there}/", local_path=f"{back}/")

    assert [path.name for path in there.iterdir()] == [path.name for path in back.iterdir()] == [AWKWARD]
    assert (there / AWKWARD).stat().st_mode & 0o777 == 0o600
    with pytest.raises(RemoteRunError, match="rsync to root@"):
        runner.rsync_pull(remote_path=f"{there}/absent", local_path=back)


def test_the_first_host_key_is_pinned(runner: RemoteRunner, tmp_path: Path) -> None:
    runner.ssh_exec("true")
    public = (tmp_path / "my key.pub").read_text().strip()
    with asyncssh_server(tmp_path / "other", public, "/usr/bin:/bin") as address:
        known = next(option for option in runner.ssh_argv("true") if option.startswith("UserKnownHostsFile="))
        path = Path(known.partition("=")[2])
        pinned = path.read_text().split(" ", 1)[1]
        path.write_text(f"[{address.host}]:{address.port} {pinned}")
        argv = [part.replace(str(runner.port), str(address.port)) for part in runner.ssh_argv("true")]
        assert subprocess.run(argv, capture_output=True, check=False).returncode == 255


def test_a_rehearsal_runs_nothing(tmp_path: Path) -> None:
    rehearsal = RemoteRunner("203.0.113.1", 22, tmp_path / "key", dry_run=True)

    assert rehearsal.ssh_exec("rm -rf /").returncode == rehearsal.ssh_stream("false") == 0
    assert rehearsal.rsync_pull(remote_path="/x", local_path=tmp_path / "x").returncode == 0


def test_the_bare_rsync_call() -> None:
    argv = rsync_argv(source="a/", destination="root@h:b", port=22022, ssh_key="/k", excludes=["*.pyc"], chmod="F600")

    assert argv[0] == "rsync" and argv[-3:] == ["--", "a/", "root@h:b"]
    assert "--delete" in argv and "--exclude=*.pyc" in argv and "--chmod=F600" in argv
    assert argv[argv.index("-e") + 1].startswith("ssh -p 22022 -i /k -o BatchMode=yes ")
    assert "--delete" not in rsync_argv(source="a", destination="h:b", port=1, ssh_key="k", excludes=(), delete=False)


def test_a_host_is_never_an_option(tmp_path: Path) -> None:
    argv = RemoteRunner("203.0.113.1", 22, tmp_path / "key").ssh_argv("true")
    assert argv[argv.index("--") :] == ["--", "root@203.0.113.1", "true"]
    with pytest.raises(ValueError, match="dash"):
        RemoteRunner("-oProxyCommand=true@h", 22, tmp_path / "key").ssh_argv("true")
