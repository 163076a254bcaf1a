"""Histories from seeds: how often each thing happens in a storm. Knows probabilities; plays nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import TypeVar

from tests.storm import history as h

T = TypeVar("T")

DATACENTERS = ("EU-RO-1", "US-TX-3", "EU-SE-1")
UNTOLD = ("created_at", "gpu_id", "gpu_count", "datacenter_id", "cloud_type", "volume_gb", "image")
GPUS = ("NVIDIA L4", "NVIDIA A40", "NVIDIA L40S")
EFFECTS = 130
"""About as many side effects and events as an ordinary process has."""

KINDS = {
    h.KILL: 5, h.SIGNAL: 4, h.ERROR: 8, h.PAUSE: 2, h.JUMP: 1, h.DISK: 1, h.LATE: 1, h.LIE: 2, h.IGNORED: 1, h.POD: 3,
    h.HELD: 2,
}  # fmt: skip
FOLLOWING = {"resume": 8, "run": 2, "pull": 1, "pull_start": 1, "stop": 1, "reap": 2}
ENDING = ("end", "end", "end_keep", "end_delete")
VISITING = {"resume": 3, "run": 2, "pull": 1, "stop": 1, "reap": 3}


def history_of(seed: int, kinds: frozenset[str] | None = None) -> h.History:
    """The history of this seed; with kinds, only with faults of these kinds."""
    random = Random(seed)
    acts = acts_of(random, kinds)
    return h.History(
        seed=seed,
        shape=shape_of(random),
        job=job_of(random),
        weather=weather_of(random),
        acts=acts,
        nobody_comes=random.random() < 0.25,
    )


def stranger(history: h.History) -> h.History:
    """The history with what clouds and people do less often; a part of the histories is as it was."""
    random, acts = Random(f"{history.seed} stranger"), history.acts
    weather = replace(
        history.weather,
        price=random.choice((0.4, 0.9, 1.04, 1.5, 4.0)) if random.random() < 0.15 else 1.0,
        untold=some(random, UNTOLD, 0.06),
        locked_at_s=random.uniform(0.0, 200.0) if random.random() < 0.05 else None,
        broke_at_s=random.uniform(0.0, 200.0) if random.random() < 0.05 else None,
    )
    shape, job = history.shape, history.job
    if random.random() < 0.08:
        job = replace(job, kills_guard_at_s=random.choice((1.0, 5.0, 30.0)))
    if random.random() < 0.08:
        moves = h.PodEvent(at_s=random.uniform(1.0, 200.0), what="migrate")
        weather = replace(weather, pod_events=(*weather.pod_events, moves))
    if random.random() < 0.1:
        visit = h.Visit(at_s=random.uniform(0.0, 200.0), command=random.choice(ENDING))
        acts = (replace(acts[0], visits=(*acts[0].visits, visit)), *acts[1:])
    if random.random() < 0.05:
        acts = (*acts, h.Act(command=random.choice(ENDING), after_s=random.choice((1.0, 300.0))))
    if random.random() < 0.1:
        shape, acts = replace(shape, on_failure="stop"), (*acts, *late_pull(random))
    if random.random() < 0.15:
        acts = (acts[0], h.Act(command="twin", after_s=1.0, faults=faults_of(random, None)), *acts[1:])
    return replace(history, shape=shape, job=job, weather=weather, acts=acts)


def late_pull(random: Random) -> tuple[h.Act, ...]:
    """Somebody comes back long after the guard has paused the pod, and pulls what is on it."""
    faults = tuple(f for f in faults_of(random, None) if f.kind != h.SIGNAL)
    return h.Act(command="resume", after_s=9000.0), h.Act(command="pull_start", after_s=60.0, faults=faults)


def shape_of(random: Random) -> h.Shape:
    """A config."""
    return h.Shape(
        known_image=random.random() < 0.8,
        on_success=random.choice(("delete", "delete", "stop", "recycle", "preserve")),
        on_failure=random.choice(("delete", "stop", "stop", "preserve")),
        minutes=random.choice((6.0, 10.0, 20.0, 20.0)) if random.random() < 0.96 else 150.0,
        max_runtime_minutes=random.choice((None, None, 5, 12)),
        boot_timeout_s=random.choice((60, 120, 300)),
        ssh_lost_timeout_s=random.choice((30, 120, 600)),
        pull_grace_s=random.choice((20, 60, 300)),
        max_gpu_price=random.choice((None, None, 0.42)),
        gpus=random.choice((1, 1, 2, 3)),
        artifacts=random.choice((0, 1, 1, 2)),
        required=random.random() < 0.8,
        every_sec=random.choice((None, None, 15)),
        stall_minutes=random.choice((None, None, 2)),
        wait_for_stock_s=random.choice((None, None, 300.0)),
        recycled=random.random() < 0.2,
        secret=random.random() < 0.2,
        guard_required=random.random() < 0.9,
        network_volume=random.random() < 0.1,
        cheapest=random.random() < 0.2,
    )


def job_of(random: Random) -> h.Job:
    """A job."""
    return h.Job(
        lasts_s=random.choice((0.5, 5.0, 20.0, 60.0, 200.0, 5000.0)) * random.uniform(0.8, 1.2),
        exit_code=random.choice((0, 0, 0, 0, 3)),
        marker=random.random() < 0.9,
        failure_marker=random.random() < 0.08,
        leaves=random.random() < 0.9,
        setup_fails=random.random() < 0.05,
    )


def weather_of(random: Random) -> h.Weather:
    """A cloud."""
    pairs = [(gpu, datacenter) for gpu in GPUS for datacenter in DATACENTERS[:2]]
    return h.Weather(
        boot_s=random.choice((5.0, 25.0, 25.0, 55.0)),
        listing_lag_s=random.choice((0.0, 0.0, 0.0, 3.0, 12.0, 40.0, 60.0)),
        delete_lag_s=random.choice((0.0, 0.0, 0.0, 2.0, 20.0)),
        dead=some(random, DATACENTERS[:2], 0.12),
        sold_out=some(random, pairs, 0.15),
        restocked_at_s=random.choice((None, 100.0)),
        host_full=random.random() < 0.2,
        guard_dead=random.random() < 0.04,
        foreign=random.random() < 0.3,
        outages=tuple(outage(random) for _ in range(random.choice((0, 0, 0, 1, 1, 2)))),
        pod_events=tuple(pod_event(random) for _ in range(random.choice((0, 0, 0, 0, 1, 2)))),
    )


def some(random: Random, things: Sequence[T], each: float) -> tuple[T, ...]:
    """Those of the things that chance picks."""
    return tuple(thing for thing in things if random.random() < each)


def outage(random: Random) -> h.Outage:
    """A time without answers."""
    lasts_s = random.choice((3.0, 20.0, 70.0, 200.0))
    return h.Outage(at_s=random.uniform(0.0, 150.0), for_s=lasts_s, what=random.choice(("api", "ssh")))


def pod_event(random: Random) -> h.PodEvent:
    """The end or the restart of the pod."""
    return h.PodEvent(at_s=random.uniform(1.0, 200.0), what=random.choice(("vanish", "exit", "restart")))


def acts_of(random: Random, kinds: frozenset[str] | None) -> tuple[h.Act, ...]:
    """The processes, one after the other."""
    first = h.Act(
        command=random.choice(("run", "run", "run", "detach")),
        faults=faults_of(random, kinds),
        visits=visits_of(random),
    )
    later = []
    for _ in range(random.choice((0, 0, 1, 1, 2, 3))):
        command = picked(random, FOLLOWING)
        after_s = random.choice((0.0, 1.0, 30.0, 120.0, 900.0, 9000.0)) * random.uniform(0.5, 1.0)
        faults = faults_of(random, kinds) if random.random() < 0.6 else ()
        later.append(h.Act(command=command, after_s=after_s, faults=faults))
    return (first, *later)


def faults_of(random: Random, kinds: frozenset[str] | None) -> tuple[h.Fault, ...]:
    """The faults of one process, by the number of the effect."""
    count = random.choice((0, 1, 1, 2, 2, 3, 5))
    faults = [fault(random) for _ in range(count)]
    return tuple(sorted((f for f in faults if kinds is None or f.kind in kinds), key=lambda f: f.at))


def fault(random: Random) -> h.Fault:
    """One fault."""
    kind = picked(random, KINDS)
    seconds = {
        h.PAUSE: random.choice((10.0, 100.0, 2000.0)),
        h.JUMP: random.choice((-3600.0, -60.0, 60.0, 3600.0)),
        h.DISK: random.choice((2.0, 30.0, 300.0)),
        h.LATE: random.choice((0.0, 3.0, 25.0, 70.0)),
        h.LIE: random.choice((0.0, 0.0, 5.0)),
        h.HELD: random.choice((100.0, 700.0, 100_000.0)),
    }.get(kind, 0.0)
    return h.Fault(at=random.randint(1, EFFECTS), kind=kind, choice=random.randint(0, 11), seconds=seconds)


def visits_of(random: Random) -> tuple[h.Visit, ...]:
    """Processes that work while the first one does."""
    count = random.choice((0, 0, 0, 1, 2))
    return tuple(h.Visit(at_s=random.uniform(0.0, 200.0), command=picked(random, VISITING)) for _ in range(count))


def picked(random: Random, weights: dict[str, int]) -> str:
    """One of the names, by weight."""
    return random.choices(list(weights), list(weights.values()))[0]
