"""The frames of the follow channel, for any division of the bytes into reads."""

from __future__ import annotations

import shlex
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runpod_deploy.pod.job import FrameParser, JobPaths, follow_line, start_command
from runpod_deploy.pod.protocol import Frame, JobEnd, LogChunk, Notice, Sample

STREAM = b'K\nL 5\nab\ncdS 12\n{"util": 50}K\nL 3\nE 0E -\n'


def parsed(stream: bytes, cuts: list[int]) -> list[Frame]:
    parser, frames, start = FrameParser(), list[Frame](), 0
    for cut in [*sorted(cuts), len(stream)]:
        frames += parser.feed(stream[start:cut])
        start = max(start, cut)
    return frames


@given(st.lists(st.integers(0, len(STREAM))))
def test_any_cut_gives_the_same(cuts: list[int]) -> None:
    frames = parsed(STREAM, cuts)
    assert b"".join(frame.data for frame in frames if isinstance(frame, LogChunk)) == b"ab\ncdE 0"
    assert [frame for frame in frames if isinstance(frame, Sample)] == [Sample({"util": 50})]
    assert frames[-1] == JobEnd(None)


@given(st.binary(max_size=2000))
def test_any_log_passes(log: bytes) -> None:
    frames = parsed(b"L %d\n" % len(log) + log + b"E 7\n", [len(log) // 2])
    assert b"".join(frame.data for frame in frames if isinstance(frame, LogChunk)) == log
    assert frames[-1] == JobEnd(7)


@pytest.mark.parametrize(
    "stream",
    [
        b"X 1\n",
        b"L x\n",
        b"L -1\n",
        b"L 1_0\n",
        b"L 100000000000000\nabc",
        b"L " + b"9" * 60 + b"\n",
        b"S -5\n",
        b"S 100000000\n",
        b"E 256\n",
        b"E -1\n",
        b"E " + b"9" * 50 + b"\n",
        b"bash: command not found: and so on, for a while, without end" * 2,
    ],
)
def test_nonsense_is_an_error(stream: bytes) -> None:
    with pytest.raises(ValueError):
        parsed(stream, [])


@given(st.binary(max_size=300), st.lists(st.integers(0, 300)))
def test_any_bytes_are_frames_or_a_value_error(stream: bytes, cuts: list[int]) -> None:
    with suppress(ValueError):
        parsed(stream, cuts)


def test_a_sample_of_any_depth_and_size_of_numbers_is_harmless() -> None:
    for row in (b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}", b'{"a": 1e999}', b'{"a": NaN}', b'{"a": "\\ud800"}'):
        frames = parsed(b"S %d\n" % len(row) + row + b"E 0\n", [])
        assert frames[-1] == JobEnd(0)
        assert all(frame.row["a"] in (None, "\ud800") for frame in frames if isinstance(frame, Sample))


def test_a_sample_that_is_no_json_is_dropped() -> None:
    assert parsed(b"S 4\n{no}S 2\n[]E 0\n", []) == [JobEnd(0)]


def test_the_log_is_not_kept_in_memory() -> None:
    parser = FrameParser()
    list(parser.feed(b"L 1000000\n"))
    for _ in range(10):
        chunks = list(parser.feed(bytes(1000)))
        assert [len(chunk.data) for chunk in chunks if isinstance(chunk, LogChunk)] == [1000]


def test_a_notice_is_a_word_and_lines() -> None:
    text = b"left\n7 sleep 60\n8 python train.py"
    assert parsed(b"N %d\n" % len(text) + text + b"N 5\nguardE 0 background\n", []) == [
        Notice("left", ("7 sleep 60", "8 python train.py")),
        Notice("guard"),
        JobEnd(0, flaw="left_running"),
    ]


def test_commands_quote_every_path() -> None:
    paths = JobPaths(control_dir="/w s/.rd/it's-1", log="/l $x", script="/s;", disk="/workspace")
    start = start_command(paths, 5)
    assert start.endswith("job.sh' start '/w s/.rd/it'\"'\"'s-1' '/l $x' '/s;' 'it'\"'\"'s-1@' 5 wait ''")
    words = shlex.split(follow_line(paths, 7, 30).decode())
    assert {"D=/w s/.rd/it's-1", "L=/l $x", "TAG=it's-1@", "OFFSET=7", "EVERY=30"} <= set(words)
