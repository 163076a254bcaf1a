"""What a pod answers to a session's question for a sample."""

from __future__ import annotations

import pytest

from runpod_deploy.api.compat.session import sample_of


def test_a_sample_is_taken_as_it_is() -> None:
    assert sample_of('{"gpus": [{"util_pct": 3}]}') == {"gpus": [{"util_pct": 3}]}


@pytest.mark.parametrize("said", ["", "[1]", "5", "[" * 100_000, '{"a": ' + "1" * 300_000 + "}", "{"])
def test_nonsense_is_an_empty_sample(said: str) -> None:
    assert sample_of(said) == {}
