"""Pods on which the Host protocol is tested: real SSH servers on loopback, with and without rsync."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from runpod_deploy.cloud.values import Address
from runpod_deploy.pod import keys
from runpod_deploy.pod.job import JobPaths
from runpod_deploy.pod.openssh import PodHost
from runpod_deploy.pod.ssh import Connection, Login
from runpod_deploy.pod.transfer import rsync
from tests.support import sshd

SERVERS = {"openssh": sshd.openssh, "asyncssh": sshd.asyncssh_server}
SETUPS = [*(f"{server}-{tools}" for server in SERVERS for tools in ("rsync", "tar")), "asyncssh-busybox"]

TOOLS: dict[str, Callable[[], str]] = {
    "rsync": lambda: sshd.tools_without(),
    "tar": lambda: sshd.tools_without("rsync"),
    "busybox": sshd.busybox_tools,
}


@dataclass
class Ground:
    """One server, and any number of hosts that connect to it."""

    address: Address
    ssh_dir: Path
    remote: Path
    """A folder that stands for the pod's disk."""
    local: Path
    _hosts: list[PodHost] = field(default_factory=list)

    def host(self, address: Address | None = None, *, run_id: str = "run-1", sample_s: int = 0) -> PodHost:
        """A host at the server, or at the address of a cable before it."""
        at = address or self.address
        login = Login(ssh_dir=self.ssh_dir, address=at, host_alias=f"pod-{at.port}")
        paths = self.paths(run_id)
        made = PodHost(Connection(login, contact=paths.contact), paths, sample_s=sample_s)
        self._hosts.append(made)
        return made

    def paths(self, run_id: str = "run-1") -> JobPaths:
        """The paths of a run on the server. Its name is this test process's own: it is how processes are found."""
        home = self.remote / "control of runs" / f"{os.getpid()}-{self.remote.parent.name}-{run_id}"
        return JobPaths(
            control_dir=str(home), log=str(self.remote / "job.log"), script=str(self.remote / "job.sh"), disk="/"
        )

    def close(self) -> None:
        for host in self._hosts:
            host.close()


@contextmanager
def ground(setup: str, folder: Path) -> Iterator[Ground]:
    """The server of this setup. The test is skipped if the machine lacks a program for it."""
    server, tools = setup.split("-")
    rsync.here.cache_clear()
    if server == "openssh" and not sshd.has_openssh():
        pytest.skip("no sshd here, or not root")
    if tools == "rsync" and not rsync.here():
        pytest.skip("no rsync here")
    if tools == "busybox" and shutil.which("busybox") is None:
        pytest.skip("no busybox here")
    for name in ("pod", "here"):
        (folder / name).mkdir()
    ssh_dir = folder / "run dir with 'quotes\" and 100%" / "ssh"
    path = TOOLS[tools]()
    with SERVERS[server](folder / "server", keys.make_key(ssh_dir), path) as address, ExitStack() as stack:
        made = Ground(address, ssh_dir, folder / "pod", folder / "here")
        stack.callback(made.close)
        yield made


class Cable:
    """A TCP relay to the server that can be cut: at once, or after a number of bytes in either direction."""

    def __init__(self, to: Address) -> None:
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self.address = Address(host="127.0.0.1", port=self._listener.getsockname()[1])
        self.cut_after = 1 << 60
        self.cuts = 0
        self.carried = 0
        self._threads[0].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection((self._to.host, self._to.port))
                self._sockets += [near, far]
                for source, target in ((near, far), (far, near)):
                    thread = threading.Thread(target=self._carry, args=(source, target))
                    self._threads.append(thread)
                    thread.start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
                self.carried += len(data)
                self.cut_after -= len(data)
                if self.cut_after <= 0:
                    self.cut_after = 1 << 60
                    self.cut()
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def cut(self) -> None:
        """Every connection is closed; new ones may be made."""
        self.cuts += 1
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """All sockets are closed and all threads have ended."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(10)
        for each in self._sockets:
            each.close()


@contextmanager
def cable(to: Address) -> Iterator[Cable]:
    """A cable that is closed at the end of the block."""
    made_cable = Cable(to)
    try:
        yield made_cable
    finally:
        made_cable.close()
