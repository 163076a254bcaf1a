"""A run in progress: its spec, its state, the world that it touches, and the one seam between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from .cloud.protocol import Cloud
from .cloud.values import Address
from .errors import OnRetry, SshLost
from .machine.clock import Clock
from .machine.signals import Signals
from .pod.protocol import Host
from .pod.this_machine import Trouble
from .record.events import NEVER, Event, ListenerFailed, bounded
from .record.fold import apply, fold
from .record.journal import Journal, SkippedRows, read_events
from .record.paths import RunDir
from .record.state import State
from .spec import Spec

# A pod that takes longer to run `true` does not answer.
HELLO_TIMEOUT_S = 15.0
ERROR_CHARS = 300


def no_key(*_: object) -> SshLost:
    """The error of a world without another key."""
    return SshLost("no other key is here")


@dataclass(slots=True)
class World:
    """Everything outside of this process that a run touches."""

    cloud: Cloud
    clock: Clock
    reach: Callable[[Spec, RunDir, Address, int], Host]
    """Makes the host for an address after a boot of this number; the first call to that host connects."""
    authorized_keys: Callable[[Spec, RunDir], str]
    """The public keys that may log in to the pod; the run's own key is made on the first call."""
    on_retry: list[OnRetry] = field(default_factory=list)
    """Called by the cloud and by hosts for each call that failed and will be tried again."""
    troubles: Callable[[RunDir], Iterable[Trouble]] = lambda _: ()
    """What is wrong with this machine, for a run in that folder."""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The caller's environment, from which secrets are read."""
    api_base_url: str = "https://api.runpod.io"
    """The address of the API, which the guard calls from the pod."""
    hostname: str = "a machine without a name"
    """The name of this machine, for people on another one."""
    let_in: Callable[[Spec, RunDir, Address, int, Path | None], SshLost | None] = no_key
    """None once the run's own key may log in to a pod that another machine requested; the key in the file gets in, or
    else the user's own."""


@dataclass(slots=True)
class Run:
    """One run in progress."""

    spec: Spec
    dir: RunDir
    journal: Journal
    world: World
    state: State = field(default_factory=State)
    signals: Signals = field(default_factory=Signals)
    listeners: list[Callable[[Event, State], None]] = field(default_factory=list)
    printers: list[Callable[[str, bytes], None]] = field(default_factory=list)
    """Called with output as it arrives: the name of its source, and the bytes."""
    detach: bool = False
    """Whether to leave after the launch."""
    wait_s: float = 0.0
    """How long to wait for another machine that carries the run out."""
    adopt_key: Path | None = None
    """A private key of the user that gets into a pod which another machine requested."""
    prove: bool = False
    """Whether only addresses that the API tells are contacted, because somebody may have sent the run folder."""
    told: set[Address] = field(default_factory=set)
    """The addresses that the API has told this process for the run's own pod."""
    failed_listeners: list[Callable[..., None]] = field(default_factory=list)
    """The listeners and printers that have raised an error."""
    price_due: float | None = None
    """When the next look at the pod's price is due, by the same seconds as `beat_due`."""
    price_seen_at: datetime = NEVER
    """When the price was known the last time."""
    losses: int = 0
    """How often the pod has told this process that a part of ours was lost there."""
    closing_until: float | None = None
    """Until when the pod has time for the end of its job and for the results, by the same seconds."""
    beat_due: float | None = None
    """When the next heartbeat is due, by the clock's monotonic seconds."""
    recorded_at: dict[type[Event], float] = field(default_factory=dict)
    """When this process last recorded an event of each kind, by the clock's monotonic seconds."""
    skipped: SkippedRows = field(default_factory=SkippedRows)
    """The rows of the journal that this version could not read."""
    _host: Host | None = None

    def record(self, event: Event, *, must: bool = False) -> None:
        """The event is on disk, then in the state, then known to every listener. This is the one seam.

        A clock that is set back makes no event older than the one before it, and long texts are cut. With `must`,
        raises OSError if the event cannot be put on disk: for intents that must not be forgotten.
        """
        stamped = replace(bounded(event), ts_utc=max(self.world.clock.now(), self.state.last_at))
        with self.signals.critical():
            after = apply(self.state, stamped)
            self.journal.append(stamped, common_fields(after), must=must)
            self.state = after
            self.recorded_at[type(event)] = self.world.clock.monotonic()
            for listen in self.listeners:
                self._tell(listen, stamped, after)
        self.signals.checkpoint()

    def show(self, source: str, data: bytes) -> None:
        """Every printer was given this output of a command or of the job."""
        for printer in self.printers:
            self._tell(printer, source, data)

    def _tell(self, listen: Callable[..., None], *given: object) -> None:
        """The listener was called. An error of it ends no run: the first one of each listener is recorded."""
        try:
            listen(*given)
        except Exception as error:
            if listen not in self.failed_listeners:
                self.failed_listeners.append(listen)
                self.record(ListenerFailed(listener=type_name(listen), error=repr(error)[:ERROR_CHARS]))

    @property
    def host(self) -> Host:
        """The pod's host, at its recorded address."""
        if self._host is None:
            assert self.state.pod.address is not None, "the pod has no address yet"
            self._host = self._reached(self.state.pod.address)
        return self._host

    def try_host(self, address: Address) -> SshLost | None:
        """None if the pod answers at this address now, which `host` then uses; else the error."""
        self.leave_host()
        try:
            host = self._reached(address)
        except SshLost as error:
            return error
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

    def _reached(self, address: Address) -> Host:
        if self.prove and address not in self.told:
            raise SshLost("the API has not told the pod's address, and that in the run folder may be anybody's")
        return self.world.reach(self.spec, self.dir, address, self.state.pod.boots)

    def leave_host(self) -> None:
        """No connection is open; the next use of `host` makes a new one."""
        host, self._host = self._host, None
        if host is not None:
            host.close()


def type_name(listen: Callable[..., None]) -> str:
    """The name of a listener's class or function."""
    return getattr(listen, "__qualname__", type(listen).__qualname__)


def open_run(spec: Spec, run_dir: RunDir, world: World) -> Run:
    """The run as its journal has it. The caller holds the run's lock if the run is to record anything."""
    skipped = SkippedRows()
    state = fold(read_events(run_dir.events, skipped), success_marker=spec.job.run.success_marker)
    return Run(spec, run_dir, Journal(run_dir.events), world, state=state, skipped=skipped, price_seen_at=state.last_at)


def common_fields(state: State) -> dict[str, str | None]:
    """The fields that every row has, once they are known."""
    return {"pod_id": state.pod.id, "gpu_id": state.pod.gpu_id, "datacenter_id": state.pod.datacenter_id}
