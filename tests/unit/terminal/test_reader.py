"""A pipe whose reader reads, has stopped reading, or is gone."""

from __future__ import annotations

import io
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TextIO

import pytest

from runpod_deploy.errors import Interrupt
from runpod_deploy.machine.signals import Signals, checkpoint
from runpod_deploy.terminal import reader as reader_module
from runpod_deploy.terminal.reader import Reader

MUCH = "x" * 200_000
"""More than a pipe holds."""


@pytest.fixture
def pipe() -> Iterator[tuple[int, TextIO]]:
    """The two ends of a pipe."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        yield reading, stream
    os.close(reading)


def test_a_reader_gets_everything(pipe: tuple[int, TextIO]) -> None:
    reading, stream = pipe
    got: list[bytes] = []
    thread = threading.Thread(target=lambda: got.extend(iter(lambda: os.read(reading, 1 << 16), b"")))
    thread.start()
    Reader(stream).write(MUCH + "é")
    stream.close()
    thread.join()
    assert b"".join(got).decode() == MUCH + "é"


def test_a_signal_does_not_wait_for_a_reader_that_stopped_reading(pipe: tuple[int, TextIO]) -> None:
    reading, stream = pipe
    reader = Reader(stream)
    with Signals().installed():
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
        began_at = time.monotonic()
        reader.write(MUCH)
        reader.write(MUCH)
        assert time.monotonic() - began_at < 20
        with pytest.raises(Interrupt):
            checkpoint()
    assert len(os.read(reading, 1 << 20)) > 0
    reader.write("later")
    assert os.read(reading, 1 << 20).endswith(b"later")


def test_a_run_does_not_wait_for_ever_for_a_reader(pipe: tuple[int, TextIO], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "PATIENCE_S", 0.2)
    Reader(pipe[1]).write(MUCH)


def test_a_reader_that_is_gone_is_a_broken_pipe() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with suppress(BrokenPipeError), os.fdopen(writing, "w") as stream, pytest.raises(BrokenPipeError):
        Reader(stream).write("x")


def test_a_stream_in_memory_has_room() -> None:
    stream = io.StringIO()
    Reader(stream).write(MUCH)
    assert stream.getvalue() == MUCH
