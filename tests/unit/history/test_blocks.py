"""Files of lines of every length: each line once and whole, and no file makes a reader wait or grow."""

from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runpod_deploy.history.blocks import blocks, lines_in
from runpod_deploy.history.events import read_rows
from runpod_deploy.machine.limits import LONGEST_ROW_BYTES


@settings(deadline=None)
@given(content=st.lists(st.sampled_from([b"", b"a", b"bb" * 9, b"\r", b"\n"]), max_size=30).map(b"\n".join))
def test_blocks_hold_every_line_once_whatever_the_size_of_the_buffer(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "lines"
    path.write_bytes(content)

    for size in (1, 2, 3, 7, 64):
        buffer = bytearray(size)
        read = [bytes(buffer[:end]) for end in blocks(str(path), buffer)]
        assert b"".join(read) == content
        assert all(block.endswith(b"\n") for block in read[:-1])
    expected = content.removesuffix(b"\n").split(b"\n") if content else []
    assert list(lines_in(str(path))) == expected


def test_a_line_longer_than_anybody_writes_is_no_row_and_costs_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with path.open("wb") as file:
        file.write(b'{"event": "first"}\n{"event": "')
        for _ in range(5):
            file.write(b"x" * LONGEST_ROW_BYTES)
        file.write(b'"}\n{"event": "last"}\n')
    told: list[str] = []

    tracemalloc.start()
    rows = list(read_rows(path, lambda _, why: told.append(why)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert [row["event"] for row in rows] == ["first", "last"]
    assert told == ["skipped lines that are not JSON objects, first on line 2"]
    assert peak < 4 * LONGEST_ROW_BYTES


def test_a_long_row_is_read_like_any_other(tmp_path: Path) -> None:
    row = {"event": "x" * 3_000_000}
    (tmp_path / "events.jsonl").write_text(json.dumps(row) + "\n" + json.dumps(row))

    assert list(read_rows(tmp_path, print)) == [row, row]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "events.jsonl")
    told: list[str] = []

    assert list(read_rows(tmp_path, lambda _, why: told.append(why))) == []
    assert told == ["it is not a regular file"]
