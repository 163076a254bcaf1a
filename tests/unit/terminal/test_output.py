"""Output is JSON that every parser takes, and goes to streams of every kind, whether anybody reads them or not."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runpod_deploy.terminal import output
from runpod_deploy.terminal.output import json_text

NUMBERS = st.floats() | st.integers()
VALUES = st.recursive(
    NUMBERS | st.text(max_size=3) | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def refuse(constant: str) -> Any:
    """Strict parsers know no NaN and no Infinity."""
    raise AssertionError(f"{constant} is no JSON")


@given(value=VALUES)
def test_json_is_json_for_every_parser(value: Any) -> None:
    json.loads(json_text(value), parse_constant=refuse)


def test_what_is_no_number_is_null_and_the_rest_as_it_was() -> None:
    strange = {"loss": [float("nan"), 1.5, {"best": float("-inf")}], "text": "NaN"}

    assert json.loads(json_text(strange)) == {"loss": [None, 1.5, {"best": None}], "text": "NaN"}


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
