"""Text from outside is shown as text: no character of it moves the cursor, turns the line or covers others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runpod_deploy.spec.visible import LONGEST_CHARS, MOST_MARKS, shortened, visible


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b]52;c;aGk=\x07", "\\x1b]52;c;aGk=\\x07"),
        ("\x9b2J\x00\x7f", "\\x9b2J\\x00\\x7f"),
        ("one\ntwo\r\x85\u2028\tthree", "one\\ntwo\\r\\x85\\u2028\\tthree"),
        ("abc\u202etxt.exe\u2066", "abc\\u202etxt.exe\\u2066"),
        ("file\udc80\ud83d", "file\\udc80\\ud83d"),
        ("zero\u200bwidth\ufeff\xad", "zero\\u200bwidth\\ufeff\\xad"),
        ("é漢字 😀 e\u0301", "é漢字 😀 e\u0301"),
    ],
)
def test_what_would_be_obeyed_is_escaped(text: str, seen: str) -> None:
    assert visible(text) == seen


def test_a_pile_of_marks_stays_low() -> None:
    assert visible("a" + "\u0316" * 100).count("\u0316") == MOST_MARKS


@given(st.text(st.characters()))
def test_any_text_takes_one_line_and_can_be_encoded(text: str) -> None:
    seen = visible(text)
    assert seen.isprintable() and len(seen.encode().decode().splitlines()) <= 1


def test_the_characters_to_keep_are_kept() -> None:
    assert visible("a\tb\n\x1b", keep="\t") == "a\tb\\n\\x1b"


def test_a_long_message_is_cut() -> None:
    assert len(shortened("x" * 10_000)) == LONGEST_CHARS and shortened("short") == "short"
