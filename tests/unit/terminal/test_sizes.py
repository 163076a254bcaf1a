"""Sizes as people read them."""

from __future__ import annotations

import pytest

from runpod_deploy.terminal.console import size


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2_500_000, "2.5 MB"), (3.3e9, "3.3 GB"), (4e12, "4.0 TB")],
)
def test_a_size_has_a_readable_unit(count: float, text: str) -> None:
    assert size(count) == text
