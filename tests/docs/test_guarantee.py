"""The page of promises names at least one test for each promise, and each of these tests exists."""

from __future__ import annotations

import re

from tests.support.workshop import REPOSITORY

PAGE = (REPOSITORY / "docs/guarantee.md").read_text(encoding="utf-8")
PROOF = re.compile(r"`([\w/]+\.py)::(\w+)`")


def test_each_row_names_a_proof() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and "what happens" not in line]
    assert len(rows) > 25
    assert [row for row in rows if not PROOF.search(row)] == []


def test_each_proof_exists() -> None:
    named = set(PROOF.findall(PAGE))
    missing = [(file, name) for file, name in named if f"def {name}(" not in source(file)]
    assert missing == []


def source(file: str) -> str:
    """The text of the test module."""
    return (REPOSITORY / "tests" / file).read_text(encoding="utf-8")
