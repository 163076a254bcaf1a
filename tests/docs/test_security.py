"""SECURITY.md names at least one test for each promise, and each of these tests exists."""

from __future__ import annotations

from tests.docs.test_guarantee import PROOF, source
from tests.support.workshop import REPOSITORY

PAGE = (REPOSITORY / "SECURITY.md").read_text(encoding="utf-8")
_, _, PROMISES = PAGE.partition("## What is kept from harm")


def test_each_promise_names_a_proof() -> None:
    rows = [line for line in PROMISES.splitlines() if line.startswith("| ") and "from whom" not in line]
    assert len(rows) > 15
    assert [row for row in rows if not PROOF.search(row)] == []


def test_each_proof_exists() -> None:
    missing = [(file, name) for file, name in PROOF.findall(PAGE) if f"def {name}(" not in source(file)]
    assert missing == []
