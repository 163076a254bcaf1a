"""Containers out of Linux namespaces, and commands in them. Knows util-linux; knows no pods and no API."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PODROOT = Path(__file__).parent / "podroot"
NEEDED = ("unshare", "nsenter", "setpriv", "mount", "chroot")
SPACES = ("--mount", "--uts", "--ipc", "--pid")
HOW_TO_ENABLE = """\
A simulated pod is a Linux container made of user, mount and PID namespaces, and this machine allows none.
Any one of these helps:
  sysctl -w kernel.unprivileged_userns_clone=1                (Debian)
  sysctl -w kernel.apparmor_restrict_unprivileged_userns=0    (Ubuntu 24.04 and newer)
  sysctl -w user.max_user_namespaces=10000
  run as root; inside a container: start that container with --privileged"""


class SandboxUnavailable(Exception):
    """This machine cannot make containers; the message says why and what helps."""


class ContainerFailed(Exception):
    """The container could not be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """Everything that a container is made of."""

    pod_dir: Path
    host_name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    mounts: tuple[tuple[str, Path], ...] = ()
    """Path in the container, folder on the machine."""


class Sandbox:
    """The way to make containers that works on this machine."""

    def __init__(self, flags: Sequence[str]) -> None:
        self.flags = tuple(flags)

    async def start(self, image: Image) -> Container:
        """A container whose PID 1 runs image.argv. Raises ContainerFailed."""
        mounts = [text for path, source in image.mounts for text in (path, str(source))]
        process = await asyncio.create_subprocess_exec(
            *("setpriv", "--pdeathsig", "KILL"),
            *("unshare", *self.flags, *SPACES, "--fork", "--kill-child"),
            *(str(PODROOT / "sandbox.sh"), str(image.pod_dir), image.host_name, *mounts, "--", *image.argv),
            env=dict(image.env),
            cwd="/",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        assert process.stdout is not None
        first = await process.stdout.readline()
        if not first.strip().isdigit():
            text = (first + await process.stdout.read()).decode(errors="replace")
            await process.wait()
            raise ContainerFailed(text.strip())
        return Container(process, int(first), self.flags)


class Container:
    """One running container."""

    def __init__(self, process: asyncio.subprocess.Process, pid: int, flags: Sequence[str]) -> None:
        self.process = process
        self.pid = pid
        # Our user is root inside already, and an ordinary user may not set groups.
        self._flags = ("--user", "--preserve-credentials") if "--user" in flags else ()

    @property
    def output(self) -> asyncio.StreamReader:
        """The output of PID 1 and its children."""
        assert self.process.stdout is not None
        return self.process.stdout

    def entry(self) -> list[str]:
        """The beginning of a command line that runs a command inside, in PID 1's root."""
        return ["nsenter", "--target", str(self.pid), *self._flags, *SPACES, "--root", "--wd"]

    def is_up(self) -> bool:
        """Whether PID 1 runs."""
        return self.process.returncode is None and Path("/proc", str(self.pid), "root").exists()

    def signal(self, number: int) -> None:
        """PID 1 has been sent the signal, if it still runs."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def wait(self) -> int:
        """The exit code of PID 1; by then no process of the container is left."""
        return await self.process.wait()

    async def end(self, grace_s: float) -> None:
        """No process of the container is left: TERM, and KILL after the grace."""
        if grace_s > 0:
            self.signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.wait(), grace_s)
        self.signal(signal.SIGKILL)
        await self.wait()


async def find_sandbox() -> Sandbox:
    """A sandbox that works on this machine. Raises SandboxUnavailable."""
    if not sys.platform.startswith("linux"):
        raise SandboxUnavailable("The simulator runs on Linux only: its pods are made of Linux namespaces.")
    lacking = [name for name in NEEDED if shutil.which(name, path=_search_path()) is None]
    if lacking:
        raise SandboxUnavailable(f"Not found: {', '.join(lacking)}. Install the package util-linux.")
    user = ("--user", "--map-root-user")
    reasons = []
    for flags in ((), user) if os.geteuid() == 0 else (user,):
        try:
            await _try_out(Sandbox(flags))
            return Sandbox(flags)
        except ContainerFailed as error:
            reasons.append(str(error))
    raise SandboxUnavailable("\n".join([HOW_TO_ENABLE, *reasons]))


async def _try_out(sandbox: Sandbox) -> None:
    pod_dir = Path(tempfile.mkdtemp(prefix="runpod-sim-probe-"))
    try:
        (pod_dir / "disk").mkdir()
        (pod_dir / "sbin").mkdir()
        image = Image(pod_dir=pod_dir, host_name="probe", argv=("/bin/true",), env={"PATH": _search_path()})
        container = await sandbox.start(image)
        await container.wait()
    finally:
        wipe(pod_dir)


def wipe(folder: Path) -> None:
    """The folder is gone, folders without any permission in it included (overlays leave such)."""
    if not folder.exists():
        return
    for path, folders, _ in os.walk(folder):
        for name in folders:
            inner = Path(path, name)
            if not inner.is_symlink() and not os.access(inner, os.R_OK | os.W_OK | os.X_OK):
                # Two tasks may do this at the same time: a pod can be ended in the middle of its restart.
                with contextlib.suppress(FileNotFoundError):
                    inner.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _search_path() -> str:
    return os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin:/sbin:/bin"
