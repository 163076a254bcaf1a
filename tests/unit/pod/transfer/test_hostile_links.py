"""A pod that lies about where links end does nothing outside the artifact."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from runpod_deploy.errors import ArtifactMissing
from runpod_deploy.pod.transfer.excludes import Excludes
from runpod_deploy.pod.transfer.following import follow
from runpod_deploy.pod.transfer.limits import MAX_ROUNDS
from runpod_deploy.pod.transfer.listing import End
from runpod_deploy.pod.transfer.tree import Entry, Tree
from tests.unit.pod.transfer.hostile import Row, Scene, listing, sent

TOP = Row(".", "d", target="/workspace/out")


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def link(path: str) -> Row:
    return Row(path, "l", target="/elsewhere")


@pytest.mark.parametrize(
    ("kind", "real"),
    [
        *(("d", path) for path in ("/", "/proc", "/sys/x", "/dev", "/etc", "/root", "/workspace", "/workspace/out/..")),
        *(("f", path) for path in ("/dev/null", "/etc/passwd", "/root/.ssh/id", "/workspace/.runpod-deploy/key")),
        ("-", "/pipe"),
        ("l", "/link"),
        ("f", ""),
        ("f", "relative"),
        ("f", "/" + "x" * 5000),
        ("d", "/workspace/out/a/../../../secret"),
    ],
)
def test_what_no_link_may_lead_to_is_refused_and_named(scene: Scene, kind: str, real: str) -> None:
    before = scene.around()
    rows = [Row("good", size=4), link("x")]
    ends = [TOP, Row("x", kind, target=real)]
    moved = scene.pull(listing(rows), sent({"good": b"good", "x": b"evil"}), ends=ends, below=[Row("x/y", size=1)])
    assert moved is not None and moved.refused == ("x",)
    assert not os.path.lexists(scene.place / "x")
    assert scene.around() == before


@pytest.mark.parametrize(
    ("below", "match"),
    [
        ([Row("y/z")], "below what is no folder"),
        ([Row("x")], "there twice"),
        ([Row("good/z")], "below what is no folder"),
        ([Row("x/../../y")], "impossible entry"),
        ([Row("x/z", "l", target="/"), Row("x/z/y")], "below what is no folder"),
        ([Row("x/z"), Row("x/z")], "there twice"),
    ],
)
def test_what_is_behind_a_link_contradicts_itself(scene: Scene, below: list[Row], match: str) -> None:
    before = scene.around(), scene.around(scene.root / "home")
    with pytest.raises(ArtifactMissing, match=match):
        scene.pull(listing([Row("good", size=4), link("x")]), ends=[TOP, Row("x", "d", target="/e")], below=below)
    assert (scene.around(), scene.around(scene.root / "home")) == before


def test_a_pod_that_says_nonsense_about_a_link(scene: Scene) -> None:
    for row in (Row("x", mode="rwx"), Row("x", size="many"), Row("x", mtime="9" * 5000), Row("", "", "", "", "")):
        with pytest.raises(ArtifactMissing, match="makes no sense"):
            scene.pull(listing([link("x")]), ends=[TOP, row])


def test_what_is_behind_links_is_screened_like_everything_else(scene: Scene) -> None:
    below = [Row("x/.git", "d"), Row("x/.git/config", size=4), Row("x/own", size=4), Row("x/fine", size=4)]
    files = dict.fromkeys(("x/.git/config", "x/own", "x/fine", ".git", "odd"), b"evil")
    moved = scene.pull(
        listing([link("x"), link(".git"), link("odd")]),
        sent(files),
        ends=[TOP, Row("x", "d", target="/e"), Row(".git", target="/g", size=4), Row("odd", target="/h", size=-1)],
        below=below,
        protected=(scene.place / "x" / "own",),
    )
    assert moved is not None and set(moved.refused) == {"x/.git", "x/own", ".git", "odd"}
    assert sorted(path.name for path in (scene.place / "x").iterdir()) == ["fine"]


def test_a_pod_whose_links_lead_on_without_end() -> None:
    def ask(paths: Iterable[str]) -> dict[str, End]:
        return {path: End("d", f"/e/{path}".rstrip("/"), Entry("d", 0o755)) for path in paths}

    def below(folders: Tree) -> Tree:
        return {f"{path}/x": Entry("l", target="/on") for path in folders}

    found = follow({"x": Entry("l", target="/on")}, Excludes(()), lambda p: ask(f"{q}z" if q else q for q in p), below)
    assert found.unresolved == ("x",), "it was not asked for this link"
    numbers = iter(range(100))
    found = follow(
        {"x": Entry("l", target="/on")},
        Excludes(()),
        lambda paths: {path: End("d", f"/e{next(numbers)}", Entry("d", 0o755)) for path in paths},
        below,
    )
    assert found.refused == ("/".join("x" * (MAX_ROUNDS + 1)),)
    assert len(found.tree) == len(found.replaced) == MAX_ROUNDS


def test_entries_behind_links_count(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    below = [Row(f"x/{number}") for number in range(60)]
    ends = [TOP, Row("x", "d", target="/e")]
    rows = [link("x"), *(Row(str(number)) for number in range(60))]
    monkeypatch.setattr("runpod_deploy.pod.transfer.following.MAX_ENTRIES", 100)
    with pytest.raises(ArtifactMissing, match="more than 100 entries with what its links point to"):
        scene.pull(listing(rows), ends=ends, below=below)
    monkeypatch.setattr("runpod_deploy.pod.transfer.links_there.LISTING_BYTES", 1000)
    with pytest.raises(ArtifactMissing, match="more than 1000 bytes of file names"):
        scene.pull(listing(rows), ends=ends, below=below)


def test_the_checksum_covers_links_and_what_took_the_place_of_links(scene: Scene) -> None:
    rows = [Row("good", size=4), Row("name", "l", target="good"), link("x")]
    files = {"good": b"good", "x": b"data"}
    moved = scene.pull(listing(rows), sent(files), ends=[TOP, Row("x", target="/e", size=4)])
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    listed = f"{hashes['good']}  good\n-> good  name\n{hashes['x']}  x\n"
    assert moved is not None and moved.sha256 == hashlib.sha256(listed.encode()).hexdigest()
    assert (scene.place / "x").read_bytes() == b"data" and not (scene.place / "x").is_symlink()
