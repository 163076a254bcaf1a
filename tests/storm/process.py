"""One process of ours in a storm: its clock, its connection to the cloud and to pods, its end.

Everything that it does outside of itself passes through `Process.effect`, where faults strike and invariants are
checked. Knows how to run commands; knows no history.
"""

from __future__ import annotations

import io
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from typing import Any, cast

from runpod_deploy.cli.carrying import finish
from runpod_deploy.cloud.protocol import Cloud
from runpod_deploy.cloud.values import Address
from runpod_deploy.driver import pull_each, to_end
from runpod_deploy.errors import FAILURE_KINDS, AnswerUnclear, CloudUnreachable, DeployError, Interrupt
from runpod_deploy.lifecycle import pull_paused
from runpod_deploy.pod.protocol import Host
from runpod_deploy.record.events import Event
from runpod_deploy.record.lock import RunLock
from runpod_deploy.record.paths import RunDir
from runpod_deploy.record.state import State
from runpod_deploy.record.state_file import StateFileWriter
from runpod_deploy.run import Run, World, open_run
from runpod_deploy.spec import Spec
from tests.storm.cloud import StormCloud
from tests.storm.edges import Nowhere, Outside, ProcessClock, StormJournal
from tests.storm.faults import LIES, Answered, Faults
from tests.storm.invariants import Violation, require
from tests.storm.pods import Connected
from tests.support.worlds import Killed

API_CALL_S = 0.1
LONGEST_S = 12 * 3600.0
MOST_EFFECTS = 400_000
BUSY = FAILURE_KINDS["busy"].exit_code
UNCONFIRMED = FAILURE_KINDS["release_unconfirmed"].exit_code
UNLIMITED = resource.getrlimit(resource.RLIMIT_FSIZE)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended."""

    command: str
    code: int | None
    """None if it was killed."""
    stderr: str
    state: State | None
    lasted_s: float
    told: tuple[str, ...]
    disk_full: bool
    """Whether it ended while the disk was full, so that its last events are not on disk."""

    @property
    def last_line(self) -> str:
        """The last line on stderr."""
        return next(reversed(self.stderr.strip().splitlines()), "")


class Process:
    """One process that carries out a command on a run."""

    def __init__(self, cloud: StormCloud, faults: Faults, spec: Spec, run_dir: RunDir, environ: dict[str, str]) -> None:
        self.cloud, self.faults, self.spec, self.dir, self.environ = cloud, faults, spec, run_dir, environ
        self.begun_s = cloud.memory_clock.monotonic()
        self.dead = self.disk_is_full = False
        self.run: Run | None = None
        self.clock = ProcessClock(self)
        self.watchers: list[Callable[[Process, str, Any], None]] = []
        """Called at every effect and after every event, with its name and its arguments; may raise Violation."""

    def live(self) -> None:
        """Raises Killed in a process that is dead."""
        if self.dead:
            raise Killed

    def effect(self, where: str, args: Any = ()) -> None:
        """A side effect is about to happen, or has happened."""
        self.live()
        now_s = self.clock.monotonic()
        require(self.faults.count < MOST_EFFECTS, "bounded", f"{MOST_EFFECTS} side effects in one process")
        slow_s = LONGEST_S + self.faults.interfered
        require(now_s - self.begun_s < slow_s, "bounded", f"a process still works after {slow_s:.0f} s, at {where}")
        for watch in self.watchers:
            watch(self, where, args)
        if where == "before create" and (late_s := self.faults.late()) is not None:
            request, candidate = args
            self.cloud.place_late(request, candidate, late_s)
            raise AnswerUnclear("POST /pods: connection reset")
        call = where.partition(" ")[2]
        if where.startswith("before") and call in LIES and now_s < self.faults.lying_until_s:
            raise Answered(LIES[call])
        try:
            with self.enough_disk():
                self.faults.strike(where)
        except Killed:
            self.dead = True
            raise
        finally:
            self.set_disk()

    def set_disk(self) -> None:
        """The disk is full, or is not, as the faults say: no file of this machine may grow while it is."""
        self.limit_disk(self.clock.monotonic() < self.faults.disk_full_until_s and not self.dead)

    def limit_disk(self, full: bool) -> None:
        """No file may grow if the disk is full."""
        if full != self.disk_is_full:
            self.disk_is_full = full
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, UNLIMITED[1]) if full else UNLIMITED)

    @contextmanager
    def enough_disk(self) -> Iterator[None]:
        """Others may write meanwhile; afterwards the disk is as full as this process finds it."""
        self.limit_disk(False)
        try:
            yield
        finally:
            self.set_disk()

    def api_fails(self, name: str) -> None:
        """Raises what a call to the API raises now; it takes a moment."""
        self.clock.sleep(API_CALL_S)
        if self.cloud.out("api"):
            raise (AnswerUnclear if name == "create" else CloudUnreachable)("HTTP 503")

    def world(self) -> World:
        """The world of a run in this process."""
        return World(
            cloud=cast(Cloud, Outside(self, self.cloud, self.api_fails)),
            clock=self.clock,
            reach=lambda spec, run_dir, address, boot: self.reach(spec, address),
            authorized_keys=lambda spec, run_dir: "ssh-ed25519 AAAA storm",
            environ=self.environ,
        )

    def reach(self, spec: Spec, address: Address) -> Host:
        """The host at this address."""
        pod_id = self.cloud.at(address)
        if pod_id is None:
            return cast(Host, Outside(self, Nowhere(), lambda name: None))
        inside = self.cloud.insides[pod_id]
        host = Connected(inside, spec.run_id, self.clock, lost=lambda: self.cloud.out("ssh"))
        return cast(Host, Outside(self, host, lambda name: None))

    def carry(self, story: Callable[[Run], State], *, detach: bool = False) -> Ended:
        """The end of a process that carries the run out."""
        return self.ended(story.__name__, lambda: self.driven(story, detach))

    def driven(self, story: Callable[[Run], State], detach: bool) -> tuple[int, State | None]:
        """The exit code and state, as the driver and the command make them."""
        with RunLock(self.dir).held(wait_s=0.0):
            run = self.opened()
            run.detach = detach
            with run.signals.installed():
                self.faults.signals_arrive = True
                try:
                    state = to_end(run, story)
                finally:
                    self.faults.signals_arrive = False
        return finish(state, self.dir), state

    def opened(self) -> Run:
        """The run, with its listeners."""
        run = open_run(self.spec, self.dir, self.world())
        run.journal = StormJournal(self, self.dir)
        run.listeners += [StateFileWriter(self.spec, self.dir), self.on_event]
        self.run = run
        return run

    def on_event(self, event: Event, state: State) -> None:
        """Each event is an effect as well."""
        self.effect(f"event {type(event).__name__}", (event, state))

    def pull(self) -> Ended:
        """The end of a `pull`."""
        return self.ended("pull", self.pulled)

    def pulled(self) -> tuple[int, State | None]:
        """The exit code, after the artifacts were pulled from the pod that runs."""
        with RunLock(self.dir).held(wait_s=0.0):
            run = self.opened()
            if run.state.pod.address is None or run.state.end.released:
                return 2, None
            pull_each(run)
        return 0, None

    def pull_start(self) -> Ended:
        """The end of a `pull --start`."""
        return self.ended("pull_start", self.visited)

    def visited(self) -> tuple[int, State | None]:
        """The exit code of a visit to the paused pod."""
        state = open_run(self.spec, self.dir, self.world()).state
        pod = self.cloud.rented.get(state.pod.id or "")
        if not (state.end.released and state.pod.address) or pod is None or state.work.collected:
            return 2, None
        if pod.deleted_at is not None or pod.pod.name != state.pod.name:
            return 2, None
        if pod.pod.status != "EXITED" and not state.end.reopened:
            with RunLock(self.dir).held(wait_s=0.0):
                pull_each(self.opened())
            return 0, None
        return self.driven(pull_paused, False)

    def ended(self, command: str, act: Callable[[], tuple[int, State | None]]) -> Ended:
        """How the process ends that does this."""
        err, code, state, full = io.StringIO(), None, None, False
        with redirect_stderr(err):
            try:
                code, state = act()
            except Killed:
                self.dead = True
            except DeployError as error:
                code = error.exit_code
            except Interrupt:
                code = 130
            except (Violation, TimeoutError, OSError):
                raise
            finally:
                full = self.clock.monotonic() < self.faults.disk_full_until_s
                self.dead_or_over()
        lasted_s = self.clock.monotonic() - self.begun_s
        return Ended(command, code, err.getvalue(), state, lasted_s, tuple(self.faults.told), full)

    def dead_or_over(self) -> None:
        """Nothing of this process acts any more."""
        self.faults.disk_full_until_s = float("-inf")
        self.limit_disk(False)
