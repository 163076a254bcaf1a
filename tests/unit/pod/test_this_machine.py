"""What is wrong with this machine: found before a run, and told from what is wrong with a pod."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from runpod_deploy.cloud.values import Address
from runpod_deploy.errors import ConfigError, RunBusy
from runpod_deploy.pod import this_machine
from runpod_deploy.pod.keys import make_key
from runpod_deploy.pod.ssh import Connection, Login, Unreachable
from runpod_deploy.record.lock import RunLock
from runpod_deploy.record.paths import RunDir

LOADER = "ssh: error while loading shared libraries: libcrypto.so.3: cannot open shared object file"
CONDA = "OpenSSL version mismatch. Built against 30000020, you have 30300010"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_this_machine_is_fine(tmp_path: Path) -> None:
    assert list(this_machine.troubles(RunDir(tmp_path))) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"echo '{LOADER}' >&2; exit 127", "does not work: ssh: error while loading shared libraries"),
        (f"echo '{CONDA}' >&2; exit 255", "does not work: OpenSSL version mismatch"),
        ("kill -SEGV $$", "does not work: exit code -11"),
        ("echo 'OpenSSH_7.4p1, OpenSSL 1.0' >&2", "is not OpenSSH 7.6 or newer: OpenSSH_7.4p1"),
        ("echo 'Dropbear v2022.83' >&2", "is not OpenSSH 7.6 or newer: Dropbear"),
    ],
)
def test_an_ssh_that_does_not_work_is_named_with_its_own_words(programs: Path, text: str, words: str) -> None:
    program(programs, "ssh", text)
    found = this_machine.ssh_trouble()
    assert found is not None and words in found.message
    assert ("conda" in found.hint) == ("OpenSSL v" in text or "libraries" in text)


def test_without_ssh_both_programs_are_named(programs: Path, tmp_path: Path) -> None:
    found = [trouble.message for trouble in this_machine.troubles(RunDir(tmp_path))]
    assert found == ["ssh is not in PATH", "ssh-keygen is not in PATH"]


def test_no_folder_for_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)

    def mkdtemp(prefix: str, dir: str) -> str:  # noqa: A002 - the name is that of the standard library
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.mkdtemp", mkdtemp)
    found = this_machine.socket_trouble()
    assert found is not None and "no folder for SSH's control socket" in found.message


def refuse(*_: object) -> None:
    raise OSError(37, "No locks available")


def test_a_folder_without_locks_is_no_busy_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", refuse)
    found = this_machine.lock_trouble(tmp_path)
    assert found is not None and found.message.endswith("cannot be locked there: No locks available")
    with pytest.raises(ConfigError, match="cannot be locked there: No locks available"):
        RunLock(RunDir(tmp_path)).acquire()


def test_a_busy_run_is_no_folder_without_locks(tmp_path: Path) -> None:
    with RunLock(RunDir(tmp_path)).held(wait_s=0), pytest.raises(RunBusy):
        RunLock(RunDir(tmp_path)).acquire()


def connection(folder: Path) -> Connection:
    """A connection to a port at which nobody listens."""
    return Connection(Login(ssh_dir=folder, address=Address(host="127.0.0.1", port=1), host_alias="run"))


def test_a_pod_that_does_not_listen_is_no_local_failure(tmp_path: Path) -> None:
    with pytest.raises(Unreachable) as caught:
        connection(tmp_path).run("true", timeout_s=20)
    assert caught.value.reason == "not_listening"


@pytest.mark.parametrize("code", [127, 255])
def test_an_ssh_that_breaks_later_is_told_from_a_pod_that_is_away(tmp_path: Path, programs: Path, code: int) -> None:
    make_key_with_the_real_program(tmp_path)
    program(programs, "ssh", f"echo '{CONDA}' >&2; exit {code}")
    with pytest.raises(ConfigError, match="ssh on this machine does not work: OpenSSL version mismatch"):
        connection(tmp_path).run("true", timeout_s=20)
    (programs / "ssh").unlink()
    with pytest.raises(ConfigError, match="ssh on this machine cannot be started: No such file"):
        connection(tmp_path).run("true", timeout_s=20)
    with pytest.raises(ConfigError, match="ssh on this machine cannot be started: No such file"):
        connection(tmp_path).spawn("true")


def make_key_with_the_real_program(folder: Path) -> None:
    """The run's key is there before PATH is cut short."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "/usr/bin:/bin")
        make_key(folder)
