"""Real signals to a real process: the first interrupts the work, none interrupts a release."""

from __future__ import annotations

import os
import signal

import pytest

from runpod_deploy.errors import Interrupt
from runpod_deploy.machine.signals import Signals


def kick(number: int = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_is_raised_with_its_name(number: signal.Signals) -> None:
    signals = Signals()
    with signals.installed(), pytest.raises(Interrupt) as caught:
        kick(number)
    assert caught.value.signal_name == number.name


def test_later_signals_wait_unless_they_are_allowed() -> None:
    signals = Signals()
    with signals.installed():
        with pytest.raises(Interrupt):
            kick()
        kick()
        assert signals.take() == "SIGINT"
        with pytest.raises(Interrupt), signals.held(unless_repeated=True):
            kick()


def test_a_first_signal_while_collecting_waits() -> None:
    signals = Signals()
    with signals.installed():
        with signals.held(unless_repeated=True):
            kick()
        assert signals.take() == "SIGINT"


def test_nothing_interrupts_a_release() -> None:
    signals = Signals()
    with signals.installed(), signals.held():
        for _ in range(5):
            kick()
    assert signals.count == 5


def test_a_critical_section_ends_before_the_signal_is_raised() -> None:
    signals, done = Signals(), []
    with signals.installed(), pytest.raises(Interrupt), signals.critical():
        kick()
        done.append("whole")
    assert done == ["whole"]


def test_earlier_handlers_are_restored() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Signals().installed():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
