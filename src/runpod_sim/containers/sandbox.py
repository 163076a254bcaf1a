"""Containers out of Linux namespaces, and commands in them. Knows util-linux; knows no pods and no API."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .sockets import Sockets, relay

PODROOT = Path(__file__).parent / "podroot"
NEEDED = ("unshare", "nsenter", "setpriv", "mount", "chroot")
ADDRESS = "172.18.0.2"
"""Every pod's address in its own network."""
PROBED = ("127.0.0.1", 9)
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
    reaches: tuple[str, int] | None = None
    """An address of the machine that the container can reach as its own, although it has a network of its own."""


class Sandbox:
    """The way to make containers that works on this machine."""

    def __init__(self, flags: Sequence[str], isolated: bool = False) -> None:
        self.flags = tuple(flags)
        self.isolated = isolated
        """Whether each container has a network of its own."""
        self.spaces = (*SPACES, "--net") if isolated else SPACES
        self.sockets = Sockets()

    async def start(self, image: Image) -> Container:
        """A container whose PID 1 runs image.argv. Raises ContainerFailed."""
        mounts = [text for path, source in image.mounts for text in (path, str(source))]
        process = await asyncio.create_subprocess_exec(
            *("setpriv", "--pdeathsig", "KILL"),
            *("unshare", *self.flags, *self.spaces, "--fork", "--kill-child"),
            *(str(PODROOT / "sandbox.sh"), str(image.pod_dir), image.host_name, *mounts, "--", *image.argv),
            env=dict(image.env),
            cwd="/",
            stdin=asyncio.subprocess.PIPE,
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
        container = Container(process, int(first), self)
        await self._connect(container, image)
        return container

    async def _connect(self, container: Container, image: Image) -> None:
        """The container has its network, and its PID 1 may begin."""
        try:
            if self.isolated and image.reaches:
                container.serve_inside(await container.network(*image.reaches), image.reaches)
        except OSError as error:
            await container.end(0.0)
            raise ContainerFailed(f"no network: {error}") from None
        except asyncio.CancelledError:
            container.signal(signal.SIGKILL)
            raise
        assert container.process.stdin is not None
        container.process.stdin.close()


class Container:
    """One running container."""

    def __init__(self, process: asyncio.subprocess.Process, pid: int, sandbox: Sandbox) -> None:
        self.process = process
        self.pid = pid
        self.sandbox = sandbox
        self.has_user = "--user" in sandbox.flags
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def output(self) -> asyncio.StreamReader:
        """The output of PID 1 and its children."""
        assert self.process.stdout is not None
        return self.process.stdout

    def entry(self) -> list[str]:
        """The beginning of a command line that runs a command inside, in PID 1's root."""
        # Our user is root inside already, and an ordinary user may not set groups.
        user = ("--user", "--preserve-credentials") if self.has_user else ()
        return ["nsenter", "--target", str(self.pid), *user, *self.sandbox.spaces, "--root", "--wd"]

    async def network(self, host: str, port: int) -> socket.socket:
        """Listens inside at the address, once the container's network is up. Raises OSError."""
        return await self._make("network", address=ADDRESS, host=host, port=port)

    async def connect(self, host: str, port: int) -> socket.socket:
        """Is connected to the address, as seen from inside. Raises OSError."""
        return await self._make("connect", host=host, port=port)

    async def listen(self, host: str, port: int) -> socket.socket:
        """Listens inside. Raises OSError."""
        return await self._make("listen", host=host, port=port)

    async def connect_path(self, path: str) -> socket.socket:
        """Is connected to a path inside. Raises OSError."""
        return await self._make("connect_path", path=path)

    async def listen_path(self, path: str, in_new_folder: bool = False) -> socket.socket:
        """Listens at a path inside. Raises OSError."""
        return await self._make("listen_path", path=path, in_new_folder=in_new_folder)

    async def terminal(self) -> list[int]:
        """Both ends of a new terminal of the container. Raises OSError."""
        return await self.sandbox.sockets.descriptors("terminal", **self.spaces())

    def spaces(self) -> dict[str, Any]:
        """What a process needs to know to enter the container."""
        return {"pid": self.pid, "user": self.has_user, "net": self.sandbox.isolated}

    async def _make(self, do: str, **request: Any) -> socket.socket:
        return await self.sandbox.sockets.make(do, **self.spaces(), **request)

    def serve_inside(self, listening: socket.socket, address: tuple[str, int] | str) -> None:
        """Until the container ends, who connects to the socket reaches the machine's address, a port or a path."""
        self._spawn(self._serve(listening, address))

    async def _serve(self, listening: socket.socket, address: tuple[str, int] | str) -> None:
        loop = asyncio.get_running_loop()
        with listening:
            while True:
                client, _ = await loop.sock_accept(listening)
                client.setblocking(False)
                self._spawn(self._pass_on(client, address))

    async def _pass_on(self, client: socket.socket, address: tuple[str, int] | str) -> None:
        other = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        other.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(other, address)
        except (OSError, asyncio.CancelledError):
            other.close()
            client.close()
            return
        await relay(client, other)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

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
        for task in self._tasks:
            task.cancel()
        await self.wait()


async def find_sandbox(isolated: bool = True) -> Sandbox:
    """A sandbox that works on this machine, with networks if wanted and possible. Raises SandboxUnavailable."""
    if not sys.platform.startswith("linux"):
        raise SandboxUnavailable("The simulator runs on Linux only: its pods are made of Linux namespaces.")
    lacking = [name for name in NEEDED if shutil.which(name, path=_search_path()) is None]
    if lacking:
        raise SandboxUnavailable(f"Not found: {', '.join(lacking)}. Install the package util-linux.")
    user = ("--user", "--map-root-user")
    reasons = []
    for flags in ((), user) if os.geteuid() == 0 else (user,):
        for with_networks in (True, False) if isolated else (False,):
            sandbox = Sandbox(flags, with_networks)
            try:
                await _try_out(sandbox)
                return sandbox
            except ContainerFailed as error:
                await sandbox.sockets.close()
                reasons.append(str(error))
    raise SandboxUnavailable("\n".join([HOW_TO_ENABLE, *dict.fromkeys(reasons)]))


async def _try_out(sandbox: Sandbox) -> None:
    pod_dir = Path(tempfile.mkdtemp(prefix="runpod-sim-probe-"))
    try:
        (pod_dir / "disk").mkdir()
        (pod_dir / "sbin").mkdir()
        env = {"PATH": _search_path()}
        image = Image(pod_dir=pod_dir, host_name="probe", argv=("/bin/true",), env=env, reaches=PROBED)
        container = await sandbox.start(image)
        await container.wait()
        await container.end(0.0)
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
