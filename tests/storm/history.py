"""A history: one config, one job, the weather of the world, and the processes that work on the run. Values only.

A seed makes a history. The history says everything that will happen from outside; playing it twice gives the same
events. It is written as JSON to be played again, and shown as a script to be read.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

KILL, SIGNAL, ERROR, PAUSE, JUMP, DISK, LATE, LIE, IGNORED, POD, HELD = (
    "kill", "signal", "error", "pause", "jump", "disk_full", "late_create", "lie", "ignored", "pod", "held",
)  # fmt: skip
"""The kinds of faults, see `faults.py`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that happens to a process at one of its side effects."""

    at: int
    """The number of the effect, counted from the start of the process: 1, 2, 3…"""
    kind: str
    choice: int = 0
    """Which error, signal or fate of the pod, of those that can happen there."""
    seconds: float = 0.0
    """How long, or how far, it goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Another process that does its work while the first one waits."""

    at_s: float
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One process that works on the run."""

    command: str
    """run, detach, resume, pull, pull_start, reap; stop names the state file, and end, end_keep and end_delete the run;
    twin is a run with our run id in another folder."""
    after_s: float = 0.0
    """How long after the process before it."""
    faults: tuple[Fault, ...] = ()
    visits: tuple[Visit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The config."""

    known_image: bool = True
    """Whether the guard starts with the container."""
    on_success: str = "delete"
    on_failure: str = "delete"
    minutes: float = 30.0
    """How long the cap pays for the cheapest GPU."""
    max_runtime_minutes: int | None = None
    boot_timeout_s: int = 120
    ssh_lost_timeout_s: int = 120
    pull_grace_s: int = 60
    max_gpu_price: float | None = None
    gpus: int = 1
    """How many GPU types the config names."""
    artifacts: int = 1
    required: bool = True
    every_sec: int | None = None
    stall_minutes: int | None = None
    wait_for_stock_s: float | None = None
    recycled: bool = False
    """Whether an earlier run of the config has left a paused pod."""
    secret: bool = False
    guard_required: bool = True
    network_volume: bool = False
    cheapest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What the job does."""

    lasts_s: float = 20.0
    exit_code: int = 0
    marker: bool = True
    """Whether it prints its success marker."""
    failure_marker: bool = False
    """Whether it prints a configured failure marker half way."""
    leaves: bool = True
    """Whether it writes its artifacts."""
    setup_fails: bool = False
    kills_guard_at_s: float | None = None
    """How long after its start it kills the guard that was armed for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodEvent:
    """Something that happens to the run's newest pod."""

    at_s: float
    what: str
    """vanish, exit, restart or migrate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A time without answers."""

    at_s: float
    for_s: float
    what: str
    """api or ssh."""


LOCKED_S = 150.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How the cloud behaves."""

    boot_s: float = 25.0
    listing_lag_s: float = 0.0
    delete_lag_s: float = 0.0
    dead: tuple[str, ...] = ()
    """Datacenters whose hosts never boot a pod."""
    sold_out: tuple[tuple[str, str], ...] = ()
    """(gpu, datacenter) that the catalogue shows and that have no room."""
    restocked_at_s: float | None = None
    host_full: bool = False
    guard_dead: bool = False
    foreign: bool = False
    """Whether pods of other tools and of other runs are in the account."""
    price: float = 1.0
    """What a pod costs, as a multiple of the catalogue's price: from its creation, or from its next start."""
    untold: tuple[str, ...] = ()
    """Fields of a pod that the API never tells."""
    locked_at_s: float | None = None
    """When somebody locks the run's newest pod, for LOCKED_S."""
    broke_at_s: float | None = None
    """When the balance is used up: RunPod stops every pod, and starts none until the calm at the end."""
    outages: tuple[Outage, ...] = ()
    pod_events: tuple[PodEvent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Everything that happens to one run from outside."""

    seed: int
    shape: Shape = Shape()
    job: Job = Job()
    weather: Weather = Weather()
    acts: tuple[Act, ...] = (Act(command="run"),)
    nobody_comes: bool = False
    """Whether nobody resumes the run after the last process: then only the guard ends its pod."""

    def script(self) -> list[str]:
        """The history, one line for each thing that is out of the ordinary."""
        lines = [f"history of seed {self.seed}"]
        for name, part, plain in (
            ("config", self.shape, Shape()),
            ("job", self.job, Job()),
            ("cloud", self.weather, Weather()),
        ):
            lines += [f"{name}: {row}" for row in unusual(part, plain)]
        for number, act in enumerate(self.acts, start=1):
            lines += list(act_lines(number, act))
        return [*lines, "end: nobody comes back"] if self.nobody_comes else lines

    def to_json(self) -> str:
        """The history as text that `from_json` reads."""
        return json.dumps(dataclasses.asdict(self))


def unusual(part: Any, plain: Any) -> list[str]:
    """The fields that differ from the plain part, as text."""
    rows: list[str] = []
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        if value != getattr(plain, field.name):
            many = isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0])
            rows += [f"{field.name} {short(entry)}" for entry in value] if many else [f"{field.name} = {value!r}"]
    return rows


def short(value: Any) -> str:
    """A dataclass as `name=value` pairs, without those that are zero."""
    pairs = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
    return " ".join(f"{name}={text(content)}" for name, content in pairs if content)


def text(value: object) -> str:
    """The value, short."""
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def act_lines(number: int, act: Act) -> list[str]:
    """The process, and what happens to it."""
    pause = f" {act.after_s:.0f} s later" if act.after_s else ""
    own = [f"  fault: {short(fault)}" for fault in act.faults]
    return [f"process {number}: {act.command}{pause}", *own, *(f"  meanwhile: {short(v)}" for v in act.visits)]


def from_json(text: str) -> History:
    """The history that `to_json` wrote."""
    row = json.loads(text)
    weather = row["weather"]
    return History(
        seed=row["seed"],
        shape=Shape(**row["shape"]),
        job=Job(**row["job"]),
        weather=Weather(
            **{
                **weather,
                "dead": tuple(weather["dead"]),
                "untold": tuple(weather["untold"]),
                "sold_out": tuple((gpu, datacenter) for gpu, datacenter in weather["sold_out"]),
                "outages": tuple(Outage(**each) for each in weather["outages"]),
                "pod_events": tuple(PodEvent(**each) for each in weather["pod_events"]),
            }
        ),
        acts=tuple(act_from(each) for each in row["acts"]),
        nobody_comes=row["nobody_comes"],
    )


def act_from(row: dict[str, Any]) -> Act:
    """The process of this row."""
    faults = tuple(Fault(**each) for each in row["faults"])
    visits = tuple(Visit(**each) for each in row["visits"])
    return Act(command=row["command"], after_s=row["after_s"], faults=faults, visits=visits)
