"""What commands print is for every parser."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runpod_deploy.cli.output import json_text

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
