"""Real signals to this process at random moments of a run in memory: none is lost, and no pod is left."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runpod_deploy.driver import to_end
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.record import events as e
from runpod_deploy.record.state import State
from tests.support.worlds import Memory

RUNS = int(os.environ.get("SIGNALS", "60"))
"""How many runs get a signal. `make test` plays some; `SIGNALS=1000 pytest tests/lifecycle/test_signals.py` all."""
NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Closed:
    """Notes that a run has released its pod, after which a signal changes nothing."""

    def __init__(self) -> None:
        self.closed = False

    def __call__(self, event: e.Event, _state: State) -> None:
        self.closed = self.closed or (isinstance(event, e.PhaseFinished) and event.phase == "release")


class Kick(threading.Thread):
    """Sends this process signals, each after its pause."""

    def __init__(self, pauses_s: list[float], closed: Closed, rng: random.Random) -> None:
        super().__init__()
        self.pauses_s, self.closed, self.rng = pauses_s, closed, rng
        self.in_time = False
        """Whether a signal was sent before the run had released its pod."""

    def run(self) -> None:
        """Every signal has been sent."""
        for pause_s in self.pauses_s:
            end = time.perf_counter() + pause_s
            while time.perf_counter() < end:
                time.sleep(1e-5)
            os.kill(os.getpid(), self.rng.choice(NUMBERS))
            self.in_time = self.in_time or not self.closed.closed


class Busy:
    """Something whose destructor is Python code, in which an exception would vanish."""

    def __del__(self) -> None:
        sum(range(50))


def litter(_event: e.Event, _state: State) -> None:
    """Destructors run all the time, as those of libraries do."""
    for _ in range(20):
        Busy()


@contextmanager
def fast_switches() -> Iterator[None]:
    """Threads take turns often, so that signals come at many different moments."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def carried_out(world: Memory, pauses_s: list[float], rng: random.Random) -> tuple[State, Kick]:
    """The run's state at its end, and what was sent meanwhile."""
    closed = Closed()
    run = world.open(litter, closed)
    kick = Kick(pauses_s, closed, rng)
    with run.signals.installed():
        kick.start()
        state = to_end(run, carry_out)
        kick.join()
    return state, kick


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("signals", [1, 2, 5])
def test_a_signal_at_any_moment_is_never_lost(tmp_path: Path, signals: int, capfd: pytest.CaptureFixture[str]) -> None:
    rng = random.Random(signals)
    began_at = time.perf_counter()
    carried_out(Memory(tmp_path / "calm"), [], rng)
    lasts_s = time.perf_counter() - began_at
    in_time = 0
    with fast_switches():
        for number in range(RUNS // 3):
            world = Memory(tmp_path / str(number))
            pauses_s = [rng.random() * lasts_s / signals for _ in range(signals)]
            state, kick = carried_out(world, pauses_s, rng)
            assert not state.pod_may_exist and world.cloud.billing == [], (number, pauses_s)
            assert state.exit_code == 130 or not kick.in_time, (number, pauses_s, state)
            in_time += kick.in_time
    assert in_time > RUNS // 12
    assert "ignored" not in capfd.readouterr().err


@pytest.mark.parametrize("where", ["the intent", "before create", "after create"])
def test_a_signal_around_a_create_leaves_no_pod_to_look_for(tmp_path: Path, where: str) -> None:
    world = Memory(tmp_path)

    def kick(at: str) -> None:
        if at == where:
            os.kill(os.getpid(), signal.SIGTERM)

    world.on_effect = kick
    run = world.open(lambda event, _: kick("the intent") if isinstance(event, e.PodRequested) else None)
    with run.signals.installed():
        state = to_end(run, carry_out)
    assert (state.exit_code, len(world.cloud.created), world.cloud.billing) == (130, 1, [])
    assert world.clock.monotonic() < 60, "the pod was looked for, although the answer was there"
