"""One pod's life: from placing to its end. Knows containers, sshd and pace; knows no API and no money."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from .. import clock
from ..faults.kinds import FOREVER
from ..records.pods import ERROR, RUNNING, STARTING, Pod
from .container import Ground, furnish, image_of, official
from .pace import Pace
from .sandbox import Container, ContainerFailed, Sandbox, wipe
from .sshd import Sshd, SshTroubles

STARTED_FILE = "disk/run/sshd.started"
LOOK_EVERY_S = 0.02
CUDA_LINE = (
    "error starting container: nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8, "
    "please update your driver to a newer version, or use an earlier cuda container: unknown"
)


@dataclass(frozen=True, slots=True)
class World:
    """What every pod shares."""

    sandbox: Sandbox
    pace: Pace
    ground: Ground


class Supervisor:
    """Makes the pod's container, keeps it running, and ends it."""

    def __init__(self, pod: Pod, world: World, on_lost: Callable[[Pod, str], None]) -> None:
        self.pod = pod
        self.world = world
        self.on_lost = on_lost
        self.dir = world.ground.pod_dir(pod)
        self.sshd = Sshd(self.dir / "disk/root/.ssh/authorized_keys", _ssh_troubles(pod))
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
        """As halt, and the container disk is gone."""
        await self.halt(grace_s)
        await asyncio.to_thread(self._wipe_container_disk)

    def log(self, source: str, *texts: str) -> None:
        """The pod's logs have these lines."""
        for text in texts:
            self.pod.log(clock.now(), source, text)

    async def _live(self) -> None:
        pod, pace = self.pod, self.world.pace
        never = pod.troubles.get("never-running")
        await asyncio.sleep(pace.placing_s + pod.troubles.get("slow-boot", {}).get("seconds", 0.0))
        if never and never["status"] != RUNNING:
            pod.status = never["status"]
            return
        pod.status = STARTING
        self.log("system", "create pod network", f"create container {pod.ask['image']}", *pulling(pod))
        if "image-pull-fails" in pod.troubles:
            self.log("system", "error pulling image: failed to register layer: unexpected EOF")
            return
        await asyncio.sleep(pace.starting_s)
        self.log("system", *pulled(pod))
        if "boot-error" in pod.troubles:
            self.on_lost(pod, ERROR)
            return
        pod.status, pod.started_at = RUNNING, clock.now()
        if not never:
            await self._keep_running()

    async def _keep_running(self) -> None:
        await asyncio.to_thread(furnish, self.dir, self.pod, self.world.ground.catalogue)
        while "crash-loop" in self.pod.troubles:
            self.log("system", CUDA_LINE)
            await asyncio.sleep(self.world.pace.restart_s)
        self.sshd.new_host_key()
        self._set_alarm("pod-dies", self._die)
        # The port is known before the container is made: it is in PID 1's environment.
        port = self.sshd.reserve()
        while True:
            await self._run_once(port)
            self.log("system", "container exited, restarting")
            await asyncio.sleep(self.world.pace.restart_s)
            self.sshd.reserve()

    async def _run_once(self, port: int) -> None:
        pod = self.pod
        try:
            self.container = await self.world.sandbox.start(image_of(pod, self.world.ground, port))
        except ContainerFailed as error:
            self.log("system", f"error starting container: {error}")
            return
        self.log("system", f"start container for {pod.ask['image']}: begin")
        pod.up_at = clock.now()
        self._set_alarm("container-exits", self._kill_container)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_logs(self.container))
            opening = tasks.create_task(self._open(self.container, port))
            await self.container.wait()
            opening.cancel()
        await self._end_container(0.0)

    async def _open(self, container: Container, port: int) -> None:
        pod, pace = self.pod, self.world.pace
        await asyncio.sleep(pace.mapping_s)
        pod.port = port
        if "22/tcp" not in pod.ask["ports"] or "sshd-never" in pod.troubles:
            return
        await asyncio.sleep(pace.sshd_s)
        while official(pod) and not (self.dir / STARTED_FILE).exists():
            await asyncio.sleep(LOOK_EVERY_S)
        self.sshd.listen(container)

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

    def _set_alarm(self, trouble: str, ring: Callable[[], None]) -> None:
        after = self.pod.troubles.get(trouble)
        if after is None:
            return
        task = asyncio.get_running_loop().create_task(_later(after["after_s"], ring))
        self._alarms.add(task)
        task.add_done_callback(self._alarms.discard)

    def _kill_container(self) -> None:
        self.pod.troubles.pop("container-exits", None)
        if self.container is not None:
            self.container.signal(9)

    def _die(self) -> None:
        fate = self.pod.troubles.pop("pod-dies", {"as": "gone"})
        self.on_lost(self.pod, str(fate["as"]))

    def _wipe_container_disk(self) -> None:
        for name in ("disk", "upper", "work", "sbin"):
            wipe(self.dir / name)


def pulling(pod: Pod) -> list[str]:
    """What the host says while the image comes: plain text, nothing that could be parsed."""
    name, _, tag = str(pod.ask["image"]).rpartition(":")
    return [f"{tag or 'latest'} Pulling from {name or tag}"]


def pulled(pod: Pod) -> list[str]:
    """What it says when the image is there."""
    image = str(pod.ask["image"])
    digest = hashlib.sha256(image.encode()).hexdigest()
    return [f"Digest: sha256:{digest}", f"Status: Downloaded newer image for {image}"]


async def _later(seconds: float, ring: Callable[[], None]) -> None:
    await asyncio.sleep(seconds)
    ring()


def _ssh_troubles(pod: Pod) -> SshTroubles:
    of = pod.troubles.get
    return SshTroubles(
        refuse=of("ssh-refused", {}).get("connections", 0),
        hang=of("ssh-hangs", {}).get("connections", 0),
        refuse_key=min(FOREVER, of("ssh-key-refused", {}).get("connections", 0)),
        drop=of("ssh-drops", {}).get("connections", 0),
        drop_after_bytes=of("ssh-drops", {}).get("after_bytes", 0),
        true_key_first=of("other-host-key", {}).get("connections"),
    )
