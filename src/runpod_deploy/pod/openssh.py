"""The `Host` protocol over OpenSSH: commands, transfers, the job and the guard over one connection.

Knows how the parts work together and when to retry; knows nothing of phases.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from shlex import quote
from typing import TypeVar

from ..cloud.values import Address
from ..errors import OnRetry, StagingFailed
from ..machine import proc
from ..machine.clock import Clock, SystemClock
from ..record.paths import RunDir
from ..spec import STORAGE_NETWORK_VOLUME, RunpodJobSpec, Spec
from ..spec.visible import shortened
from . import guard, job, keys, lease, scripts
from .job import Channel, JobPaths
from .protocol import Follow, GuardTerms, Lease, Reply
from .ssh import Connection, Login, Unreachable
from .transfer import pull, push
from .transfer.streams import Flaky, send_names
from .transfer.values import Moved, OnProgress, Pull, Push

T = TypeVar("T")

COMMAND_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0
LONGEST_PID = 10
SHOWN_CHARS = 100
TIMEOUT_MARGIN_S = 10.0
"""The timeout on the pod is this much longer than ours, so that ours decides."""
RUN_COMMAND = "exec sh -c 'eval \"$(dd bs=1 count={} 2>/dev/null)\"'"
"""A command that runs a program of so many bytes from stdin, so that its text is no argument of a process."""
KILLED = (128 + 9, 128 + 15)
"""Exit codes of a command of ours that somebody on the pod has killed: perhaps a job that kills by name."""
RETRY_PAUSES_S = (0.5, 1.0, 2.0, 4.0)
"""The pauses between the tries of an action that may be done twice."""


def control_dir(spec: RunpodJobSpec, run_id: str) -> str:
    """The run's own folder on the pod: on the disk that outlives a restart, never on a network volume."""
    network = spec.storage.mode == STORAGE_NETWORK_VOLUME
    root = "/root" if network else spec.storage.volume_mount.rstrip("/")
    return f"{root}/.runpod-deploy/{run_id}"


def login_to(spec: Spec, run_dir: RunDir, address: Address, boot: int) -> Login:
    """The values of the connection to the run's pod at an address, after its boot with this number."""
    return Login(
        ssh_dir=run_dir.ssh,
        address=address,
        host_alias=host_alias(spec.run_id, boot),
        user_key=spec.job.ssh.login_key_path,
    )


def connection_to(spec: Spec, run_dir: RunDir, address: Address, boot: int) -> Connection:
    """A connection to the run's pod, for commands that belong to no run in progress; nothing is connected yet."""
    return Connection(login_to(spec, run_dir, address, boot))


def reach(spec: Spec, run_dir: RunDir, address: Address, boot: int, on_retry: OnRetry | None = None) -> PodHost:
    """The pod at an address, after its boot with this number; nothing is connected yet."""
    login = login_to(spec, run_dir, address, boot)
    paths = JobPaths(
        control_dir=control_dir(spec.job, spec.run_id),
        log=spec.job.run.log_path,
        script=spec.job.run.script_path,
        disk=spec.job.storage.volume_mount,
        background=spec.job.run.background,
        success_marker=spec.job.run.success_marker,
    )
    telemetry = spec.job.telemetry
    return PodHost(
        Connection(login, contact=paths.contact),
        paths,
        sample_s=telemetry.sample_interval_sec if telemetry.enabled else 0,
        on_retry=on_retry,
    )


def authorized_keys(spec: Spec, run_dir: RunDir) -> str:
    """The public keys for the pod, one per line; the first call makes the run's own key pair. Raises ConfigError."""
    return keys.public_keys(run_dir.ssh, spec.job.ssh.resolved_key_path)


def host_alias(run_id: str, boot: int) -> str:
    """The pod's name in the run's known_hosts: its host key stays pinned, also at another address, until the run
    itself asks for another boot."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", f"{run_id}-{boot}").lower()


def process_id(answer: bytes) -> int:
    """The process id that the launch answered. Raises StagingFailed if it is none."""
    digits = answer.strip()
    if not digits.isdigit() or len(digits) > LONGEST_PID:
        raise StagingFailed(f"the pod's answer to the launch makes no sense: {shortened(repr(answer), SHOWN_CHARS)}")
    return int(digits)


def incapable(reply: Reply) -> StagingFailed:
    """The error for a command of ours that failed on the pod."""
    message = reply.stderr.decode(errors="replace").strip() or f"exit code {reply.exit_code}"
    return StagingFailed(f"the pod cannot do what a run needs: {message}")


class PodHost:
    """The `Host` protocol over OpenSSH."""

    def __init__(
        self,
        connection: Connection,
        paths: JobPaths,
        *,
        sample_s: int = 0,
        clock: Clock | None = None,
        on_retry: OnRetry | None = None,
    ) -> None:
        self._connection, self._paths, self._sample_s = connection, paths, sample_s
        self._clock = clock or SystemClock()
        self._on_retry = on_retry
        self._installed = False

    def run(
        self,
        command: str,
        *,
        stdin: bytes = b"",
        timeout_s: float,
        on_output: Callable[[bytes], None] | None = None,
    ) -> Reply:
        """The result of a command that has ended. on_output gets the output as it comes, and b"" each second without.

        Raises Unreachable, and TimeoutError after timeout_s seconds. The pod kills a command that timed out or whose
        connection is lost.
        """
        text = command.encode()
        values = {
            "T": int(timeout_s + TIMEOUT_MARGIN_S),
            "N": len(text),
            "I": len(stdin),
            "C": self._paths.contact,
            "E": scripts.text("env.bash"),
        }
        assigned = "".join(f"{name}={quote(str(value))}\n" for name, value in values.items())
        program = (assigned + scripts.text("run.sh")).encode()
        ended = self._connection.run(
            RUN_COMMAND.format(len(program)),
            stdin=program + text + stdin,
            timeout_s=timeout_s,
            keep_stdin_open=True,
            on_output=on_output,
        )
        return Reply(ended.exit_code, ended.stdout, ended.stderr)

    def push(self, transfer: Push, on_progress: OnProgress | None = None) -> Moved:
        """The remote side equals the local one. Raises StagingFailed and Unreachable."""
        return self._retried(f"sending {transfer.label}", lambda: push.push(self._connection, transfer, on_progress))

    def pull(self, transfer: Pull, on_progress: OnProgress | None = None) -> Moved | None:
        """The local side holds the remote one, verified; None if there is nothing at that remote path."""
        return self._retried(f"fetching {transfer.label}", lambda: pull.pull(self._connection, transfer, on_progress))

    def arm(self, terms: GuardTerms) -> str:
        """The guard has its terms; it is started if none runs. Empty once it has proved that it works; else why not."""
        text = guard.terms_text(terms, self._clock.now()).encode()
        command = guard.arm_command(self._paths, len(text), self._install_command())
        reply = self._run_retried(command, text + scripts.archive())
        if reply.exit_code == guard.NOT_INSTALLED:
            raise incapable(reply)
        self._installed = True
        return "" if reply.exit_code == 0 else reply.stdout.decode(errors="replace").strip() or "it left no message"

    def disarm(self, *, from_next_start: bool) -> None:
        """The guard does nothing until it is armed again; at once, or from the container's next start on."""
        self._run_retried(guard.disarm_command(self._paths, from_next_start=from_next_start))

    def launch(self, script: bytes) -> int:
        """The job's process id; the job was started once, however often this is called."""
        self._install()
        try:
            return self._launched(script)
        except StagingFailed:
            # The job may already run: it may have killed the command that waits for it, and removed the scripts.
            self._install(again=True)
            return self._launched(script)

    def _launched(self, script: bytes) -> int:
        return process_id(self._run_checked(job.start_command(self._paths, len(script)), script).stdout)

    @contextmanager
    def follow(self, offset: int) -> Iterator[Follow]:
        """An open channel that starts at this byte of the log. Raises Unreachable."""
        self._install()
        with proc.Child(self._connection.argv(job.FOLLOW_COMMAND)) as child:
            # A connection that has ended already is found when the channel is read, which says why.
            send_names(child, job.follow_line(self._paths, offset, self._sample_s))
            yield Channel(child, self._connection)

    def lease(self) -> Lease:
        """The lease as it is now. Raises Unreachable, StagingFailed."""
        program = lease.look_program(self._paths).encode()
        ended = self._connection.run(
            RUN_COMMAND.format(len(program)),
            stdin=program,
            timeout_s=lease.LOOK_TIMEOUT_S,
            keep_bytes=lease.LOOK_BYTES,
        )
        return lease.read_lease(ended.stdout)

    def take_lease(self, number: int, claim: str, holder: str) -> bool:
        """Whether the lease with this number is that claim's now."""
        reply = self._run_retried(lease.take_command(self._paths, number), lease.row(claim, holder))
        return reply.exit_code == 0

    def leave_note(self, note: bytes) -> None:
        """The note lies on the pod. Raises StagingFailed."""
        self._run_checked(lease.leave_command(self._paths), note)

    def stop_job(self, grace_s: float) -> None:
        """No process of the job is left: TERM, and KILL after grace_s seconds. Raises StagingFailed if some remain."""
        self._install(again=True)
        self._run_checked(job.stop_command(self._paths, grace_s), within_s=STOP_TIMEOUT_S + grace_s)

    def close(self) -> None:
        """No connection is left open."""
        self._connection.close()

    def _install(self, *, again: bool = False) -> None:
        """The scripts of this version are on the pod; also if a job has removed them since, when asked for again."""
        if self._installed and not again:
            return
        self._run_checked(self._install_command(), scripts.archive())
        self._installed = True

    def _install_command(self) -> str:
        """A command that reads the archive of the scripts, and unpacks it if they are not on the pod."""
        home, folder = quote(self._paths.control_dir), scripts.folder()
        return (
            f"umask 077; cd / && mkdir -p {home} && cd {home} && {{ [ -d {folder} ] || "
            f"{{ mkdir -p new.$$ && tar -xof - -C new.$$ && mv new.$$ {folder}; }}; }}"
        )

    def _run_checked(self, command: str, stdin: bytes = b"", *, within_s: float = COMMAND_TIMEOUT_S) -> Reply:
        """The reply of a command that succeeded. Raises StagingFailed with its error output if it did not."""
        reply = self._run_retried(command, stdin, within_s=within_s)
        if reply.exit_code:
            raise incapable(reply)
        return reply

    def _run_retried(self, command: str, stdin: bytes = b"", *, within_s: float = COMMAND_TIMEOUT_S) -> Reply:
        def act() -> Reply:
            reply = self.run(command, stdin=stdin, timeout_s=within_s)
            if reply.exit_code in KILLED:
                raise Flaky(f"a command of ours was killed on the pod (exit code {reply.exit_code})")
            return reply

        try:
            return self._retried("running a command on the pod", act)
        except TimeoutError:
            raise StagingFailed(f"the pod took longer than {within_s:.0f} s for a command of ours") from None

    def _retried(self, what: str, act: Callable[[], T]) -> T:
        """The result of an action that may be done twice: it is retried after a lost connection. Raises Unreachable."""
        for pause_s in RETRY_PAUSES_S:
            try:
                return act()
            except (Flaky, Unreachable) as error:
                if isinstance(error, Unreachable) and error.reason in ("auth", "host_key"):
                    raise
                if self._on_retry:
                    self._on_retry(what, error, pause_s)
            self._clock.sleep(pause_s)
        return act()
