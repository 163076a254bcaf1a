"""Links of a pod whose targets are long or many: few names are looked up, and a signal is noticed meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from runpod_deploy.errors import ArtifactMissing
from runpod_deploy.pod.transfer import screening
from runpod_deploy.pod.transfer.excludes import Excludes
from runpod_deploy.pod.transfer.limits import MAX_DEPTH
from runpod_deploy.pod.transfer.listing import parse
from runpod_deploy.pod.transfer.screening import Screen, resolved
from runpod_deploy.pod.transfer.tree import Entry, Tree
from runpod_deploy.pod.transfer.values import Pull
from tests.unit.pod.transfer.hostile import Row, listing

LONG = "/".join("x" * (16 * MAX_DEPTH))


def link(target: str) -> Entry:
    """A link with this target."""
    return Entry("l", target=target)


def test_a_chain_of_long_targets_is_left_soon() -> None:
    tree: Tree = {f"l{number}": link(f"l{number + 1}/{LONG}") for number in range(39)}
    counted: list[int] = []
    assert resolved("l0", tree, lambda path: None, lambda: counted.append(1)) is None
    assert len(counted) < 3 * MAX_DEPTH


def test_all_links_of_a_listing_share_one_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screening, "MAX_STEPS", 100)
    rows = [Row(f"l{number}", "l", target="/".join("y" * 9)) for number in range(20)]
    asked = Pull(label="out", remote_path="/workspace/out/", local_path=tmp_path)
    with pytest.raises(ArtifactMissing, match="too many names"):
        Screen(tmp_path, asked).passed(parse(listing(rows), Excludes(())), lambda path: None)
