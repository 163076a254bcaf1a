"""One storm: a history, played in memory from its first process to the end of everything that bills."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from runpod_deploy.cloud.pod_labels import RUN_ID_LABEL, TOKEN_LABEL, origin
from runpod_deploy.cloud.removal import end_all
from runpod_deploy.cloud.values import Pod, PodRequest
from runpod_deploy.errors import ConfigError
from runpod_deploy.history.audit import audit
from runpod_deploy.history.known_runs import known_runs
from runpod_deploy.lifecycle import carry_out, end_now
from runpod_deploy.money import guard_deadline
from runpod_deploy.pod.guard import IDLE_S
from runpod_deploy.record.events import ignore
from runpod_deploy.record.fold import apply
from runpod_deploy.record.journal import read_line
from runpod_deploy.record.paths import RunDir
from runpod_deploy.record.state import State
from runpod_deploy.record.state_file import read_state_file
from runpod_deploy.record.stop_request import leave_wish
from runpod_deploy.spec import Spec
from tests.storm import checks
from tests.storm.cloud import Span, StormCloud
from tests.storm.configs import RUN_ID, spec_of
from tests.storm.faults import Faults
from tests.storm.history import LOCKED_S, Act, History, Job, Visit, Weather
from tests.storm.invariants import NAMES, Violation, require
from tests.storm.process import BUSY, UNCONFIRMED, Ended, Process
from tests.support.fakes.clock import START, FakeClock
from tests.support.fakes.cloud import OFFERS

EARLIER = "earlier-20261101T110000Z"
CALM_S = 400.0
"""After this time every outage of a history is over."""
TRIES = 4
ENDS = {"end": "", "end_keep": "stop", "end_delete": "delete"}
"""The commands that end the run, with their wish for its pod."""
TWIN_TOKEN = "ee" * 16
SHM = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a history."""

    history: History
    violation: Violation | None
    told: tuple[str, ...]
    """What happened, process by process."""

    def script(self) -> list[str]:
        """The history, what happened, and the violation, to be read."""
        lines = [*self.history.script(), "", "what happened:", *(f"  {line}" for line in self.told)]
        if self.violation:
            lines += ["", f"VIOLATED {self.violation}", f"  ({NAMES[self.violation.name]})"]
        return lines


def play(history: History) -> Result:
    """What comes of the history. Playing it again gives the same."""
    with tempfile.TemporaryDirectory(prefix="storm-", dir=SHM if SHM.is_dir() else None) as folder:
        storm = Storm(history, Path(folder))
        try:
            storm.play()
        except Violation as violation:
            storm.tell_journal()
            return Result(history, violation, tuple(storm.told))
        return Result(history, None, tuple(storm.told))


class Storm:
    """A world with one run in it, and the processes that work on it."""

    def __init__(self, history: History, root: Path) -> None:
        self.history, self.root = history, root
        self.clock = FakeClock()
        self.cloud = StormCloud(self.clock, history)
        self.told: list[str] = []
        self.ends: list[Ended] = []
        self.interfered_s = 0.0
        """Seconds by which faults may have kept processes from their work."""
        self.excused_s = 0.0
        """Seconds in which a pod without a guard was left alone."""
        self.touched: list[str] = []
        """Ids of pods that somebody other than the run has ended: stop and reap."""
        self.began_s = 0.0
        """When the run's first process began, by the clock's seconds."""
        (root / "src").mkdir()
        self.spec = spec_of(root, history.shape, history.job)
        self.dir = self.folder(RUN_ID)
        self.reader = Reader(self.dir, self.spec)
        self.looked = False
        """Whether the listing was looked at since the last create call."""
        self.taken: set[str] = set()
        """Ids of the paused pods that the run has taken."""
        self.holder: Process | None = None
        """The process that works on the run while others may visit it."""
        self.reopened: list[Span] = []
        """The times in which a pod was up that `pull --start` had reached."""
        self.strangers: list[str] = []
        """Ids of the pods that are not ours."""

    def folder(self, name: str) -> RunDir:
        """A new run folder."""
        run_dir = RunDir(self.root / "artifacts" / "runpod" / name)
        run_dir.path.mkdir(parents=True)
        return run_dir

    def play(self) -> None:
        """The history has happened. Raises Violation."""
        self.prepare()
        self.began_s = self.clock.monotonic()
        for number, act in enumerate(self.history.acts, start=1):
            self.wait(act.after_s)
            for visit in act.visits:
                self.clock.at(self.clock.monotonic() + visit.at_s, lambda visit=visit: self.visit(visit))  # type: ignore[misc]
            self.told.append(f"process {number}, {act.command}, at {self.clock.monotonic():.1f} s")
            self.judge(self.run_act(act))
        self.finish()

    def wait(self, seconds: float) -> None:
        """Time passes while no process of ours works. A pod without a guard costs what it costs."""
        unguarded = self.is_unguarded()
        self.clock.advance(seconds)
        if unguarded or self.is_unguarded():  # its container may have restarted meanwhile
            self.excused_s += seconds

    def is_unguarded(self) -> bool:
        """Whether a pod bills that has no guard, and no process of ours could have known that."""
        billing = [self.cloud.insides[pod_id] for pod_id in self.ours() if self.cloud.bills(pod_id)]
        return any(not inside.guards and not inside.neglected for inside in billing)

    def prepare(self) -> None:
        """What was there before the run: pods of others, perhaps a paused pod; and what will happen by the clock."""
        if self.history.shape.recycled:
            self.add_paused_pod()
        if self.history.weather.foreign:
            self.add_strangers()
        weather, now_s = self.history.weather, self.clock.monotonic()
        self.cloud.host_is_full = weather.host_full
        for event in weather.pod_events:
            self.clock.at(now_s + event.at_s, lambda what=event.what: self.befall(what))  # type: ignore[misc]
        if weather.locked_at_s is not None:
            self.clock.at(now_s + weather.locked_at_s, self.lock)
        if weather.broke_at_s is not None:
            self.clock.at(now_s + weather.broke_at_s, self.cloud.run_out)
        if weather.restocked_at_s is not None:
            self.clock.at(now_s + weather.restocked_at_s, self.cloud.sold_out.clear)

    def befall(self, what: str) -> None:
        """Something happens to the run's newest pod."""
        if (pod_id := self.newest_pod()) is not None:
            self.told.append(f"  at {self.clock.monotonic():.1f} s: {pod_id}: {what}")
            self.cloud.befall(pod_id, what)

    def lock(self) -> None:
        """Somebody locks the run's newest pod, and unlocks it later."""
        if (pod_id := self.newest_pod()) is not None:
            self.told.append(f"  at {self.clock.monotonic():.1f} s: {pod_id} is locked for {LOCKED_S:.0f} s")
            self.cloud.locked.add(pod_id)
            self.clock.at(self.clock.monotonic() + LOCKED_S, self.cloud.locked.clear)

    def add_strangers(self) -> None:
        """Pods of another tool, of another run, and of a run with our name in another folder are in the account."""
        twin = {RUN_ID_LABEL: RUN_ID, TOKEN_LABEL: "ff" * 16}
        for name, env in (("somebody's notebook", {}), ("other-20261101T100000Z", {}), (RUN_ID, twin)):
            request = PodRequest(
                name=name, image="x", gpu_count=1, container_disk_gb=5, ports=("22/tcp",), env=env, volume_mount="/w"
            )
            self.strangers.append(self.cloud.place(request, checks.candidate_of(OFFERS[2])).id)

    def add_paused_pod(self) -> None:
        """An earlier run of the config has left its pod, paused, and the state file names it."""
        calm = replace(self.history, job=Job(lasts_s=1.0), weather=Weather())
        cloud, spec = StormCloud(self.clock, calm), spec_of(self.root, calm.shape, calm.job, EARLIER)
        process = Process(cloud, Faults((), cloud, lambda: None), spec, self.folder(EARLIER), self.environ)
        ended = process.carry(carry_out)
        require(ended.code == 0, "truth", f"the earlier run ends in calm weather: {ended}")
        shutil.rmtree(self.root / "results", ignore_errors=True)
        self.cloud.take_over(cloud)

    @property
    def environ(self) -> dict[str, str]:
        """The caller's environment."""
        return {"HF_TOKEN": "secret"}

    def newest_pod(self) -> str | None:
        """The id of the newest pod that bills and is the run's."""
        ours = [rented.pod.id for rented in self.cloud.rented.values() if rented.pod.id in self.ours()]
        return next((pod_id for pod_id in reversed(ours) if self.cloud.bills(pod_id)), None)

    def ours(self) -> set[str]:
        """The ids of all pods that were ever this run's: created with its name, or taken over."""
        made = {row.pod.id for row in self.cloud.rented.values() if row.pod.env.get(TOKEN_LABEL) == self.spec.token}
        ours = made | self.taken
        return ours | {new for new, old in self.cloud.migrated.items() if old in ours}

    def process(self, act: Act) -> Process:
        """A process for the act."""
        faults = Faults(act.faults, self.cloud, self.newest_pod)
        process = Process(self.cloud, faults, self.spec, self.dir, self.environ)
        process.watchers.append(checks.Watcher(self))
        return process

    def run_act(self, act: Act) -> Ended:
        """The end of the process that does this."""
        process, outermost = self.process(act), self.holder is None
        self.holder = self.holder or process
        try:
            ended = self.do(act.command, process)
        except Violation:
            self.told += [f"  {line}" for line in process.faults.told]
            raise
        finally:
            self.interfered_s += process.faults.interfered
            self.holder = None if outermost else self.holder
        ended = replace(ended, command=act.command)
        self.ends.append(ended)
        self.told += [f"  {line}" for line in ended.told]
        how = "killed" if ended.code is None else f"exit {ended.code}: {ended.last_line}"
        self.told.append(f"  ended at {self.clock.monotonic():.1f} s: {how}")
        return ended

    def do(self, command: str, process: Process) -> Ended:
        """The end of the process, by the name of its command."""
        if command == "pull":
            return process.pull()
        if command == "pull_start":
            return process.pull_start()
        if command == "twin":
            return self.twin(process)
        if command in ENDS:
            return self.end(process, ENDS[command])
        if command in ("stop", "reap"):
            return process.ended(command, lambda: (getattr(self, command)(process), None))
        return process.carry(carry_out, detach=command == "detach")

    def visit(self, visit: Visit) -> None:
        """Another process does its work while the first one waits."""
        self.told.append(f"  meanwhile, at {self.clock.monotonic():.1f} s: {visit.command}")
        self.run_act(Act(command=visit.command))

    def twin(self, process: Process) -> Ended:
        """The end of a run with our run id that was begun in another folder, on another machine."""
        root = self.root / "twin"
        (root / "src").mkdir(parents=True, exist_ok=True)
        shape = replace(self.history.shape, recycled=False, network_volume=False)
        process.spec = replace(spec_of(root, shape, self.history.job), token=TWIN_TOKEN)
        process.dir = RunDir(root / "artifacts" / "runpod" / RUN_ID)
        process.dir.path.mkdir(parents=True, exist_ok=True)
        process.watchers[:] = [checks.TwinWatcher(self)]
        return process.carry(carry_out)

    def end(self, process: Process, wish: str) -> Ended:
        """The end of a `stop RUN`: the process that works on the run is told, or the run is ended from here."""
        leave_wish(self.dir, wish)
        if self.holder in (None, process):
            return process.carry(end_now)
        if self.holder is not None and self.holder.faults.signals_arrive:
            os.kill(os.getpid(), signal.SIGINT)
        return process.ended("end", lambda: (0, None))

    def stop(self, process: Process) -> int:
        """The exit code of `stop --state-file`."""
        path = self.spec.job.resolved_state_file
        try:
            recorded = read_state_file(path) if path else None
        except ConfigError:
            return 2
        if recorded is None:
            return 2
        self.touched.append(recorded.pod_id)
        return self.end_pods(process, [recorded.pod_id], "stop")

    def reap(self, process: Process) -> int:
        """The exit code of `audit --reap --yes`."""
        world = process.world()
        roots = (str(self.root / "artifacts" / "runpod"),)
        wanted = leftovers_of(self.cloud.list_pods(), roots, process.clock.now())
        again = [pod for pod_id in wanted if (pod := world.cloud.get(pod_id)) is not None]
        leftovers = leftovers_of(again, roots, process.clock.now())
        checks.reaps_no_results(self, leftovers)
        self.touched += leftovers
        return self.end_pods(process, leftovers, "delete")

    def end_pods(self, process: Process, pod_ids: Iterable[str], action: Any) -> int:
        """The exit code, after the pods were ended by a command."""
        ended = list(end_all(process.world().cloud, process.clock, pod_ids, action))
        return UNCONFIRMED if any(row.error for row in ended) else 0

    def judge(self, ended: Ended) -> None:
        """The end of a process is as it must be. Raises Violation."""
        checks.after_process(self, ended)

    def state(self) -> State:
        """The run as its journal on disk has it."""
        return self.reader.state()

    def finish(self) -> None:
        """The run is over, by a process that resumes it or by the pod's guard. Raises Violation."""
        self.wait(CALM_S)
        self.cloud.sold_out.clear()
        self.cloud.pay_in()
        if self.history.nobody_comes:
            self.leave_alone()
        else:
            self.resume_until_over()
        checks.at_end(self)

    def leave_alone(self) -> None:
        """Nobody comes: time passes until every guard must have acted."""
        state = self.state()
        budget = self.spec.job.budget
        stop_at = max(filter(None, (state.cost.stop_at, START)), default=START)
        last_s = (guard_deadline(stop_at, budget) - START).total_seconds() + self.interfered_s
        idle_s = IDLE_S if self.taken else 0.0  # a paused pod that was started and never reached waits that long
        self.wait(max(0.0, last_s - self.clock.monotonic()) + self.history.shape.minutes * 60 + 1000.0 + idle_s)

    def resume_until_over(self) -> None:
        """The run is resumed as its exit codes ask, in calm weather. Raises Violation."""
        for _ in range(TRIES):
            self.told.append(f"resumed in calm weather, at {self.clock.monotonic():.1f} s")
            ended = self.run_act(Act(command="resume"))
            self.judge(ended)
            if ended.code not in (None, UNCONFIRMED, BUSY) and not self.state().end.detached:
                break
            self.delete_named(ended)
            self.wait(120.0)
        require(not self.state().pod_may_exist, "leak", "a run that was resumed in calm weather is not released")
        checks.idempotence(self)

    def delete_named(self, ended: Ended) -> None:
        """The user has deleted the pods with a new id that the last line names, once they have seen them."""
        named = [pod_id for pod_id in self.cloud.migrated if pod_id in ended.last_line]
        self.touched += named
        process = self.process(Act(command="reap"))
        process.ended("reap", lambda: (self.end_pods(process, named, "delete"), None))

    def tell_journal(self) -> None:
        """What happened has the rows of the journal."""
        self.told += ["journal:", *checks.journal_lines(self.dir)]


class Reader:
    """Reads a journal on from where it was read last."""

    def __init__(self, run_dir: RunDir, spec: Spec) -> None:
        self.dir, self.read_bytes, self.lines = run_dir, 0, 0
        self.known = State(success_marker=spec.job.run.success_marker)

    def state(self) -> State:
        """The state after every whole line."""
        data = self.dir.events.read_bytes()[self.read_bytes :] if self.dir.events.exists() else b""
        whole = data[: data.rfind(b"\n") + 1]
        self.read_bytes += len(whole)
        for line in whole.splitlines(keepends=True):
            self.lines += 1
            if (event := read_line(line, self.lines, ignore)) is not None:
                self.known = apply(self.known, event)
        return self.known


def leftovers_of(pods: list[Pod], roots: Iterable[str], now: datetime) -> list[str]:
    """The ids of the leftovers among the pods, as `audit` finds them."""
    names = {pod.id for pod in pods} | {ours.run_id for pod in pods if (ours := origin(pod))}
    return [f.pod.id for f in audit(pods, known_runs(roots, names, lambda *_: None), now) if f.leftover]
