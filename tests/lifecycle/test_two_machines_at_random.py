"""Two machines that ask for one run id, at random: killed after any event, beside each other, with any pause."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from runpod_deploy.lifecycle import carry_out
from runpod_deploy.record import events as e
from runpod_deploy.record.state import State
from tests.lifecycle.test_another_machine import BUSY, Machine
from tests.support.worlds import Killed, dies_after

TURNS = 5
LAST_TURNS = 6
BEFORE_THE_LOOK = ("pod_created", "gpu_selected")
"""A machine that is killed between its create call and the look for an older pod comes back before the other one is
done: else nobody could know of the other."""


def turn(random: Random, machine: Machine, other: Machine) -> None:
    """The machine carries the run on until it is killed, and somewhere on the way the other one does."""
    number, at = itertools.count(1), random.randint(1, 45)
    at_once = random.random() < 0.4  # both have looked, and neither has a pod

    def meanwhile(event: e.Event, _state: State) -> None:
        if (isinstance(event, e.PodRequested) and at_once) or (next(number) == at and not at_once):
            carry_on(other, random.randint(1, 45))
            machine.clock.advance(random.choice((0.0, 1.0, 70.0)))

    carry_on(machine, random.randint(1, 60), meanwhile)
    machine.clock.advance(random.choice((0.0, 10.0, 61.0, 90.0)))


def carry_on(machine: Machine, until: int, *listeners: object) -> None:
    """A process of the machine that is killed after so many events."""
    try:
        carry_out(machine.open(*listeners, dies_after(until)))  # type: ignore[arg-type]
    except Killed:
        if machine.open().state.last_event in BEFORE_THE_LOOK:
            carry_on(machine, 10)


@pytest.mark.parametrize("seed", range(25))
def test_the_job_never_runs_on_two_pods_and_none_is_left(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    first = Machine(tmp_path / "a", "machine-a", job_lasts_s=random.choice((20.0, 400.0)))
    second = Machine(tmp_path / "b", "machine-b", first, **first.settings)
    machines = (first, second)
    for _ in range(random.randint(1, TURNS)):
        if not any(machine.open().state.end.finished for machine in machines):
            turn(random, *random.sample(machines, 2))
    codes = [finish(random, machines)]
    assert all(host.starts <= 1 for host in first.hosts.values()) and not beside_each_other(first)
    codes += [carry_out(machine.open()).exit_code for machine in machines if machine.open().state.pod_may_exist]
    assert not first.cloud.billing, codes
    assert set(codes) <= {0, BUSY, 22}
    for machine in machines:
        state = machine.open().state
        here = (machine.dir.path.parents[2] / "results" / "out").exists()
        assert here or not (state.end.finished and state.exit_code == 0), "a success without results"


def beside_each_other(world: Machine) -> bool:
    """Whether a pod with the job was made while an older pod with the job was there.

    One that is made after the first is gone is another matter: without --journal nobody knows that the run has ended.
    """
    with_job = [world.cloud.rented[pod_id] for pod_id, host in world.hosts.items() if host.starts]
    spans = sorted((rented.up_since, rented.deleted_at or datetime.max.replace(tzinfo=UTC)) for rented in with_job)
    return any(later[0] < earlier[1] for earlier, later in itertools.pairwise(spans))


def finish(random: Random, machines: tuple[Machine, Machine]) -> int:
    """The exit code of the run, after one of the machines has carried it to its end."""
    ended = [machine.open().state for machine in machines]
    for state in ended:
        if state.end.finished:
            return state.exit_code
    for _ in range(LAST_TURNS):
        state = carry_out(random.choice(machines).open())
        if state.end.finished:
            return state.exit_code
        machines[0].clock.advance(70.0)
    raise AssertionError("nobody could finish the run")
