"""Output goes to streams of every kind, whether anybody reads them or not."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator

import pytest

from runpod_deploy.terminal import output


class Terminal(io.StringIO):
    """A stream that a person looks at."""

    def isatty(self) -> bool:
        """Always."""
        return True


@pytest.fixture
def loud() -> Iterator[None]:
    """No flag is left over from another test."""
    output.configure(quiet=False, plain=False)
    yield
    output.configure(quiet=False, plain=False)


@pytest.mark.usefixtures("loud")
def test_data_is_on_stdout_and_messages_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert output.print_lines(["one", "two\x1b[31m"]) == 2
    output.info("looked")
    output.warn("a.json", "empty")
    output.configure(quiet=True, plain=False)
    output.info("looked again")
    output.print_err("error: x\ny\tz")

    seen = capsys.readouterr()
    assert seen.out == "one\ntwo\\x1b[31m\n"
    assert seen.err == "looked\nwarning: a.json: empty\nerror: x\ny\tz\n"


@pytest.mark.usefixtures("loud")
def test_what_can_be_drawn_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert output.can_draw(Terminal()) and not output.can_draw(io.StringIO())
    assert not output.can_draw(Terminal(), plain=True)
    output.configure(quiet=False, plain=True)
    assert not output.can_draw(Terminal())
    output.configure(quiet=False, plain=False)
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        with monkeypatch.context() as changed:
            changed.setenv(name, value)
            assert not output.can_draw(Terminal())
    monkeypatch.delenv("TERM")
    assert not output.can_draw(Terminal()), "nobody knows what it can draw"


def test_a_notebook_takes_text_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = io.StringIO()
    monkeypatch.setattr(sys, "stdout", cell)
    output.print_lines(["é"])
    output.print_bytes("ü\n".encode())
    assert cell.getvalue() == "é\nü\n"


def test_messages_that_nobody_reads_raise_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as gone:
        monkeypatch.setattr(sys, "stderr", gone)
        output.print_err("error: x")
        with pytest.raises(BrokenPipeError):
            output.write_err("more")
        output.flush_or_discard(gone)
    monkeypatch.setattr(sys, "stderr", None)
    output.print_err("error: x")
