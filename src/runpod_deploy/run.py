"""A run in flight: what was asked, what happened, the world, and the one seam between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from .cloud.values import Address, Candidate, Offer, Pod, PodAsk
from .errors import DeployError, SshLost
from .machine.clock import Clock
from .machine.signals import Signals
from .pod.transfer.values import Moved, OnProgress, Pull, Push
from .record.events import Event
from .record.fold import apply, fold
from .record.journal import Journal, RunDir
from .record.state import State
from .spec import Spec

# A pod that takes longer to run `true` does not answer.
HELLO_TIMEOUT_S = 15.0


class Cloud(Protocol):
    """The cloud that rents pods. Every method is bounded in time and raises errors of `errors` only."""

    def catalogue(self, cloud_type: str, *, gpu_count: int, cpu: bool = False, vcpu_count: int = 2) -> list[Offer]:
        """All offers of one cloud; the stock is that of pods with so many GPUs, or so many vCPUs."""

    def create(self, ask: PodAsk, candidate: Candidate) -> Pod:
        """A new pod. Raises StockOut if this candidate has none, AnswerUnclear if one may exist all the same."""

    def find(self, name: str) -> list[Pod]:
        """The pods of that name, newest first, listed after this call began. It may lag behind a create."""

    def look(self, pod_id: str, max_age_s: float) -> Pod | None:
        """The pod as a listing shows it that is at most so old and that many runs share: cheap, for waiting.

        None says only that it is not listed: ask `get` before believing that it is gone.
        """

    def get(self, pod_id: str) -> Pod | None:
        """The pod as the API says now, or None if there is no such pod (any more)."""

    def boot_stage(self, pod: Pod) -> str:
        """How far its boot has come: placing, image_pull, starting or sshd."""

    def start(self, pod_id: str) -> Pod:
        """A stopped pod on its way up. Raises StockOut if its host has no free GPU."""

    def stop(self, pod_id: str) -> None:
        """Asks for the pod to be stopped; no error if there is no such pod or it is stopped."""

    def delete(self, pod_id: str) -> None:
        """Asks for the pod to be deleted; no error if there is no such pod."""

    def volume(self, name: str) -> tuple[str, str]:
        """Id and datacenter of the one network volume of that name. Raises ConfigError on none or several."""


@dataclass(frozen=True, slots=True)
class Reply:
    """How a command on the pod ended."""

    exit_code: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True, slots=True)
class LogChunk:
    """The next bytes of the job's log."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement on the pod: a row of metrics.jsonl without its time."""

    row: dict[str, object]


@dataclass(frozen=True, slots=True)
class JobEnd:
    """The job is over; all of its log has been delivered before this."""

    exit_code: int | None
    """None if the job vanished without leaving a status: killed with its container."""
    stopped: bool = False
    """Whether somebody stopped it, rather than that it ended by itself."""


Frame = LogChunk | Sample | JobEnd


class Follow(Protocol):
    """One open channel that streams the job's log, samples and end."""

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame, or None if none came in time. Raises SshLost when the connection is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardTerms:
    """When the guard on the pod acts, and how."""

    deadline_at: datetime
    """Hard end: stop the job and release."""
    idle_s: int
    """Release if the job has ended, or none was ever started, for so long."""
    on_failure: str
    """delete, stop or preserve: how to release a pod whose volume may hold results."""
    api_base_url: str


class Host(Protocol):
    """A pod that answers over SSH. Every method raises SshLost when the connection fails for good."""

    def run(
        self,
        command: str,
        *,
        stdin: bytes = b"",
        timeout_s: float,
        on_output: Callable[[bytes], None] | None = None,
    ) -> Reply:
        """The ended command. Output goes to on_output as it comes, and b"" each second without any.

        Raises TimeoutError, having killed it.
        """

    def push(self, transfer: Push, on_progress: OnProgress | None = None) -> Moved:
        """The remote side equals the local one. Raises StagingFailed."""

    def pull(self, transfer: Pull, on_progress: OnProgress | None = None) -> Moved | None:
        """The local side holds the remote one, verified; None if there is nothing at that remote path."""

    def arm(self, terms: GuardTerms) -> str:
        """Gives the guard its terms, starting it if need be. Empty once it has proved that it lives; else why not."""

    def disarm(self, *, from_next_start: bool) -> None:
        """The guard does nothing until it is armed again; at once, or from the container's next start on."""

    def launch(self, script: bytes) -> int:
        """The job's process id; the job was started once, however often this is called."""

    def follow(self, offset: int) -> AbstractContextManager[Follow]:
        """A channel that starts at this byte of the log."""

    def stop_job(self, grace_s: float) -> None:
        """No process of the job is left: TERM, and KILL after the grace."""

    def close(self) -> None:
        """No connection is left open."""


OnRetry = Callable[[str, DeployError, float], None]
"""What is tried, why it failed, and in how many seconds it is tried again."""


@dataclass(slots=True)
class World:
    """All that a run touches."""

    cloud: Cloud
    clock: Clock
    reach: Callable[[Spec, RunDir, Address], Host]
    """A host at an address; connecting is the first call's business."""
    authorized_keys: Callable[[Spec, RunDir], str]
    """Public keys to let into the pod, the run's own made on the first call."""
    on_retry: list[OnRetry] = field(default_factory=list)
    """Told by the cloud and by hosts of each call that failed and will be tried again."""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The caller's environment: where secrets come from."""
    api_base_url: str = "https://api.runpod.io"
    """For the guard, which calls the same API from the pod."""


@dataclass(slots=True)
class Run:
    """One run in flight."""

    spec: Spec
    dir: RunDir
    journal: Journal
    world: World
    state: State = field(default_factory=State)
    signals: Signals = field(default_factory=Signals)
    listeners: list[Callable[[Event, State], None]] = field(default_factory=list)
    printers: list[Callable[[str, bytes], None]] = field(default_factory=list)
    """Told of output as it comes: what printed it, and the bytes."""
    detach: bool = False
    """Whether to leave after the launch."""
    beat_due: float | None = None
    """When the next heartbeat is due, by the clock's monotonic seconds."""
    _host: Host | None = None

    def record(self, event: Event, *, must: bool = False) -> None:
        """The one seam: to disk first, then into the state, then to whoever listens.

        With `must`, raises OSError if the event cannot be put on disk: for intents that may not be forgotten.
        """
        stamped = replace(event, ts_utc=self.world.clock.now())
        with self.signals.critical():
            after = apply(self.state, stamped)
            self.journal.append(stamped, whereabouts(after), must=must)
            self.state = after
            for listen in self.listeners:
                listen(stamped, after)

    def show(self, source: str, data: bytes) -> None:
        """Output of a command or of the job goes to whoever shows it."""
        for printer in self.printers:
            printer(source, data)

    @property
    def marker(self) -> str | None:
        """The configured success marker."""
        return self.spec.job.run.success_marker

    @property
    def host(self) -> Host:
        """The pod, reached at its recorded address."""
        if self._host is None:
            assert self.state.address is not None, "the pod has no address yet"
            self._host = self.world.reach(self.spec, self.dir, self.state.address)
        return self._host

    def try_host(self, address: Address) -> SshLost | None:
        """None if the pod answers at this address right now, and `host` is it then; else why it does not."""
        self.leave_host()
        host = self.world.reach(self.spec, self.dir, address)
        try:
            host.run("true", timeout_s=HELLO_TIMEOUT_S)
        except SshLost as error:
            host.close()
            return error
        except TimeoutError:
            host.close()
            return SshLost(f"SSH: `true` took longer than {HELLO_TIMEOUT_S:.0f} s")
        self._host = host
        return None

    def leave_host(self) -> None:
        """No connection is open; the next use of `host` makes a new one."""
        host, self._host = self._host, None
        if host is not None:
            host.close()


def open_run(spec: Spec, run_dir: RunDir, world: World) -> Run:
    """The run as its journal has it."""
    journal = Journal(run_dir.events)
    return Run(spec, run_dir, journal, world, state=fold(journal.read()))


def whereabouts(state: State) -> dict[str, str | None]:
    """What every event carries once it is known."""
    return {"pod_id": state.pod_id, "gpu_id": state.gpu_id, "datacenter_id": state.datacenter_id}
