"""The faults of one process: what happens to it at its nth side effect. Knows the errors that each call may raise."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from typing import Any

from runpod_deploy.errors import (
    AnswerUnclear,
    AuthRefused,
    BalanceSpent,
    CloudUnreachable,
    ConfigError,
    SshLost,
    StagingFailed,
    StockOut,
)
from tests.storm import history as h
from tests.storm.cloud import StormCloud
from tests.support.worlds import Killed

Maker = Callable[[], BaseException]
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FATES = ("vanish", "exit", "restart")


def words(kind: type[Exception], text: str) -> Maker:
    """Makes that error with that text."""
    return lambda: kind(text)


UNREACHABLE = words(CloudUnreachable, "GET: HTTP 503")
UNCLEAR = words(AnswerUnclear, "POST: connection reset")
REFUSED = words(AuthRefused, "HTTP 401")
LOST = words(SshLost, "connection reset")

ERRORS: dict[str, Sequence[Maker]] = {
    "before create": (
        words(StockOut, "no instances available"),
        words(StockOut, "no instances available"),
        UNCLEAR,
        REFUSED,
        words(BalanceSpent, "balance too low"),
        words(ConfigError, "HTTP 422"),
    ),
    "after create": (UNCLEAR,),
    "before start": (UNREACHABLE, words(StockOut, "not enough free GPUs"), REFUSED, UNCLEAR),
    "after start": (UNCLEAR,),
    "before stop": (UNREACHABLE, UNCLEAR, REFUSED),
    "after stop": (UNCLEAR,),
    "before delete": (UNREACHABLE, UNCLEAR, REFUSED),
    "after delete": (UNCLEAR,),
    "before catalogue": (UNREACHABLE, REFUSED),
    "before volume": (UNREACHABLE, REFUSED),
    "before get": (UNREACHABLE, UNREACHABLE, REFUSED),
    "before look": (UNREACHABLE, UNREACHABLE, REFUSED),
    "before find": (UNREACHABLE, UNREACHABLE, REFUSED),
    "before list_pods": (UNREACHABLE, REFUSED),
    "before run": (LOST, words(TimeoutError, "too long")),
    "after run": (LOST,),
    "before push": (LOST, words(StagingFailed, "No space left on device")),
    "after push": (LOST,),
    "before pull": (LOST, words(OSError, "Input/output error")),
    "after pull": (LOST,),
    "before arm": (LOST,),
    "after arm": (LOST,),
    "before disarm": (LOST,),
    "after disarm": (LOST,),
    "before launch": (LOST, words(StagingFailed, "No space left on device")),
    "after launch": (LOST,),
    "before follow": (LOST,),
    "before read": (LOST,),
    "before stop_job": (LOST, words(StagingFailed, "some processes remain")),
    "after stop_job": (LOST,),
}
LIES: dict[str, list[Any] | None] = {"get": None, "look": None, "find": []}
"""Answers that hide a pod which exists."""
A_HELD_CALL_S = 50.0
CHANGES = ("stop", "delete")
"""Calls that the API may accept and forget."""


def is_look(where: str) -> bool:
    """Whether the effect is a look at pods."""
    return where.startswith("before ") and where.removeprefix("before ") in LIES


class Answered(Exception):
    """The call has this answer and no effect."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer


class Faults:
    """The faults that wait for one process, and what was made of them."""

    def __init__(self, planned: Sequence[h.Fault], cloud: StormCloud, newest_pod: Callable[[], str | None]) -> None:
        self.planned = list(planned)
        self.cloud, self.newest_pod = cloud, newest_pod
        self.lies: list[h.Fault] = []
        """Answers that hide a pod, which wait for the next look."""
        self.count = 0
        self.told: list[str] = []
        self.signals_arrive = False
        """Whether the process handles signals by now; before that, one ends it."""
        self.wall_off_s = 0.0
        self.lying_until_s = float("-inf")
        self.disk_full_until_s = float("-inf")
        self.held_until_s = float("-inf")
        """Until when the pod holds up each call, and then drops its connection."""
        self.signalled = False
        self.interfered = 0.0
        """Seconds by which faults may have kept the process from its work."""

    def strike(self, where: str) -> None:
        """The faults that are due at this effect have happened. Raises what they raise."""
        self.count += 1
        if self.lies and is_look(where):
            self.planned.insert(0, self.lies.pop(0))
        while self.planned and self.planned[0].at <= self.count:
            fault = self.planned.pop(0)
            if fault.kind == h.LIE and not is_look(where):
                self.lies.append(fault)
                continue
            before = len(self.told)
            self.told.append(f"effect {self.count}, {where}: {fault.kind}")
            if not self.happens(fault, where):
                del self.told[before:]
        self.hold_up(where)

    def hold_up(self, where: str) -> None:
        """A call to a pod that holds up calls takes long, and loses its connection. Raises SshLost."""
        if where.startswith("before ") and LOST in ERRORS.get(where, ()):
            left_s = self.held_until_s - self.cloud.memory_clock.monotonic()
            if left_s > 0:
                self.cloud.memory_clock.sleep(min(left_s, A_HELD_CALL_S))
                raise LOST()

    def happens(self, fault: h.Fault, where: str) -> bool:
        """Whether the fault could happen here. Raises what it raises."""
        moment, _, call = where.partition(" ")
        match fault.kind:
            case h.KILL:
                raise Killed
            case h.SIGNAL:
                self.signal(SIGNALS[fault.choice % len(SIGNALS)])
            case h.ERROR:
                self.fail(fault, where)
                return False
            case h.PAUSE:
                self.note(f"for {fault.seconds:.0f} s")
                self.interfered += fault.seconds
                self.cloud.memory_clock.sleep(fault.seconds)
            case h.JUMP:
                self.note(f"the clock by {fault.seconds:.0f} s")
                self.wall_off_s += fault.seconds
                self.interfered += abs(fault.seconds)
            case h.DISK:
                self.note(f"for {fault.seconds:.0f} s")
                self.disk_full_until_s = self.cloud.memory_clock.monotonic() + fault.seconds
            case h.HELD:
                self.note(f"for {fault.seconds:.0f} s")
                self.held_until_s = self.cloud.memory_clock.monotonic() + fault.seconds
            case h.LIE:
                self.lying_until_s = self.cloud.memory_clock.monotonic() + fault.seconds
                raise Answered(LIES[call])
            case h.IGNORED if call in CHANGES and moment == "before":
                raise Answered(True)
            case h.POD if (pod_id := self.newest_pod()) is not None:
                self.note(f"{pod_id}: {FATES[fault.choice % len(FATES)]}")
                self.cloud.befall(pod_id, FATES[fault.choice % len(FATES)])
            case _:
                return False
        return True

    def note(self, more: str) -> None:
        """The last line of what happened has more words."""
        self.told[-1] += f" {more}"

    def signal(self, number: signal.Signals) -> None:
        """The signal was sent. Raises Killed if the process does not handle it yet."""
        self.note(number.name)
        if not self.signals_arrive:
            raise Killed
        self.signalled = True
        os.kill(os.getpid(), number)

    def fail(self, fault: h.Fault, where: str) -> None:
        """Raises an error that may happen here, if there is one."""
        makers = ERRORS.get(where, ())
        if makers:
            error = makers[fault.choice % len(makers)]()
            self.note(f"{type(error).__name__}: {error}")
            raise error

    def late(self) -> float | None:
        """In how many seconds the pod of the create call that comes now is placed, if its answer will be lost."""
        for fault in self.planned:
            if fault.kind == h.LATE:
                self.planned.remove(fault)
                lost = f"its answer is lost, its pod comes {fault.seconds:.0f} s later"
                self.told.append(f"effect {self.count}, create: {lost}")
                return fault.seconds
        return None
