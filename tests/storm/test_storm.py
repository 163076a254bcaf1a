"""A storm of 3,000 random histories breaks no invariant; and the storm itself can be trusted."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import pytest

from tests.storm import history as h
from tests.storm.history import from_json
from tests.storm.invariants import NAMES
from tests.storm.seeds import history_of, stranger
from tests.storm.shrink import shrunk
from tests.storm.storm import play

CHUNKS, SEEDS_EACH = 24, 125
STRANGE = h.History(
    seed=0,
    job=h.Job(lasts_s=60.0),
    acts=(h.Act(command="run", faults=(h.Fault(at=12, kind=h.KILL),)), h.Act(command="resume", after_s=5.0)),
)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_history_breaks_an_invariant(chunk: int) -> None:
    first = int(os.environ.get("STORM_SEED", "1")) + chunk * SEEDS_EACH
    for seed in range(first, first + SEEDS_EACH):
        history = history_of(seed) if seed % 2 else stranger(history_of(seed))
        if play(history).violation:
            raise AssertionError("\n".join(shrunk(history).script()))


def test_a_history_is_the_same_each_time_it_is_played() -> None:
    for seed in range(1, 40):
        first, second = play(history_of(seed)), play(history_of(seed))
        assert [without_folder(line) for line in first.told] == [without_folder(line) for line in second.told]


def without_folder(line: str) -> str:
    """The line without the name of the folder that was played in."""
    return line.split("/dev/shm")[0]


@pytest.mark.parametrize("seed", range(1, 40))
def test_a_history_survives_its_file(seed: int) -> None:
    assert from_json(history_of(seed).to_json()) == history_of(seed)


def test_the_script_of_a_history_names_what_is_out_of_the_ordinary() -> None:
    assert STRANGE.script() == [
        "history of seed 0",
        "job: lasts_s = 60.0",
        "process 1: run",
        "  fault: at=12 kind=kill",
        "process 2: resume 5 s later",
    ]


def test_a_calm_history_ends_in_success_with_everything_told() -> None:
    result = play(h.History(seed=0))
    assert result.violation is None
    assert any(line.endswith("exit 0: ") for line in result.told)


def test_a_recycled_pod_is_not_ended_by_the_guard_of_its_first_run() -> None:
    shape, job = h.Shape(recycled=True, minutes=150), h.Job(lasts_s=5000.0)
    assert play(h.History(seed=0, shape=shape, job=job)).violation is None


def test_a_pod_that_is_listed_too_late_to_be_used_does_not_bill_beside_a_long_job() -> None:
    acts = (h.Act(command="run", faults=(h.Fault(at=1, kind=h.LATE, seconds=70.0),)),)
    weather, job = h.Weather(listing_lag_s=40.0), h.Job(lasts_s=5000.0)
    assert play(h.History(seed=0, weather=weather, job=job, acts=acts)).violation is None


def test_a_history_that_breaks_an_invariant_is_shrunk_to_what_breaks_it() -> None:
    job = h.Job(lasts_s=60.0, setup_fails=False)
    acts = (h.Act(command="detach", faults=(h.Fault(at=20, kind=h.PAUSE, seconds=1.0),)),)
    broken = h.History(seed=0, job=job, weather=h.Weather(outages=(forever(),)), acts=acts)
    result = shrunk(replace(broken, nobody_comes=True))
    assert result.violation is not None and result.violation.name in NAMES
    assert result.history.acts[0].faults == () and result.history.weather.outages == (forever(),)


def forever() -> h.Outage:
    """The API never answers again, so that no guard can end its pod: no promise holds then."""
    return h.Outage(at_s=60.0, for_s=1e9, what="api")


def test_a_storm_leaves_the_signals_of_its_process_as_they_were() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    acts = (h.Act(command="run", faults=(h.Fault(at=30, kind=h.SIGNAL, choice=1),)),)
    assert play(h.History(seed=0, acts=acts)).violation is None
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before
