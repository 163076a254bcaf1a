"""Commands and transfers over plain ssh and rsync, for scripts. Knows argv; a run itself uses `pod/` instead."""

from __future__ import annotations

import logging
import shutil
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import join, quote
from tempfile import mkdtemp
from typing import Protocol

from ...machine import proc
from ...spec.places import expanded
from ...terminal.output import print_bytes

SSH_OPTIONS = (
    *("BatchMode=yes", "ConnectTimeout=10", "IdentitiesOnly=yes", "StrictHostKeyChecking=accept-new"),
    *("ServerAliveInterval=5", "ServerAliveCountMax=3", "LogLevel=ERROR"),
)
STREAM_WITHIN_S = 30 * 86400.0
logger = logging.getLogger("runpod_deploy")


class Transfer(Protocol):
    """What an upload needs: an RsyncPushSpec or an RsyncTransfer."""

    @property
    def source(self) -> str:
        """The local path; with a slash at its end, the content of the folder."""

    @property
    def destination(self) -> str:
        """The path on the pod."""

    @property
    def delete(self) -> bool | None:
        """Whether what is not in the source is deleted at the destination; None is yes."""

    @property
    def effective_excludes(self) -> tuple[str, ...]:
        """The rsync patterns of what is left out."""


@dataclass(frozen=True, slots=True)
class RsyncTransfer:
    """An upload whose paths are rendered already."""

    label: str
    source: str
    destination: str
    excludes: tuple[str, ...] = ()
    delete: bool = True

    @property
    def effective_excludes(self) -> tuple[str, ...]:
        """The patterns of what is left out."""
        return self.excludes


def log_cmd(target: logging.Logger, label: str, argv: Sequence[object]) -> None:
    """The log has the command line, quoted as a shell takes it."""
    target.info("$ [%s] %s", label, join(str(part) for part in argv))


class RemoteRunError(RuntimeError):
    """A remote command or a transfer failed."""


@dataclass(frozen=True, slots=True)
class PodConnection:
    """The address of a pod's SSH server."""

    pod_id: str
    host: str
    port: int
    gpu_id: str | None = None


@dataclass(frozen=True, slots=True)
class RemoteResult:
    """The result of a remote command or of a transfer."""

    returncode: int
    stdout: str = ""
    stderr: str = ""


def own_folder() -> Path:
    """A new folder that no other user can read."""
    return Path(mkdtemp(prefix="runpod-deploy-"))


@dataclass(frozen=True, slots=True, weakref_slot=True)
class RemoteRunner:
    """Commands and transfers on one pod, as root.

    The host key of the first answer is trusted, and required for the life of this object. With dry_run, commands are
    only logged.
    """

    host: str
    port: int
    ssh_key: Path
    dry_run: bool = False
    _own: Path = field(default_factory=own_folder, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        weakref.finalize(self, shutil.rmtree, self._own, ignore_errors=True)

    @property
    def target(self) -> str:
        """The pod's name for ssh and rsync. Raises ValueError for one that they would take for an option."""
        if self.host.startswith("-"):
            raise ValueError(f"no host begins with a dash: {self.host!r}")
        return self.host if "@" in self.host else f"root@{self.host}"

    def ssh_argv(self, cmd: str, *, detached: bool = False) -> list[str]:
        """The ssh call that runs a command. If detached, the command goes on after the call."""
        far = f"setsid sh -c {quote(cmd)} >/dev/null 2>&1 </dev/null &" if detached else cmd
        return ["ssh", *ssh_options(self.port, self.ssh_key, self._known_hosts), "--", self.target, far]

    def ssh_exec(self, cmd: str, *, timeout_sec: float = 600, check: bool = True) -> RemoteResult:
        """The result of the command. Raises RemoteRunError if it failed and check is set, and TimeoutError."""
        return self._carry_out(self.ssh_argv(cmd), timeout_sec, check)

    def ssh_stream(self, cmd: str) -> int:
        """The exit code of a command whose output was passed on to stdout as it came."""
        if self.dry_run:
            return self._carry_out(self.ssh_argv(cmd), 0, False).returncode
        return proc.run(self.ssh_argv(cmd), timeout_s=STREAM_WITHIN_S, on_output=print_bytes).exit_code

    def ssh_exec_detached(self, cmd: str, *, timeout_sec: float = 30) -> RemoteResult:
        """The command was started and goes on by itself. Raises RemoteRunError, TimeoutError."""
        return self._carry_out(self.ssh_argv(cmd, detached=True), timeout_sec, True)

    def rsync_push(self, transfer: Transfer, *, timeout_sec: float = 3600, chmod: str | None = None) -> RemoteResult:
        """The destination on the pod equals the local source. Raises RemoteRunError, TimeoutError."""
        argv = rsync_argv(
            source=str(expanded(transfer.source)) + ("/" if transfer.source.endswith("/") else ""),
            destination=f"{self.target}:{transfer.destination}",
            port=self.port,
            ssh_key=self.ssh_key,
            excludes=transfer.effective_excludes,
            delete=transfer.delete is not False,
            chmod=chmod,
            known_hosts=self._known_hosts,
        )
        return self._carry_out(argv, timeout_sec, True)

    def rsync_pull(
        self,
        *,
        remote_path: str,
        local_path: Path | str,
        excludes: Sequence[str] = (),
        timeout_sec: float = 1800,
        delete: bool = True,
    ) -> RemoteResult:
        """The local path equals the remote path. Raises RemoteRunError, TimeoutError."""
        argv = rsync_argv(
            source=f"{self.target}:{remote_path}",
            destination=str(local_path),
            port=self.port,
            ssh_key=self.ssh_key,
            excludes=excludes,
            delete=delete,
            known_hosts=self._known_hosts,
        )
        return self._carry_out(argv, timeout_sec, True)

    @property
    def _known_hosts(self) -> Path:
        return self._own / "known_hosts"

    def _carry_out(self, argv: list[str], timeout_s: float, check: bool) -> RemoteResult:
        logger.info("$ %s", join(argv))
        if self.dry_run:
            return RemoteResult(0)
        ended = proc.run(argv, timeout_s=timeout_s)
        if check and ended.exit_code:
            last = ended.stderr.decode(errors="replace").strip()
            raise RemoteRunError(f"{argv[0]} to {self.target} ended with status {ended.exit_code}: {last}")
        return RemoteResult(ended.exit_code, *(data.decode(errors="replace") for data in (ended.stdout, ended.stderr)))


def rsync_argv(
    *,
    source: str,
    destination: str,
    port: int,
    ssh_key: Path | str,
    excludes: Sequence[str],
    delete: bool = True,
    chmod: str | None = None,
    known_hosts: Path | str = "/dev/null",
) -> list[str]:
    """The rsync call that makes destination equal source. One of them is `host:path`.

    chmod is the mode of the files in three or four octal digits, or whatever rsync takes.
    """
    shell = join(["ssh", *ssh_options(port, ssh_key, known_hosts)])
    return [
        *("rsync", "-az", "--partial"),
        *(["--delete"] if delete else []),
        *([f"--chmod={mode_of_files(chmod)}"] if chmod else []),
        *(f"--exclude={pattern}" for pattern in excludes),
        *("-e", shell, "--", source, destination),
    ]


def mode_of_files(chmod: str) -> str:
    """The mode for rsync: octal digits are meant for files only, since a folder needs its x."""
    return f"F{chmod[-3:]}" if chmod.isdigit() and len(chmod) in (3, 4) else chmod


def ssh_options(port: int, ssh_key: Path | str, known_hosts: Path | str) -> list[str]:
    """The options of ssh for one pod."""
    key = str(expanded(ssh_key))
    settings = (*SSH_OPTIONS, f"UserKnownHostsFile={known_hosts}")
    return ["-p", str(port), "-i", key, *(part for setting in settings for part in ("-o", setting))]
