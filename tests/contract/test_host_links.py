"""The promises of the `Host` protocol for links: nothing that they lead to is lost, with every set of tools."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runpod_deploy.pod.openssh import PodHost
from tests.contract.hosts import SETUPS, Ground, ground
from tests.contract.test_host_transfers import contents, facts, pull, push


@pytest.fixture(params=SETUPS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    with ground(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def host(place: Ground) -> PodHost:
    return place.host()


def results(place: Ground) -> Path:
    """An artifact with links of every kind, and a cache beside it as that of Hugging Face."""
    out, cache = place.remote / "out put", place.remote / "ca\nche"
    (cache / "blobs").mkdir(parents=True)
    (cache / "snapshots" / "1").mkdir(parents=True)
    (cache / "blobs" / "ab12").write_bytes(b"weights")
    (cache / "snapshots" / "1" / "model 'x'").symlink_to("../../blobs/ab12")
    (cache / "snapshots" / "1" / "same").symlink_to("model 'x'")
    (cache / "snapshots" / "1" / "self").symlink_to(cache / "snapshots" / "1")
    (cache / "snapshots" / "1" / "back").symlink_to(out / "step 1")
    (cache / "snapshots" / "1" / "up").symlink_to("..")
    (out / "step 1").mkdir(parents=True)
    (out / "step 1" / "w").write_text("w")
    (out / "last").symlink_to(out / "step 1")
    (out / "best").symlink_to(cache / "snapshots" / "1")
    (out / "best of all").symlink_to("best")
    (out / "best by name").symlink_to(out / "best")
    (place.remote / "alias").symlink_to(out)
    (out / "alias").symlink_to(place.remote / "alias" / "last")
    (out / "-model").symlink_to(cache / "blobs" / "ab12")
    return out


def test_what_links_of_an_artifact_lead_to_is_pulled(host: PodHost, place: Ground) -> None:
    out, target = results(place), place.local / "results"
    weights = facts(place.remote / "ca\nche" / "blobs" / "ab12")
    moved = pull(host, f"{out}/", target)
    assert moved is not None and (moved.refused, moved.unresolved) == (("best/up",), ())
    found = contents(target)
    assert {name for name, what in found.items() if what[0] == "folder"} == {"step 1", "best"}
    assert {name: what for name, what in found.items() if what[0] != "folder"} == {
        "step 1/w": facts(out / "step 1" / "w"),
        "last": ("link", "step 1"),
        "best of all": ("link", "best"),
        "best by name": ("link", "best"),
        "alias": ("link", "step 1"),
        "-model": weights,
        "best/model 'x'": weights,
        "best/same": ("link", "model 'x'"),
        "best/self": ("link", "."),
        "best/back": ("link", "../step 1"),
    }
    again = pull(host, f"{out}/", target, delete=True)
    assert again is not None and (again.bytes_transferred, again.sha256) == (0, moved.sha256)
    assert contents(target) == found


def test_links_that_lead_nowhere_are_named_and_the_rest_comes(host: PodHost, place: Ground) -> None:
    out, target = results(place), place.local / "results"
    for name, goal in {"lost": "/nowhere", "lost too": "step 2", "a": "b", "b": "a", "by": "lost"}.items():
        (out / name).symlink_to(goal)
    for name, goal in {"root": "/", "null": "/dev/null", "passwd": "/etc/passwd", "up": ".."}.items():
        (out / name).symlink_to(goal)
    moved = pull(host, f"{out}/", target)
    assert moved is not None
    assert set(moved.unresolved) == {"lost", "lost too", "a", "b", "by"}
    assert set(moved.refused) == {"root", "null", "passwd", "up", "best/up"}
    assert (target / "-model").read_bytes() == b"weights"
    assert not any(os.path.lexists(target / name) for name in (*moved.unresolved, *moved.refused))


def test_large_files_behind_links_continue(host: PodHost, place: Ground) -> None:
    out, cache, target = place.remote / "out", place.remote / "cache", place.local / "results"
    for folder in (out, cache, target / "all"):
        folder.mkdir(parents=True)
    begins, ends = os.urandom(9_000_000), os.urandom(1_000_000)
    (cache / "big").write_bytes(begins + ends)
    (out / "plain").write_bytes(begins + ends)
    (out / "one").symlink_to(cache / "big")
    (out / "all").symlink_to(cache)
    for name in ("plain", "one", "all/big"):
        (target / name).write_bytes(begins)
        os.utime(target / name, (1_000_000_000, 1_000_000_000))
    moved = pull(host, f"{out}/", target)
    assert moved is not None and moved.bytes_transferred < 20_000_000
    assert all((target / name).read_bytes() == begins + ends for name in ("plain", "one", "all/big"))


def test_excludes_hold_behind_links(host: PodHost, place: Ground) -> None:
    out, target = results(place), place.local / "results"
    (out / "logs").symlink_to(place.remote / "ca\nche")
    moved = pull(host, f"{out}/", target, excludes=("logs/", "/best/same", "-model", "w"))
    assert moved is not None and not moved.unresolved
    assert not any(os.path.lexists(target / name) for name in ("logs", "best/same", "-model", "step 1/w"))
    assert (target / "best" / "model 'x'").exists()


def sources(place: Ground) -> Path:
    """A project with links out of it."""
    source, data = place.local / "src", place.local / "data"
    (data / "deep").mkdir(parents=True)
    (data / "deep" / "x.csv").write_text("x")
    (data / "around").symlink_to("..")
    source.mkdir()
    (source / "code.py").write_text("1")
    (source / "data").symlink_to(data)
    (source / "x").symlink_to(data / "deep" / "x.csv")
    (source / "same").symlink_to("code.py")
    (source / "gone").symlink_to("/nowhere")
    (source / "own").symlink_to(source / "code.py")
    return source


def test_links_that_lead_out_of_a_source_are_named(host: PodHost, place: Ground) -> None:
    source, target = sources(place), place.remote / "dst"
    moved = push(host, source, target)
    named = {text.partition(" -> ")[0] for text in moved.links_out}
    assert named == {"data", "x", "gone", "own"}
    assert f"data -> {place.local / 'data'}" in moved.links_out
    assert contents(target) == contents(source)


def test_what_links_of_a_source_lead_to_is_pushed(host: PodHost, place: Ground) -> None:
    source, target = sources(place), place.remote / "dst"
    for _ in range(2):
        moved = push(host, source, target, follow_links=True)
        assert set(moved.links_out) == {"gone -> /nowhere", "data/around -> .."}
        assert {name: what for name, what in contents(target).items() if what[0] != "folder"} == {
            "code.py": facts(source / "code.py"),
            "same": ("link", "code.py"),
            "own": ("link", "code.py"),
            "x": facts(place.local / "data" / "deep" / "x.csv"),
            "data/deep/x.csv": facts(place.local / "data" / "deep" / "x.csv"),
            "gone": ("link", "/nowhere"),
            "data/around": ("link", ".."),
        }
    assert moved.bytes_transferred == 0
    push(host, source, target)
    assert contents(target) == contents(source)


def test_large_files_behind_links_of_a_source_continue(host: PodHost, place: Ground) -> None:
    source, target = sources(place), place.remote / "dst"
    begins = os.urandom(9_000_000)
    (place.local / "data" / "big").write_bytes(begins)
    push(host, source, target, follow_links=True)
    (place.local / "data" / "big").write_bytes(begins + b"more")
    moved = push(host, source, target, follow_links=True)
    assert (target / "data" / "big").read_bytes() == begins + b"more"
    assert moved.bytes_transferred < 1_000_000
