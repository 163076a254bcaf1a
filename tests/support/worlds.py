"""Runs in memory: real phases on a fake cloud and fake hosts, which a test can make fail at every side effect."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from runpod_deploy.pod.this_machine import Trouble
from runpod_deploy.record.events import Event
from runpod_deploy.record.journal import read_events
from runpod_deploy.record.paths import RunDir
from runpod_deploy.record.state import State
from runpod_deploy.run import Run, World, open_run
from runpod_deploy.spec import (
    ArtifactPullSpec,
    BudgetSpec,
    CommandSpec,
    LifecyclePolicySpec,
    PodSpec,
    RsyncPushSpec,
    RunpodJobSpec,
    RunSpec,
    Spec,
    StorageSpec,
)
from tests.support.fakes.clock import START, FakeClock
from tests.support.fakes.cloud import FakeCloud
from tests.support.fakes.host import FakeHost


class Killed(BaseException):
    """The process dies here: none of our code that records an error sees this exception."""


@dataclass
class FaultAt:
    """Raises at the nth side effect, and counts them."""

    nth: int
    error: Callable[[], BaseException]
    seen: int = 0
    where: str = ""

    def __call__(self, where: str) -> None:
        self.seen += 1
        if self.seen == self.nth:
            self.where = where
            raise self.error()


class Memory:
    """A clock, a cloud, and the inside of each pod that the cloud creates."""

    def __init__(self, tmp_path: Path, **host: object) -> None:
        self.clock = FakeClock()
        self.cloud = FakeCloud(self.clock)
        self.hosts: dict[str, FakeHost] = {}
        self.settings = host
        self.environ: dict[str, str] = {}
        self.troubles: list[Trouble] = []
        """What is wrong with this machine."""
        self.on_effect: Callable[[str], None] | None = None
        """Called around every side effect of the cloud and the hosts, with its name; may raise."""
        self.dir = RunDir(tmp_path / "artifacts" / "runpod" / "20261101T120000Z")
        self.dir.path.mkdir(parents=True)
        (tmp_path / "src").mkdir(exist_ok=True)
        self.spec = spec_in(tmp_path)
        self.cloud.on_effect = self._on_effect

    def _on_effect(self, where: str) -> None:
        if self.on_effect:
            self.on_effect(where)

    def open(self, *listeners: Callable[[Event, State], None]) -> Run:
        """The run as a new process would open it: from its journal."""
        world = World(
            cloud=self.cloud,
            clock=self.clock,
            reach=lambda spec, run_dir, address, boot: self.inside(),
            authorized_keys=lambda spec, run_dir: "ssh-ed25519 AAAA test",
            troubles=lambda _: self.troubles,
            environ=self.environ,
        )
        run = open_run(self.spec, self.dir, world)
        run.listeners.extend(listeners)
        return run

    def inside(self) -> FakeHost:
        """The inside of the newest running pod."""
        pod = next((p for p in reversed(list(self.cloud.billing)) if p.status == "RUNNING"), None)
        key = pod.id if pod else "none"
        if key not in self.hosts:
            host = FakeHost(self.clock, self._on_effect, **self.settings)  # type: ignore[arg-type]
            host.alive = lambda: pod is not None and any(p.id == pod.id for p in self.cloud.billing)
            self.hosts[key] = host
        return self.hosts[key]

    @property
    def starts(self) -> int:
        """How many times a job was started, on all pods together."""
        return sum(host.starts for host in self.hosts.values())

    @property
    def events(self) -> list[Event]:
        """The events in the journal."""
        return list(read_events(self.dir.events))


def spec_in(root: Path) -> Spec:
    """A job that uses every phase."""
    job = RunpodJobSpec(
        name="demo",
        pod=PodSpec(image="runpod/pytorch:1.0", datacenters=("EU-RO-1", "US-TX-3"), gpu_order=("NVIDIA L4",)),
        storage=StorageSpec(mode="ephemeral", volume_gb=10),
        budget=BudgetSpec(cost_cap_usd=1.0, assumed_hourly_rate_usd=0.5),
        setup=(CommandSpec(command="apt-get update"), CommandSpec(command="pip list")),
        staging=(RsyncPushSpec(label="code", source="src", destination="/workspace/src"),),
        preflight=(CommandSpec(command="nvidia-smi"),),
        run=RunSpec(
            script_path="/workspace/run.sh", log_path="/workspace/run.log", body="echo DONE", success_marker="DONE"
        ),
        artifacts=(ArtifactPullSpec(label="out", remote_path="/workspace/out", local_path="results/out"),),
        lifecycle=LifecyclePolicySpec(on_success="delete", on_failure="delete"),
    )
    return Spec(
        run_id="demo-20261101T120000Z",
        token="11" * 16,
        config_path=root / "job.yaml",
        project_root=root,
        job=job,
        created_at=START,
    )


def with_job(spec: Spec, **changes: object) -> Spec:
    """The spec with some sections of its job replaced."""
    return replace(spec, job=replace(spec.job, **changes))  # type: ignore[arg-type]


def dies_after(n: int) -> Callable[[Event, State], None]:
    """A listener that kills the process when the nth event is on disk."""
    count = itertools.count(1)

    def listen(_event: Event, _state: State) -> None:
        if next(count) == n:
            raise Killed

    return listen
