"""The product runs one job. A loop over many jobs is outside, and the product does not even contain the word for it."""

from __future__ import annotations

import pytest

from tests.support.workshop import REPOSITORY

SOURCES = [
    path
    for path in sorted((REPOSITORY / "src/runpod_deploy").rglob("*"))
    if path.is_file() and "__pycache__" not in path.parts
]


def test_there_is_something_to_look_at() -> None:
    assert len(SOURCES) > 50


@pytest.mark.parametrize("word", ["sweep", "shard"])
def test_the_product_knows_one_job(word: str) -> None:
    assert [str(path) for path in SOURCES if word in path.read_text(encoding="utf-8").lower()] == []
