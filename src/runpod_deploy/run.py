"""A run in flight: what was asked, what happened, the world, and the one seam between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from .cloud.protocol import Cloud
from .cloud.values import Address
from .errors import OnRetry, SshLost
from .machine.clock import Clock
from .machine.signals import Signals
from .pod.protocol import Host
from .record.events import Event
from .record.fold import apply, fold
from .record.journal import Journal, SkippedRows, read_events
from .record.paths import RunDir
from .record.state import State
from .spec import Spec

# A pod that takes longer to run `true` does not answer.
HELLO_TIMEOUT_S = 15.0


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
    skipped: SkippedRows = field(default_factory=SkippedRows)
    """The rows of the journal that this version could not read."""
    _host: Host | None = None

    def record(self, event: Event, *, must: bool = False) -> None:
        """The one seam: to disk first, then into the state, then to whoever listens.

        With `must`, raises OSError if the event cannot be put on disk: for intents that may not be forgotten.
        """
        stamped = replace(event, ts_utc=self.world.clock.now())
        with self.signals.critical():
            after = apply(self.state, stamped)
            self.journal.append(stamped, common_fields(after), must=must)
            self.state = after
            for listen in self.listeners:
                listen(stamped, after)

    def show(self, source: str, data: bytes) -> None:
        """Output of a command or of the job goes to whoever shows it."""
        for printer in self.printers:
            printer(source, data)

    @property
    def host(self) -> Host:
        """The pod, reached at its recorded address."""
        if self._host is None:
            assert self.state.pod.address is not None, "the pod has no address yet"
            self._host = self.world.reach(self.spec, self.dir, self.state.pod.address)
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
    """The run as its journal has it. The caller holds the run's lock if the run is to record anything."""
    skipped = SkippedRows()
    state = fold(read_events(run_dir.events, skipped), success_marker=spec.job.run.success_marker)
    return Run(spec, run_dir, Journal(run_dir.events), world, state=state, skipped=skipped)


def common_fields(state: State) -> dict[str, str | None]:
    """What every event carries once it is known."""
    return {"pod_id": state.pod.id, "gpu_id": state.pod.gpu_id, "datacenter_id": state.pod.datacenter_id}
