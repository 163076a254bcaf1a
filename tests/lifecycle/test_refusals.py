"""A refusal of the API says nothing about a job that SSH reaches; one of a candidate says nothing about the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runpod_deploy.cloud.values import Candidate, Pod, PodRequest
from runpod_deploy.errors import (
    AnswerUnclear,
    AuthRefused,
    BalanceSpent,
    ConfigError,
    DeployError,
    EdgeRefused,
    StockOut,
)
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.record import events as e
from tests.support.fakes.cloud import FakeCloud
from tests.support.worlds import Memory

FIRST, SECOND = "EU-RO-1", "US-TX-3"
REFUSALS = [
    AuthRefused("cannot look at the pod: 401: invalid bearer token"),
    EdgeRefused("cannot look at the pod: 403: error code: 1010"),
    ConfigError("cannot look at the pod: 404: The requested path was not found."),
]


def refuse(world: Memory, refusal: DeployError, from_s: float, until_s: float) -> None:
    """Every call to the API is refused between these times."""
    world.clock.at(from_s, lambda: setattr(world.cloud, "refusal", refusal))
    world.clock.at(until_s, lambda: setattr(world.cloud, "refusal", None))


def lose_ssh(world: Memory, from_s: float, until_s: float) -> None:
    """The pod does not answer over SSH between these times."""

    def put(alive: bool) -> None:
        for host in world.hosts.values():
            host.alive = lambda: alive

    world.clock.at(from_s, lambda: put(False))
    world.clock.at(until_s, lambda: put(True))


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda error: type(error).__name__)
def test_a_refusal_while_ssh_is_lost_ends_no_job(tmp_path: Path, refusal: DeployError) -> None:
    world = Memory(tmp_path, job_lasts_s=300.0)
    refuse(world, refusal, 100.0, 200.0)
    lose_ssh(world, 110.0, 150.0)
    state = carry_out(world.open())
    assert (state.outcome, state.exit_code, world.starts) == ("succeeded", 0, 1)
    said = [event for event in world.events if isinstance(event, e.Retried) and event.error == refusal.message]
    assert len(said) == 1


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda error: type(error).__name__)
def test_a_refusal_during_the_boot_is_no_end(tmp_path: Path, refusal: DeployError) -> None:
    world = Memory(tmp_path)
    refuse(world, refusal, 5.0, 60.0)
    state = carry_out(world.open())
    assert (state.outcome, len(world.cloud.created)) == ("succeeded", 1)


def test_a_pod_that_answers_exists_whatever_the_api_says(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=300.0)
    lose_ssh(world, 100.0, 100.5)
    world.clock.at(100.0, lambda: world.cloud.lies.update(dict.fromkeys(world.cloud.rented, 1000)))
    world.clock.at(250.0, world.cloud.lies.clear)
    assert carry_out(world.open()).outcome == "succeeded"


@pytest.mark.parametrize("refusal", REFUSALS[:2], ids=lambda error: type(error).__name__)
def test_a_release_outlasts_a_key_that_is_being_changed(tmp_path: Path, refusal: DeployError) -> None:
    world = Memory(tmp_path, job_lasts_s=100.0)
    refuse(world, refusal, 110.0, 150.0)
    state = carry_out(world.open())
    assert (state.outcome, state.exit_code, world.cloud.billing) == ("succeeded", 0, [])


def test_a_run_whose_release_was_refused_is_resumed_with_a_good_key(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=100.0)
    refuse(world, REFUSALS[0], 110.0, 10_000.0)
    state = carry_out(world.open())
    assert (state.outcome, state.exit_code, len(world.cloud.billing)) == ("unreleased", 9, 1)
    world.cloud.refusal = None
    state = carry_out(world.open())
    assert (state.outcome, state.exit_code, world.cloud.billing, world.starts) == ("succeeded", 0, [], 1)


def test_a_refused_key_before_there_is_a_pod_ends_the_run_at_once(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.refusal = REFUSALS[0]
    state = carry_out(world.open())
    assert (state.exit_code, world.clock.monotonic(), world.cloud.created) == (4, 0.0, [])


class Picky(FakeCloud):
    """A cloud whose creates are refused by datacenter."""

    refused: dict[str, DeployError]
    placed_first: bool = False
    """Whether a refused create has made a pod all the same."""

    def create(self, request: PodRequest, candidate: Candidate) -> Pod:
        error = self.refused.get(candidate.datacenter_id)
        if error is None:
            return super().create(request, candidate)
        if self.placed_first:
            super().create(request, candidate)
        self.calls.append(f"create {request.name}")
        raise error


def picky(world: Memory, **refused: DeployError) -> Memory:
    """The world, in which the first datacenter and perhaps the second refuse."""
    cloud = Picky(world.clock)
    cloud.refused = {FIRST: refused["first"]} | ({SECOND: refused["second"]} if "second" in refused else {})
    cloud.on_effect = world.cloud.on_effect
    world.cloud = cloud
    return world


INVALID = ConfigError("cannot create: 422: $.gpu.id: value must be one of the allowed values")


def test_an_invalid_candidate_gives_way_to_the_next(tmp_path: Path) -> None:
    world = picky(Memory(tmp_path), first=INVALID)
    state = carry_out(world.open())
    assert (state.outcome, state.pod.datacenter_id) == ("succeeded", SECOND)


def test_a_request_that_is_invalid_everywhere_is_a_mistake_in_the_config(tmp_path: Path) -> None:
    world = picky(Memory(tmp_path), first=INVALID, second=INVALID)
    world.spec = replace(world.spec, wait_for_stock_s=3600)
    state = carry_out(world.open())
    assert (state.exit_code, world.clock.monotonic()) == (2, 0.0)
    assert state.failure and "$.gpu.id" in state.failure.message


def test_an_invalid_candidate_beside_one_without_stock_is_no_mistake_in_the_config(tmp_path: Path) -> None:
    world = picky(Memory(tmp_path), first=INVALID, second=StockOut("none left"))
    assert carry_out(world.open()).exit_code == 3


def unclear(likely: DeployError) -> AnswerUnclear:
    """A create that was refused in words, under a status that says nothing."""
    error = AnswerUnclear(f"cannot create: 500: {likely.message}")
    error.likely = likely
    return error


def test_words_about_capacity_under_500_are_believed_after_one_look(tmp_path: Path) -> None:
    world = picky(Memory(tmp_path), first=unclear(StockOut("no instances currently available")))
    state = carry_out(world.open())
    assert (state.outcome, state.pod.datacenter_id) == ("succeeded", SECOND)
    assert len([call for call in world.cloud.calls if call.startswith("find")]) >= 1
    assert world.clock.monotonic() < 60.0


def test_words_about_capacity_under_500_are_not_believed_if_there_is_a_pod(tmp_path: Path) -> None:
    world = picky(Memory(tmp_path), first=unclear(StockOut("no instances currently available")))
    assert isinstance(world.cloud, Picky)
    world.cloud.placed_first = True
    state = carry_out(world.open())
    assert (state.outcome, state.pod.datacenter_id, world.cloud.billing) == ("succeeded", FIRST, [])


def test_words_about_the_balance_under_500_end_the_run(tmp_path: Path) -> None:
    world = picky(Memory(tmp_path), first=unclear(BalanceSpent("your balance is too low")))
    assert carry_out(world.open()).exit_code == 4
