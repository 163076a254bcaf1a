"""Output in pieces as lines: progress bars, carriage returns, garbage, no end of line."""

from __future__ import annotations

import io
from pathlib import Path

from runpod_deploy.record import events as e
from runpod_deploy.record.state import State
from runpod_deploy.terminal.console import Console
from runpod_deploy.terminal.line_splitter import LONGEST_BYTES, Lines


def test_lines_come_whole_however_they_are_cut() -> None:
    lines = Lines()
    assert lines.feed(b"on") == [] and lines.unfinished() == "on"
    assert lines.feed(b"e\ntw") == ["one"] and lines.feed(b"o\r\n\n") == ["two", ""]
    lines.feed(b"three")
    assert lines.finish() == ["three"] and lines.finish() == []


def test_a_progress_bar_shows_its_last_state() -> None:
    lines = Lines()
    lines.feed(b"\r 10%\r 20%")
    assert lines.unfinished() == " 20%"
    lines.feed(b"\r 30%\r")
    assert lines.unfinished() == " 30%", "the next state has not come yet"
    assert lines.feed(b"\n") == [" 30%"]


def test_memory_stays_flat_and_garbage_obeys_nobody() -> None:
    lines = Lines()
    for step in range(2000):
        lines.feed(b"\r" + b"%d" % step + b"#" * 200)
    assert lines.unfinished().startswith("1999#") and len(lines._open) < 2 * LONGEST_BYTES
    assert lines.feed(b"\x1b[2J\x00\xff" * (1 << 16)), "a line without an end is cut"
    assert "\x1b" not in lines.unfinished() and len(lines._open) <= LONGEST_BYTES


def test_the_console_shows_a_last_line_without_its_end(tmp_path: Path) -> None:
    out = io.StringIO()
    console = Console(out, tmp_path / "console.log")
    console.on_output("job", b"first\nno newline")
    console.on_event(e.JobEnded(exit_code=0, why="exited"), State())
    assert out.getvalue().splitlines() == ["  job | first", "  job | no newline", "[  0:00] job ended: exit status 0"]
    assert (tmp_path / "console.log").read_text() == out.getvalue()


def test_a_million_lines_are_no_burden(tmp_path: Path) -> None:
    console = Console(None, tmp_path / "console.log")
    piece = b"".join(b"step %d\n" % n for n in range(10_000))
    for _ in range(100):
        console.on_output("job", piece)
    assert (tmp_path / "console.log").stat().st_size == 100 * (len(piece) + 10_000 * len("  job | "))


def test_a_long_line_that_comes_whole_is_cut_into_pieces() -> None:
    line = b"a\tb" * 100_000
    pieces = Lines().feed(line + b"\n")
    assert max(map(len, pieces)) <= LONGEST_BYTES and "".join(pieces).replace("\t", "") == "ab" * 100_000
