"""JSON that every parser takes, and JSON from outside within bounds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runpod_deploy.spec.strict_json import dumps, loads

TEXTS = st.text(st.characters(), max_size=3)
NUMBERS = st.floats() | st.integers()
VALUES = st.recursive(
    NUMBERS | TEXTS | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


def refuse(constant: str) -> Any:
    """Strict parsers know no NaN and no Infinity."""
    raise AssertionError(f"{constant} is no JSON")


@given(value=VALUES)
def test_json_is_json_for_every_parser(value: Any) -> None:
    json.loads(dumps(value), parse_constant=refuse)


def test_what_is_no_number_is_null_and_the_rest_as_it_was() -> None:
    strange = {"loss": [float("nan"), 1.5, {"best": float("-inf")}], "text": "NaN"}

    assert json.loads(dumps(strange)) == {"loss": [None, 1.5, {"best": None}], "text": "NaN"}


def test_halves_of_characters_are_replaced_and_whole_ones_kept() -> None:
    assert json.loads(dumps({"a\udc80": ["\ud83d", "\U0001f600"]})) == {"a\ufffd": ["\ufffd", "\U0001f600"]}


@pytest.mark.parametrize("text", ["", "{", b"\xff", "[" * 100_000, "[" * 51 + "]" * 51, '{"a":' * 60 + "1" + "}" * 60])
def test_nonsense_and_depth_are_value_errors(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        loads(text)


def test_numbers_are_finite_and_within_reason() -> None:
    assert loads("[NaN, Infinity, -Infinity, 1e999, -1e999, 1.5, 7]") == [None] * 5 + [1.5, 7]
    assert loads("9" * 5000) is None and loads("-" + "9" * 299) == -int("9" * 299)


@given(value=VALUES)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert loads(dumps(value)) == json.loads(dumps(value)) or "9" * 300 in dumps(value)
