"""One run id on two machines: two homes, one account, and the pod that both of them see."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from runpod_deploy.errors import SshLost
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.money import closing_s
from runpod_deploy.pod.protocol import Lease
from runpod_deploy.record import events as e
from runpod_deploy.record.manifest import manifest
from runpod_deploy.record.state import State
from runpod_deploy.run import Run
from runpod_deploy.spec.strict_json import dumps, loads
from tests.support.fakes.host import FakeHost
from tests.support.worlds import Killed, Memory, dies_after

BUSY = 8


class Machine(Memory):
    """One of two machines: its own home, and the account that both have."""

    def __init__(self, home: Path, name: str, other: Machine | None = None, **host: object) -> None:
        home.mkdir(parents=True)
        super().__init__(home, **host)
        self.name, self.keys_fit = name, True
        self.asked: list[str] = []
        """How often this machine asked to be let in."""
        self.spec = replace(self.spec, any_machine=True, token=name[-1] * 32)
        if other is not None:
            self.clock, self.cloud, self.hosts = other.clock, other.cloud, other.hosts

    def open(self, *listeners: Callable[[e.Event, State], None]) -> Run:
        """The run as a process on this machine opens it."""
        run = super().open(*listeners)
        run.world.hostname = self.name
        run.world.reach = lambda *_: self.inside_of(run.state.pod.id)
        if not self.keys_fit:
            run.world.reach = lambda *_: Locked(self.clock)
            run.world.let_in = lambda *_: refusal()
        return run

    def inside_of(self, pod_id: str | None) -> FakeHost:
        """The inside of this machine's own pod; of the oldest one while it has none."""
        if pod_id is None or pod_id in self.hosts:
            return self.hosts[pod_id] if pod_id else self.inside()
        host = FakeHost(self.clock, self._on_effect, **self.settings)  # type: ignore[arg-type]
        host.alive = lambda: any(pod.id == pod_id for pod in self.cloud.billing)
        return self.hosts.setdefault(pod_id, host)


class Locked(FakeHost):
    """A pod that accepts none of this machine's keys."""

    def lease(self) -> Lease:
        """Nobody gets in."""
        raise refusal()


def refusal() -> SshLost:
    """The error for a key that the pod does not know."""
    error = SshLost("SSH: Permission denied (publickey)")
    error.reason = "auth"
    return error


@pytest.fixture
def first(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "a", "machine-a", job_lasts_s=300.0)


@pytest.fixture
def second(tmp_path: Path, first: Machine) -> Machine:
    return Machine(tmp_path / "b", "machine-b", first)


def die_at(kind: type[e.Event]) -> Callable[[e.Event, State], None]:
    """A listener that kills the process when such an event is on disk."""

    def listen(event: e.Event, _state: State) -> None:
        if isinstance(event, kind):
            raise Killed

    return listen


def killed_at(machine: Machine, kind: type[e.Event]) -> None:
    """The machine began the run, and its process was killed there."""
    with pytest.raises(Killed):
        carry_out(machine.open(die_at(kind)))


@pytest.mark.parametrize("moment", [e.GuardArmed, e.CommandFinished, e.StageFinished, e.JobLaunched])
def test_a_run_whose_machine_is_gone_is_carried_on_from_its_pod(
    first: Machine, second: Machine, moment: type[e.Event]
) -> None:
    killed_at(first, moment)
    first.clock.advance(70.0)
    state = carry_out(second.open())
    assert state.outcome == "succeeded", state.failure
    assert len(first.cloud.rented) == 1 and not first.cloud.billing
    assert first.starts == 1
    assert (second.dir.path.parents[2] / "results" / "out").read_bytes() == b"result"
    assert second.dir.log.read_bytes() == b"hello\nDONE\n"
    told = manifest(second.spec, state, now=second.clock.now(), log=None, files=[])
    assert told["adopted_from"] == "machine-a" and told["outcome"] == "succeeded"
    created = next(rented.pod.created_at for rented in first.cloud.rented.values())
    assert created is not None and state.cost.rentals[0].since_at == created


def test_what_is_done_on_the_pod_is_not_done_again(first: Machine, second: Machine) -> None:
    killed_at(first, e.JobLaunched)
    first.clock.advance(70.0)
    assert carry_out(second.open()).outcome == "succeeded"
    done = {type(event) for event in second.events}
    assert not done & {e.CommandFinished, e.StageFinished, e.JobLaunched, e.PodRequested}


def lost_one_pod(machine: Machine, until: type[e.Event]) -> float:
    """What the machine has paid for a pod that never booted, before its process was killed there."""
    machine.cloud.dead_hosts = {"EU-RO-1"}
    killed_at(machine, until)
    machine.cloud.dead_hosts = set()
    earlier = next(iter(machine.cloud.rented.values()))
    assert earlier.deleted_at is not None
    return next(row.usd_per_hour * row.seconds(machine.clock.now()) / 3600 for row in machine.open().state.cost.rentals)


def test_the_cap_counts_what_the_other_machine_paid_for_earlier_pods(first: Machine, second: Machine) -> None:
    paid_usd = lost_one_pod(first, e.JobLaunched)
    first.clock.advance(70.0)
    killed_at(second, e.GuardArmed)
    there, here = first.open().state.cost, second.open().state.cost
    assert paid_usd > 0.01 and here.elsewhere_usd == pytest.approx(paid_usd)
    assert here.stop_at == there.stop_at
    told = manifest(second.spec, second.open().state, now=second.clock.now(), log=None, files=[])
    assert told["estimated_cost_usd"] == pytest.approx(there.spent_usd(second.clock.now()), abs=1e-4)
    assert told["elsewhere_usd"] == pytest.approx(paid_usd, abs=1e-4)


def test_the_cap_counts_what_this_machine_paid_before_it_took_the_run_over(first: Machine, second: Machine) -> None:
    paid_usd = lost_one_pod(second, e.PodDiscarded)
    killed_at(first, e.JobLaunched)
    first.clock.advance(70.0)
    killed_at(second, e.GuardArmed)
    there, here = first.open().state.cost, second.open().state.cost
    assert here.stop_at is not None and there.stop_at is not None and not here.elsewhere_usd
    earlier_s = (there.stop_at - here.stop_at).total_seconds()
    assert earlier_s * here.rentals[-1].usd_per_hour / 3600 == pytest.approx(paid_usd, rel=0.01)


@pytest.mark.parametrize("earlier_usd", [-5.0, 1e9])
def test_a_pod_that_lies_about_money_ends_its_run_at_most(first: Machine, second: Machine, earlier_usd: float) -> None:
    killed_at(first, e.GuardArmed)
    first.clock.advance(70.0)
    inside = first.inside()
    inside.note = dumps({**loads(inside.note), "earlier_usd": earlier_usd}).encode()
    state = carry_out(second.open())
    assert state.cost.elsewhere_usd == (1.0 if earlier_usd > 0 else 0.0)
    assert state.outcome == ("stopped" if earlier_usd > 0 else "succeeded"), state.failure
    assert not first.cloud.billing


def test_a_run_that_its_machine_watches_is_held_and_named(first: Machine, second: Machine) -> None:
    killed_at(first, e.JobLaunched)
    run = second.open()
    state = carry_out(run)
    assert state.exit_code == BUSY and state.end.elsewhere is not None
    assert "held by machine-a" in state.end.elsewhere.message
    assert len(first.cloud.rented) == 1 == len(first.cloud.billing)
    first.clock.advance(70.0)
    assert carry_out(second.open()).outcome == "succeeded" and first.starts == 1


def test_wait_takes_over_as_soon_as_the_other_machine_is_gone(first: Machine, second: Machine) -> None:
    killed_at(first, e.JobLaunched)
    run = second.open()
    run.wait_s = 600.0
    assert carry_out(run).outcome == "succeeded" and first.starts == 1 and len(first.cloud.rented) == 1


def test_wait_ends_when_the_run_ends_elsewhere(first: Machine, second: Machine) -> None:
    killed_at(first, e.JobLaunched)
    first.clock.at(first.clock.monotonic() + 15.0, lambda: first.cloud.vanish(next(iter(first.cloud.rented))))
    run = second.open()
    run.wait_s = 600.0
    state = carry_out(run)
    assert state.exit_code == BUSY and state.end.elsewhere and "its results are there" in state.end.elsewhere.message
    assert len(first.cloud.rented) == 1


def test_a_pod_that_does_not_let_this_machine_in_is_left_alone(first: Machine, second: Machine) -> None:
    killed_at(first, e.JobLaunched)
    first.clock.advance(400.0)
    second.keys_fit = False
    state = carry_out(second.open())
    assert state.exit_code == BUSY and state.end.elsewhere and "--adopt-key" in state.end.elsewhere.hint
    assert len(first.cloud.rented) == 1 == len(first.cloud.billing)
    assert "delete" not in {call.split()[0] for call in first.cloud.calls}


def test_the_machine_that_comes_back_leaves_the_run_to_the_one_that_has_it(first: Machine, second: Machine) -> None:
    killed_at(first, e.JobLaunched)
    first.clock.advance(70.0)
    killed_at(second, e.GuardArmed)
    state = carry_out(first.open())
    assert state.exit_code == BUSY and state.end.elsewhere and "machine-b" in state.end.elsewhere.message
    assert len(first.cloud.billing) == 1
    first.clock.advance(70.0)
    assert carry_out(first.open()).outcome == "succeeded"
    assert [type(event) for event in first.events].count(e.RunTakenBack) == 1
    assert first.starts == 1 and not first.cloud.billing


def slept(first: Machine, second: Machine, then: Callable[[], object]) -> Callable[[e.Event, State], None]:
    """The first machine sleeps once its job runs; meanwhile the second one takes the run, and something happens."""

    def sleep(event: e.Event, _state: State) -> None:
        if isinstance(event, e.JobLaunched):
            first.clock.advance(100.0)
            killed_at(second, e.GuardArmed)
            first.inside().stopped_at = first.clock.monotonic()  # the job has ended when the first one looks again
            then()

    return sleep


def test_a_machine_that_slept_does_not_end_the_pod_of_the_one_that_took_over(first: Machine, second: Machine) -> None:
    def second_goes_on() -> None:
        first.clock.at(first.clock.monotonic() + 500.0, lambda: first.cloud.vanish(next(iter(first.cloud.rented))))

    state = carry_out(first.open(slept(first, second, second_goes_on)))
    assert state.exit_code == BUSY and not first.cloud.billing
    assert first.clock.monotonic() > 600.0, "it has waited until the pod was gone"
    assert not any(call.startswith(("delete", "stop")) for call in first.cloud.calls)


def test_a_pod_that_has_kept_the_claim_of_a_machine_that_it_did_not_let_in_ends_after_the_limit(
    first: Machine, second: Machine
) -> None:
    state = carry_out(first.open(slept(first, second, lambda: None)))
    assert state.end.released and not first.cloud.billing and state.cost.stop_at is not None
    late_s = (first.clock.now() - state.cost.stop_at).total_seconds()
    assert 0 < late_s - closing_s(first.spec.job.budget) < 240.0, "the other machine had its time"


def test_another_config_under_the_same_id_is_refused(first: Machine, second: Machine) -> None:
    killed_at(first, e.JobLaunched)
    first.clock.advance(70.0)
    other = replace(second.spec.job.run, body="echo something else")
    second.spec = replace(second.spec, job=replace(second.spec.job, run=other))
    state = carry_out(second.open())
    assert state.exit_code == BUSY and state.end.elsewhere and "another config" in state.end.elsewhere.message
    assert len(first.cloud.rented) == 1


def test_a_pod_of_a_run_that_was_not_begun_by_its_id_is_another_run(first: Machine, second: Machine) -> None:
    first.spec = replace(first.spec, any_machine=False)
    killed_at(first, e.JobLaunched)
    first.clock.advance(70.0)
    killed_at(second, e.PodCreated)
    assert len(first.cloud.rented) == 2 == len(first.cloud.billing)


def test_a_run_without_an_id_of_its_own_asks_nobody(first: Machine, second: Machine) -> None:
    second.spec = replace(second.spec, any_machine=False)
    killed_at(first, e.JobLaunched)
    first.cloud.calls.clear()
    killed_at(second, e.PodCreated)
    assert len(first.cloud.rented) == 2 and not any(call.startswith("find_id") for call in first.cloud.calls)


@pytest.mark.parametrize("lag_s", [0.0, 12.0, 45.0])
def test_of_two_machines_that_ask_at_once_one_keeps_its_pod(first: Machine, second: Machine, lag_s: float) -> None:
    first.cloud.listing_lag_s = lag_s
    ended: list[State] = []

    def meanwhile(where: str) -> None:
        if where == "before create" and not ended:
            first.on_effect = None
            first.cloud.on_effect = None
            killed_at(second, e.PodCreated)
            ended.append(second.open().state)
            first.clock.advance(1.0)

    first.on_effect = meanwhile
    mine = carry_out(first.open())
    assert mine.exit_code == BUSY and mine.end.elsewhere, mine.failure
    left = {
        rented.pod.env["RUNPOD_DEPLOY_RUN_TOKEN"] for rented in first.cloud.rented.values() if rented.deleted_at is None
    }
    assert left == {second.spec.token}
    assert carry_out(second.open()).outcome == "succeeded" and not first.cloud.billing


HOSTILE = {
    "no JSON": b"{" * 5000,
    "another token": json.dumps({"token": "f" * 32, "stop_at": "2026-11-01T12:00:00+00:00", "stop_why": "x"}).encode(),
    "entries that the config does not have": json.dumps(
        {
            "token": "a" * 32,
            "stop_at": "2099-01-01T00:00:00+00:00",
            "stop_why": "never",
            "commands": [{"section": "setup", "index": 99}, {"section": "on_end", "index": 0}],
            "staged": ["../../etc"],
            "secrets": ["nobody's"],
            "python_version": None,
        }
    ).encode(),
    "wrong types": json.dumps({"token": "a" * 32, "stop_at": 5, "stop_why": [], "staged": "code"}).encode(),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_note_that_makes_no_sense_costs_only_repetition(first: Machine, second: Machine, kind: str) -> None:
    killed_at(first, e.GuardArmed)
    first.clock.advance(70.0)
    inside = first.inside()
    inside.note, inside.leases = HOSTILE[kind], [("0" * 16, "\x1b]52;c;evil\x07")]
    state = carry_out(second.open())
    assert state.outcome == "succeeded" and first.starts == 1
    created = next(event for event in second.events if isinstance(event, e.PodCreated))
    assert created.taken_over is not None
    assert created.taken_over.holder.isprintable() and not (created.taken_over.commands or created.taken_over.staged)
    assert state.cost.stop_at is not None and state.cost.stop_at.year == 2026


@pytest.mark.parametrize("number", range(1, 12))
def test_a_machine_that_is_killed_while_it_takes_over_goes_on(first: Machine, second: Machine, number: int) -> None:
    killed_at(first, e.JobLaunched)
    first.clock.advance(70.0)
    with pytest.raises(Killed):
        carry_out(second.open(dies_after(number)))
    assert carry_out(second.open()).outcome == "succeeded"
    assert first.starts == 1 and len(first.cloud.rented) == 1


@pytest.mark.parametrize("digits", ["", "0" * 48, "f" * 32], ids=["no claim", "a claim without proof", "half a claim"])
def test_a_lease_that_a_job_has_written_makes_nobody_leave_the_pod(first: Machine, digits: str) -> None:
    def forge(event: e.Event, _: State) -> None:
        if isinstance(event, e.JobLaunched):
            first.inside().leases.append((digits, "build-server"))

    first.spec = replace(
        first.spec, job=replace(first.spec.job, budget=replace(first.spec.job.budget, max_runtime_minutes=1))
    )
    state = carry_out(first.open(forge))
    assert (state.outcome, state.exit_code) == ("stopped", 21) and state.end.released and not first.cloud.billing


def test_a_pod_that_lets_nobody_have_the_lease_is_not_left(first: Machine) -> None:
    killed_at(first, e.JobLaunched)
    first.inside().leases = [("0" * 48, "build-server")] * 2
    first.inside().take_lease = lambda *_: False  # type: ignore[method-assign]
    state = carry_out(first.open())
    assert state.outcome == "succeeded" and state.end.released and not first.cloud.billing


def test_whoever_asks_for_the_end_of_the_pod_means_it(first: Machine, second: Machine) -> None:
    def somebody_stops(event: e.Event, _: State) -> None:
        if isinstance(event, e.PhaseStarted) and event.phase == "watch":
            run.record(e.Interrupted(signal="SIGINT", release="delete"))

    run = first.open(slept(first, second, lambda: None), somebody_stops)
    begun = first.clock.monotonic()
    state = carry_out(run)
    assert state.end.released and not first.cloud.billing and first.clock.monotonic() - begun < 300.0


def test_a_pod_that_the_other_machine_may_keep_is_not_ended_by_the_one_that_comes_back(
    first: Machine, second: Machine
) -> None:
    for machine in (first, second):
        policy = replace(machine.spec.job.lifecycle, on_success="preserve")
        machine.spec = replace(machine.spec, job=replace(machine.spec.job, lifecycle=policy))
    state = carry_out(first.open(slept(first, second, lambda: None)))
    assert state.exit_code == BUSY and len(first.cloud.billing) == 1
    assert state.end.elsewhere and "bills" in state.end.elsewhere.hint and "--delete" in state.end.elsewhere.hint
