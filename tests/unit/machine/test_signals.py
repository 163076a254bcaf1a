"""Real signals to a real process: noted wherever they arrive, raised only at checkpoints, never during a release."""

from __future__ import annotations

import gc
import os
import random
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from runpod_deploy.errors import Interrupt
from runpod_deploy.machine import proc
from runpod_deploy.machine.clock import SystemClock
from runpod_deploy.machine.signals import Signals, await_ready, checkpoint, critical


def kick(number: int = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


@contextmanager
def kicked_after(seconds: float) -> Iterator[None]:
    """A signal arrives while the block waits."""
    timer = threading.Timer(seconds, kick)
    timer.start()
    yield
    timer.join()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_is_raised_with_its_name_at_the_next_checkpoint(number: signal.Signals) -> None:
    signals = Signals()
    with signals.installed():
        kick(number)
        with pytest.raises(Interrupt) as caught:
            checkpoint()
    assert caught.value.signal_name == number.name


def test_later_signals_wait_unless_they_are_allowed() -> None:
    signals = Signals()
    with signals.installed():
        kick()
        with pytest.raises(Interrupt):
            checkpoint()
        kick()
        checkpoint()
        assert signals.take() == "SIGINT"
        with pytest.raises(Interrupt), signals.held(unless_repeated=True):
            kick()
            checkpoint()


def test_two_signals_before_one_checkpoint_are_two() -> None:
    signals = Signals()
    with signals.installed():
        kick()
        kick()
        with pytest.raises(Interrupt):
            checkpoint()
        with pytest.raises(Interrupt), signals.held(unless_repeated=True):
            pytest.fail("the second one should be raised at once")


def test_a_first_signal_while_collecting_waits() -> None:
    signals = Signals()
    with signals.installed():
        with signals.held(unless_repeated=True):
            kick()
            checkpoint()
        assert signals.take() == "SIGINT"


def test_nothing_interrupts_a_release() -> None:
    signals = Signals()
    with signals.installed(), signals.held():
        for _ in range(5):
            kick()
            checkpoint()
    assert signals.count == 5


def test_a_critical_section_ends_before_the_signal_is_raised() -> None:
    signals, done = Signals(), []
    with signals.installed():
        with critical():
            kick()
            checkpoint()
            done.append("whole")
        with pytest.raises(Interrupt):
            checkpoint()
    assert done == ["whole"]


def test_without_handlers_of_ours_nothing_is_raised_and_nothing_is_held() -> None:
    checkpoint()
    with critical():
        pass


def test_earlier_handlers_are_restored() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Signals().installed():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
    assert signal.set_wakeup_fd(-1) == -1


def test_a_signal_that_was_blocked_before_is_not_lost() -> None:
    signals = Signals()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    try:
        # To this thread: another one, of another test, has not blocked it.
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        with signals.installed(), pytest.raises(Interrupt):
            checkpoint()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


class Destroyed:
    """Something whose destructor runs when the signal arrives, like a lock of a library."""

    def __del__(self) -> None:
        kick()


def test_a_signal_that_arrives_in_a_destructor_is_not_lost(capfd: pytest.CaptureFixture[str]) -> None:
    with Signals().installed():
        destroyed = Destroyed()
        del destroyed
        gc.collect()
        with pytest.raises(Interrupt):
            checkpoint()
    assert "Exception ignored" not in capfd.readouterr().err


def test_a_signal_in_a_callback_that_swallows_everything_is_not_lost() -> None:
    with Signals().installed():
        try:
            kick()
            len([])
        except BaseException:  # a foreign library
            pytest.fail("something was raised out of a handler")
        with pytest.raises(Interrupt):
            checkpoint()


def test_a_signal_at_the_limit_of_recursion_is_not_lost() -> None:
    def deeper() -> None:
        try:
            deeper()
        except RecursionError:
            kick()

    with Signals().installed():
        deeper()
        with pytest.raises(Interrupt):
            checkpoint()


def test_another_thread_never_takes_a_signal() -> None:
    with Signals().installed():
        kick()
        other = threading.Thread(target=checkpoint)
        other.start()
        other.join()
        with pytest.raises(Interrupt):
            checkpoint()


def wait_for_room() -> None:
    """A child that reads nothing is written to."""
    with proc.Child(("sleep", "30")) as child:
        child.write(bytes(10_000_000), stall_s=30.0)


def wait_for_output() -> None:
    """A child that says nothing is read from."""
    with proc.Child(("sleep", "30")) as child:
        child.read(100, 30.0)


def wait_for_exit() -> None:
    """A child that does not end is waited for."""
    with proc.Child(("sleep", "30")) as child:
        child.wait(30.0)


def read_a_flood() -> None:
    """A child that always has something to say is read from."""
    with proc.Child(("yes",)) as child:
        while child.read(1 << 18, 30.0):
            pass


WAITS: dict[str, Callable[[], object]] = {
    "a sleep": lambda: SystemClock().sleep(30.0),
    "a command": lambda: proc.run(("sleep", "30"), timeout_s=30.0),
    "a flooding command": lambda: proc.run(("yes",), timeout_s=30.0),
    "room in a pipe": wait_for_room,
    "output": wait_for_output,
    "a flood of output": read_a_flood,
    "an exit": wait_for_exit,
    "nothing at all": lambda: await_ready(None, 0, 30.0),
}


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS.keys())
def test_every_wait_ends_soon_after_a_signal(wait: Callable[[], object]) -> None:
    began_at = time.monotonic()
    with Signals().installed(), kicked_after(0.1), pytest.raises(Interrupt):
        wait()
    assert time.monotonic() - began_at < 15


def test_a_signal_that_is_held_does_not_shorten_a_sleep() -> None:
    began_at = time.monotonic()
    with Signals().installed() as _, critical(), kicked_after(0.05):
        SystemClock().sleep(0.4)
    assert time.monotonic() - began_at >= 0.4


def test_a_ready_descriptor_is_seen_and_an_idle_one_is_not() -> None:
    reader, writer = os.pipe()
    assert not await_ready(reader, select.POLLIN, 0.01)
    os.write(writer, b"x")
    assert await_ready(reader, select.POLLIN, 0.01)
    os.close(reader)
    os.close(writer)


def test_no_signal_is_lost_at_any_moment_of_busy_code() -> None:
    """A thousand signals at random moments of code that makes and drops objects with destructors."""
    rng, before = random.Random(1), sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for _ in range(1000):
            with Signals().installed():
                timer = threading.Timer(rng.random() * 1e-4, kick)
                timer.start()
                with pytest.raises(Interrupt):
                    while True:
                        checkpoint()
                        [object.__new__(Quiet) for _ in range(20)]
                timer.join()
    finally:
        sys.setswitchinterval(before)


class Quiet:
    """Something with a destructor in Python."""

    def __del__(self) -> None:
        len("busy")
