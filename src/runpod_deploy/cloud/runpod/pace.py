"""The time of the next request: all processes of one user keep the account's rate limit together.

A process that has to wait stands in a queue, which is a small file. It takes its turn when the turn has come and never
before, so one that gives up or dies holds nobody up. Knows the file and the order; knows no HTTP.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ...errors import CloudUnreachable
from ...machine import limits
from ...machine.clock import Clock
from ...machine.locks import locked
from ...machine.reading import read_limited
from .rate_window import Window, gap_s, learned, usual

MAX_WAIT_S = 600.0
"""The longest that one request waits for its turn: a hundred runs at RunPod's smallest quota wait for 100 s."""
LOCK_TIMEOUT_S = 5.0
"""The lock is normally held for milliseconds."""
LOOK_EVERY_S, LOOK_SOON_S = 4.0, 0.05
"""The longest and the shortest time after which a waiting process looks again whether its turn has come."""
STALE_S = 12.0
"""A process that has not looked for that long has died or is suspended: the next one goes before it."""
MAX_FILE_BYTES = 1 << 20
"""A place in the queue takes about 100 bytes, and no machine carries out ten thousand runs."""
SAY_AFTER_S = 5.0
"""A wait that long is worth a word."""


@dataclass(frozen=True, slots=True, order=True)
class Ticket:
    """A place in the queue. Tickets sort in the order in which they get their turn."""

    rank: int
    """0 comes first."""
    asked_at: float
    """Seconds since the epoch."""
    name: str
    seen_at: float = field(compare=False)
    """When its process looked last; seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Queue:
    """What the processes share."""

    window: Window | None = None
    waiting: tuple[Ticket, ...] = ()

    def without(self, ticket: Ticket, now: float) -> list[Ticket]:
        """The tickets of the other processes that still wait."""
        return [each for each in self.waiting if each.name != ticket.name and 0 <= now - each.seen_at <= STALE_S]


class Pace:
    """Turns for requests. Processes with the same folder share the limit."""

    def __init__(self, clock: Clock, folder: Path | None) -> None:
        self._clock = clock
        self._path = None if folder is None else folder / "pace.json"
        self._own = Queue()

    def wait(self, rank: int = 0, on_wait: Callable[[float], None] | None = None) -> None:
        """A request may be sent now. A long wait calls on_wait once, with the seconds until the next look at the least.

        Raises CloudUnreachable if the turn is more than MAX_WAIT_S away, and Interrupt as soon as a signal arrives.
        """
        ticket = self.ticket(rank)
        try:
            self._stand(ticket, on_wait)
        except BaseException:
            self._leave(ticket)
            raise

    def _stand(self, ticket: Ticket, on_wait: Callable[[float], None] | None) -> None:
        """The ticket's turn has come."""
        began_at = self._clock.monotonic()
        while (delay_s := self.ask(ticket)) > 0:
            waited_s = self._clock.monotonic() - began_at
            if waited_s + delay_s > MAX_WAIT_S:
                raise used_up(delay_s)
            if on_wait is not None and waited_s + delay_s > SAY_AFTER_S:
                on_wait(delay_s)
                on_wait = None
            self._clock.sleep(min(delay_s, LOOK_EVERY_S))

    def ticket(self, rank: int) -> Ticket:
        """A place behind all that have the same rank."""
        now = self._now()
        return Ticket(rank, now, secrets.token_hex(4), now)

    def ask(self, ticket: Ticket) -> float:
        """The seconds until it is worth to ask again; 0 if the turn has come, which is used up then."""
        with self._shared() as queue:
            now = self._now()
            window = (queue.window or usual(now)).current(now)
            others = queue.without(ticket, now)
            before = sum(each < ticket for each in others)
            free_at = window.free_at(now)
            if free_at <= now and before < max(1, window.burst):
                self._store(Queue(window.used(now), tuple(others)))
                return 0.0
            self._store(Queue(window, (*others, replace(ticket, seen_at=now))))
        return max(LOOK_SOON_S, free_at - now + before * gap_s(window, now))

    def window(self) -> Window:
        """What is left of the limit, as far as all processes know."""
        with self._shared() as queue:
            now = self._now()
            return (queue.window or usual(now)).current(now)

    def learn(self, headers: Mapping[str, str]) -> None:
        """All processes know what the answer says about the limit."""
        with self._shared() as queue:
            window = learned(queue.window, headers, self._now())
            if window is not None:
                self._store(replace(queue, window=window))

    def pause_all(self, seconds: float) -> None:
        """No process sends a request for that many seconds, as the API has asked."""
        with self._shared() as queue:
            now = self._now()
            window = queue.window or usual(now)
            self._store(replace(queue, window=replace(window, next_at=max(window.next_at, now + seconds))))

    def _leave(self, ticket: Ticket) -> None:
        """The ticket is not in the queue any more."""
        with suppress(OSError), self._shared() as queue:
            self._store(replace(queue, waiting=tuple(queue.without(ticket, self._now()))))

    @contextmanager
    def _shared(self) -> Iterator[Queue]:
        """The shared queue, which no other process changes during this block."""
        with ExitStack() as held:
            queue = self._own
            if self._path is not None:
                # If the holder of the lock is suspended or the folder cannot be written, this process is alone.
                with suppress(OSError):
                    lock = locked(Path(f"{self._path}.lock"), self._clock, within_s=LOCK_TIMEOUT_S)
                    held.enter_context(lock)
                    queue = read_queue(self._path)
            yield queue if is_credible(queue, self._now()) else Queue()

    def _store(self, queue: Queue) -> None:
        window = queue.window and replace(queue.window, stored_at=self._now())
        self._own = replace(queue, window=window)
        if self._path is not None:
            # On a full disk only the sharing is lost; the run goes on.
            with suppress(OSError):
                overwrite(self._path, as_json(self._own).encode())

    def _now(self) -> float:
        return self._clock.now().timestamp()


def used_up(delay_s: float) -> CloudUnreachable:
    """The error for a turn that comes too late."""
    return CloudUnreachable(
        f"RunPod's request limit is used up for the next {max(1.0, delay_s / 60):.0f} minutes",
        hint="other programs use the same account: wait, or ask less often",
    )


def is_credible(queue: Queue, now: float) -> bool:
    """Whether its times are those of this clock: a clock that was set back leaves windows from the future."""
    window, longest = queue.window, now + limits.LONGEST_WINDOW_S
    return window is None or (window.stored_at <= now and max(window.resets_at, window.next_at) <= longest)


def as_json(queue: Queue) -> str:
    """The text of the shared file."""
    waiting = [[each.rank, each.asked_at, each.name, each.seen_at] for each in queue.waiting]
    return json.dumps({"window": queue.window and asdict(queue.window), "waiting": waiting})


def overwrite(path: Path, content: bytes) -> None:
    """The file has this content. Its owner holds the lock, and half a file is only a limit to be learned anew.

    A file that is emptied first is written to the disk by ext4 when it is closed, which takes 5 ms.
    """
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "wb") as out:
        out.write(content)
        out.truncate()


def read_queue(path: Path) -> Queue:
    """The queue in the file; an empty one if there is none or it makes no sense."""
    try:
        known = json.loads(read_limited(path, MAX_FILE_BYTES))
        waiting = tuple(map(_as_ticket, known["waiting"]))
        return Queue(known["window"] and _as_window(known["window"]), waiting)
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return Queue()


def _as_window(fields: dict[str, Any]) -> Window:
    times = {name: float(fields[name]) for name in ("resets_at", "length_s", "next_at", "stored_at")}
    return Window(int(fields["remaining"]), int(fields["quota"]), assumed=bool(fields["assumed"]), **times)


def _as_ticket(fields: list[Any]) -> Ticket:
    rank, asked_at, name, seen_at = fields
    return Ticket(int(rank), float(asked_at), str(name), float(seen_at))
