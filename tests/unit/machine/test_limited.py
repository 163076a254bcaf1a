"""A block ends at its next wait once its time is over, whatever happens in it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from runpod_deploy.machine.clock import SystemClock, within
from runpod_deploy.machine.limited import limited_by
from runpod_deploy.machine.proc import run
from runpod_deploy.machine.signals import Signals, checkpoint, critical
from tests.support.fakes.clock import FakeClock


def over(error: Exception) -> Callable[[], None]:
    """A check that always raises."""

    def check() -> None:
        raise error

    return check


def test_what_handles_errors_on_the_way_does_not_keep_a_block_from_its_end() -> None:
    clock = FakeClock()
    with pytest.raises(TimeoutError, match="the work: not within 10 s"), within(clock, 10.0, "the work"):
        while True:
            with suppress(Exception):
                clock.sleep(3.0)
    assert clock.monotonic() == 12.0


def test_a_wait_after_the_end_of_a_block_is_not_disturbed() -> None:
    clock = FakeClock()
    with suppress(TimeoutError), within(clock, 10.0, "the work"):
        try:
            clock.sleep(20.0)
        finally:
            clock.sleep(5.0)
            cleaned_up = True
    clock.sleep(5.0)
    assert cleaned_up and clock.monotonic() == 30.0


def test_blocks_within_a_block_that_is_over_do_not_keep_it_open() -> None:
    clock, ended = FakeClock(), []
    with pytest.raises(TimeoutError, match="outer"), within(clock, 50.0, "outer"):
        while True:
            try:
                with within(clock, 20.0, "inner"):
                    clock.sleep(30.0)
            except TimeoutError as error:
                ended.append(str(error))
    assert ended == ["inner: not within 20 s"] and clock.monotonic() == 60.0


def test_a_check_that_two_blocks_share_ends_one_of_them() -> None:
    check, seen = over(ValueError("used up")), []
    with limited_by(check):
        try:
            with limited_by(check):
                checkpoint()
        except ValueError as error:
            seen.append(str(error))
        checkpoint()  # the handling of the error is not disturbed by the same error
        seen.append("handled")
    assert seen == ["used up", "handled"]


@pytest.mark.parametrize("hold", [critical, Signals().critical], ids=["any", "those of a run"])
def test_what_no_signal_may_cut_no_block_may_cut(hold: Callable[[], object]) -> None:
    done = []
    with pytest.raises(ValueError, match="used up"), limited_by(over(ValueError("used up"))):
        with hold():  # type: ignore[attr-defined]
            checkpoint()
            done.append("all of it")
        checkpoint()
    assert done == ["all of it"]


def test_a_command_ends_with_its_block() -> None:
    clock = SystemClock()
    begun = clock.monotonic()
    with pytest.raises(TimeoutError, match="the command: not within 0 s"), within(clock, 0.2, "the command"):
        run(["sleep", "300"], timeout_s=300.0)
    assert clock.monotonic() - begun < 60.0
    assert run(["true"], timeout_s=60.0).exit_code == 0
