"""Boots one pod, keeps its container running, ends it. Knows containers, sshd and pace; knows no API, no money."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from .. import clock
from ..faults.kinds import FOREVER
from ..records.pods import ERROR, RUNNING, STARTING, Pod
from .container import Site, image_of, prepare_disk, set_clock
from .pace import Pace
from .ports import PublicPorts
from .sandbox import Container, ContainerFailed, Sandbox, wipe
from .sshd import Sshd, SshFaults

STARTED_FILE = "disk/run/sshd.started"
LOOK_EVERY_S = 0.02
CRASH_LINES = {
    "cuda": "error starting container: nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8, "
    "please update your driver to a newer version, or use an earlier cuda container: unknown",
    "memory": "error starting container: Memory cgroup out of memory: Killed process 1 (start.sh)",
    "command": 'error starting container: OCI runtime create failed: exec: "/start.sh": executable file not found in '
    "$PATH: unknown",
}
"""The host's words for each cause of the fault crash-loop."""
PULL_LINES = {
    "broken": "error pulling image: failed to register layer: unexpected EOF",
    "not-found": "error pulling image: manifest for {image} not found: manifest unknown: manifest unknown",
    "denied": "error pulling image: pull access denied for {image}, repository does not exist or may require "
    "'docker login': denied: requested access to the resource is denied",
    "rate-limit": "error pulling image: toomanyrequests: You have reached your unauthenticated pull rate limit",
    "disk-full": "error pulling image: failed to register layer: write /usr/lib/libtorch.so: no space left on device",
}
"""The host's words for each cause of the fault image-pull-fails."""


@dataclass(frozen=True, slots=True)
class Platform:
    """The sandbox, the pace and the site, which all pods share."""

    sandbox: Sandbox
    pace: Pace
    site: Site


class Supervisor:
    """Makes the pod's container, keeps it running, and ends it."""

    def __init__(self, pod: Pod, platform: Platform, on_lost: Callable[[Pod, str], None]) -> None:
        self.pod = pod
        self.platform = platform
        self.on_lost = on_lost
        self.dir = platform.site.pod_dir(pod)
        self.sshd = Sshd(self.dir / "disk/root/.ssh/authorized_keys", _ssh_faults(pod))
        self.ports = PublicPorts(self.sshd.port)
        self.container: Container | None = None
        self._task: asyncio.Task[None] | None = None
        self._alarms: set[asyncio.Task[None]] = set()

    def begin(self) -> None:
        """The pod boots, on a fresh container disk."""
        self._task = asyncio.get_running_loop().create_task(self._live())

    async def halt(self, grace_s: float) -> None:
        """No process of the pod is left and nothing listens; its disks are as they were."""
        for task in [self._task, *self._alarms]:
            if task is not None and task is not asyncio.current_task():
                task.cancel()
        self._task = None
        await self._end_container(grace_s)
        self.pod.port = None

    async def remake(self, grace_s: float) -> None:
        """No process of the pod is left, and its container disk is deleted."""
        await self.halt(grace_s)
        await asyncio.to_thread(self._wipe_container_disk)

    def renew_ports(self) -> None:
        """A resumed pod gets other ports."""
        self.sshd.port.renew()
        self.ports.release()

    def release_ports(self) -> None:
        """The pod's ports are free for others."""
        self.sshd.port.release()
        self.ports.release()

    def log(self, source: str, *texts: str) -> None:
        """The pod's logs have these lines."""
        for text in texts:
            self.pod.log(clock.now(), source, text)

    async def _live(self) -> None:
        pod, pace = self.pod, self.platform.pace
        never = pod.faults.get("never-running")
        await asyncio.sleep(pace.placing_s + pod.faults.get("slow-boot", {}).get("seconds", 0.0))
        if never and never["status"] != RUNNING:
            pod.status = never["status"]
            return
        pod.status = STARTING
        self.log("system", "create pod network", f"create container {pod.spec['image']}", *pulling(pod))
        if "image-pull-fails" in pod.faults:
            line = PULL_LINES[pod.faults["image-pull-fails"].get("cause", "broken")]
            self.log("system", line.format(image=pod.spec["image"]))
            return
        await asyncio.sleep(pace.starting_s)
        self.log("system", *pulled(pod))
        if "boot-error" in pod.faults:
            self.on_lost(pod, ERROR)
            return
        pod.status, pod.started_at = RUNNING, clock.now()
        if not never:
            await self._keep_running()

    async def _keep_running(self) -> None:
        await asyncio.to_thread(prepare_disk, self.dir, self.pod, self.platform.site)
        while "crash-loop" in self.pod.faults:
            self.log("system", CRASH_LINES[self.pod.faults["crash-loop"].get("cause", "cuda")])
            await asyncio.sleep(self.platform.pace.restart_s)
        self.sshd.new_host_key()
        self._set_alarm("pod-dies", self._die)
        self._set_alarm("pod-clock-jumps", self._set_clock)
        self._set_alarm("migrates", lambda: self.on_lost(self.pod, "moved"))
        # The port is known before the container is made: it is in PID 1's environment.
        port = self.sshd.port.reserve()
        isolated = self.platform.sandbox.isolated
        self.pod.public_ports = self.ports.reserve(self.pod.spec["ports"]) if isolated else {}
        while True:
            await self._run_once(port)
            self.log("system", "container exited, restarting")
            await asyncio.sleep(self.platform.pace.restart_s)

    async def _run_once(self, port: int) -> None:
        pod = self.pod
        try:
            self.container = await self.platform.sandbox.start(image_of(pod, self.platform.site, port))
        except ContainerFailed as error:
            self.log("system", f"error starting container: {error}")
            return
        self.log("system", f"start container for {pod.spec['image']}: begin")
        pod.up_at = clock.now()
        self._set_alarm("container-exits", self._kill_container)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_logs(self.container))
            opening = tasks.create_task(self._open(self.container, port))
            await self.container.wait()
            opening.cancel()
        await self._end_container(0.0)

    async def _open(self, container: Container, port: int) -> None:
        pod, pace = self.pod, self.platform.pace
        await asyncio.sleep(pace.mapping_s)
        pod.port = port
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.ports.follow(container, self._is_answered))
            if "22/tcp" in pod.spec["ports"] and "sshd-never" not in pod.faults:
                await asyncio.sleep(pace.sshd_s)
                while not self._sshd_started():
                    await asyncio.sleep(LOOK_EVERY_S)
                self.sshd.listen(container)

    def _is_answered(self, text: str) -> bool:
        """Whether the SSH server of the simulator answers for the port, rather than a program in the pod."""
        return text == "22/tcp" and (self._sshd_started() or "sshd-never" in self.pod.faults)

    def _sshd_started(self) -> bool:
        return (self.dir / STARTED_FILE).exists()

    async def _keep_logs(self, container: Container) -> None:
        # A line longer than the reader's limit is cut, not fatal.
        with contextlib.suppress(ValueError):
            async for line in container.output:
                self.log("container", line.decode(errors="replace").rstrip("\n"))
        while await container.output.read(65536):
            pass

    async def _end_container(self, grace_s: float) -> None:
        self.sshd.close()
        container, self.container = self.container, None
        if container is not None:
            await container.end(grace_s)
        (self.dir / STARTED_FILE).unlink(missing_ok=True)

    def _set_alarm(self, fault: str, ring: Callable[[], None]) -> None:
        after = self.pod.faults.get(fault)
        if after is None:
            return
        task = asyncio.get_running_loop().create_task(_later(after["after_s"], ring))
        self._alarms.add(task)
        task.add_done_callback(self._alarms.discard)

    def _kill_container(self) -> None:
        self.pod.faults.pop("container-exits", None)
        if self.container is not None:
            self.container.signal(9)

    def _die(self) -> None:
        end_state = self.pod.faults.pop("pod-dies", {"as": "gone"})
        self.on_lost(self.pod, str(end_state["as"]))

    def _set_clock(self) -> None:
        set_clock(self.dir, self.pod.faults["pod-clock-jumps"]["seconds"])

    def _wipe_container_disk(self) -> None:
        for name in ("disk", "upper", "work", "sbin"):
            wipe(self.dir / name)
        (self.dir / "lacks").unlink(missing_ok=True)


def pulling(pod: Pod) -> list[str]:
    """The host's log lines during the image pull: plain text without a fixed format."""
    name, _, tag = str(pod.spec["image"]).rpartition(":")
    return [f"{tag or 'latest'} Pulling from {name or tag}"]


def pulled(pod: Pod) -> list[str]:
    """The host's log lines after the image pull."""
    image = str(pod.spec["image"])
    digest = hashlib.sha256(image.encode()).hexdigest()
    return [f"Digest: sha256:{digest}", f"Status: Downloaded newer image for {image}"]


async def _later(seconds: float, ring: Callable[[], None]) -> None:
    await asyncio.sleep(seconds)
    ring()


def _ssh_faults(pod: Pod) -> SshFaults:
    of = pod.faults.get
    return SshFaults(
        refuse=of("ssh-refused", {}).get("connections", 0),
        hang=of("ssh-hangs", {}).get("connections", 0),
        refuse_key=min(FOREVER, of("ssh-key-refused", {}).get("connections", 0)),
        drop=of("ssh-drops", {}).get("connections", 0),
        drop_after_bytes=of("ssh-drops", {}).get("after_bytes", 0),
        true_key_first=of("other-host-key", {}).get("connections"),
    )
