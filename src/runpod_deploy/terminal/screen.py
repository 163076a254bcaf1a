"""A run on a terminal while it lasts: listens to events, and draws the rows of `picture`. Knows rich.

It is imported only if there is a terminal to draw on.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from types import TracebackType
from typing import Any, TextIO

from rich.console import Console as Terminal
from rich.console import Group
from rich.live import Live

from ..machine.reading import read_end
from ..record import events as e
from ..record.state import State
from ..run import Run
from ..spec.strict_json import loads
from .console import DETAIL, elapsed, event_line
from .hints import seen_from_here
from .instants import LOCAL
from .keys import Keys
from .line_splitter import Lines
from .live_view import Moving, Picture, rows, summary

REFRESHES_A_SECOND = 2
KEPT_LINES = 400
ROW_BYTES = 16_384
MARKER = "__RUNPOD_"
DETACH_KEY, END_KEY = "d", "q"


class Screen:
    """Shows one run on the whole terminal; afterwards the terminal is as it was, with a summary below."""

    def __init__(self, run: Run, out: TextIO) -> None:
        self.run = run
        self.terminal = Terminal(file=out, highlight=False, markup=False, emoji=False)
        self.recent: deque[tuple[str, str]] = deque(maxlen=KEPT_LINES)
        self.output: dict[str, Lines] = {}
        self.moving: Moving | None = None
        self.moved_since = 0.0
        self.sample: dict[str, Any] = {}
        self.sampled_bytes = 0
        self.keys = Keys()
        self.live = Live(
            get_renderable=self.drawn,
            console=self.terminal,
            screen=True,
            refresh_per_second=REFRESHES_A_SECOND,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Screen:
        self.run.listeners.append(self.on_event)
        self.run.printers.append(self.on_output)
        self.keys.start()
        try:
            self.live.start()
        except BaseException:
            self.keys.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self.run.signals.critical():
            self.keys.stop()
            self.live.stop()
            for row in summary(self.picture(), self.terminal.width):
                self.terminal.print(row, soft_wrap=True)

    def on_event(self, event: e.Event, state: State) -> None:
        """The event's line is among the last lines, and a transfer is drawn as far as it has come."""
        self.follow_transfer(event)
        if not isinstance(event, DETAIL) and (text := event_line(event, state, LOCAL)) is not None:
            self.recent.append(("", f"{elapsed(event, state)} {text}"))

    def follow_transfer(self, event: e.Event) -> None:
        """`moving` is the transfer that is under way, or None."""
        now = self.run.world.clock.monotonic()
        match event:
            case e.StageStarted():
                self.moving, self.moved_since = Moving(event.label, 0, event.bytes, 0, event.files), now
            case e.ArtifactPullStarted():
                self.moving, self.moved_since = Moving(event.label), now
            case e.StageProgressed():
                per_s = event.bytes / max(0.1, now - self.moved_since)
                self.moving = Moving(event.label, event.bytes, event.of_bytes, event.files, event.of_files, per_s=per_s)
            case e.StageFinished() | e.ArtifactPullCompleted() | e.ArtifactPullFailed() | e.ArtifactSkipped():
                self.moving = None

    def on_output(self, source: str, data: bytes) -> None:
        """The output's last lines are kept, but for the markers that only programs read."""
        lines = self.output.setdefault(source, Lines()).feed(data)[-KEPT_LINES:]
        self.recent.extend((source, line) for line in lines if not line.startswith(MARKER))

    def picture(self) -> Picture:
        """The picture of the run as it is now."""
        run = self.run
        unfinished = [(source, text) for source, lines in self.output.items() if (text := lines.unfinished())]
        return Picture(
            spec=run.spec,
            state=run.state,
            now=run.world.clock.now(),
            run_dir=seen_from_here(run.dir.path),
            lines=[*self.recent, *unfinished[-1:]],
            sample=self.latest_sample(),
            moving=self.moving,
            has_keys=self.keys.listening,
            detaching=run.detach,
        )

    def drawn(self) -> Group:
        """The rows for the terminal at its present size, after the keys that were typed took effect."""
        self.obey(self.keys.typed())
        width, height = self.terminal.size
        return Group(*rows(self.picture(), width, height))

    def obey(self, keys: str) -> None:
        """The run is left as soon as its job runs, or it is ended as Ctrl-C would end it."""
        if END_KEY in keys:
            os.kill(os.getpid(), signal.SIGINT)
        elif DETACH_KEY in keys:
            self.run.detach = True

    def latest_sample(self) -> dict[str, Any]:
        """The last row of metrics.jsonl, which is read again only if the file has grown."""
        try:
            length = self.run.dir.metrics.stat().st_size
            if length != self.sampled_bytes:
                row = loads(read_end(self.run.dir.metrics, ROW_BYTES).splitlines()[-1])
                self.sample = row if isinstance(row, dict) else {}
                self.sampled_bytes = length
        except (OSError, ValueError, IndexError):
            pass
        return self.sample
