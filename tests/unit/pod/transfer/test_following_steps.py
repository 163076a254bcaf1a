"""Chains of links in a listing: they are followed for a bounded time, however long they are."""

from __future__ import annotations

import pytest

from runpod_deploy.pod.transfer import following
from runpod_deploy.pod.transfer.excludes import Excludes
from runpod_deploy.pod.transfer.listing import BadListing, End
from runpod_deploy.pod.transfer.tree import Entry, Tree


def followed(tree: Tree) -> following.Followed:
    """The tree after its links were followed, all of which end nowhere on the pod."""
    return following.follow(
        tree, Excludes(()), lambda paths: {path: End("x", "", Entry("f")) for path in paths}, lambda _: {}
    )


def chain(links: int, below: str = "") -> Tree:
    """Links that each lead to the next."""
    return {f"l{number}": Entry("l", target=f"l{number + 1}{below}") for number in range(links)}


@pytest.mark.parametrize("below", ["", "/" + "/".join("x" * 100)])
def test_a_long_chain_is_left(below: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FOLLOW_STEPS", 10_000)
    with pytest.raises(BadListing, match="too many names"):
        followed(chain(1_000, below))


def test_links_to_files_take_no_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FOLLOW_STEPS", 0)
    tree = {"file": Entry("f"), **{f"l{number}": Entry("l", target="file") for number in range(1_000)}}
    assert followed(tree).tree == tree
