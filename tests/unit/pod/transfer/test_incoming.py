"""The folder in which files wait: private, found again by the next attempt, and closed to what another program left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runpod_deploy.pod.transfer.excludes import Excludes
from runpod_deploy.pod.transfer.incoming import Incoming
from runpod_deploy.pod.transfer.place import Place
from runpod_deploy.pod.transfer.screening import RESERVED
from runpod_deploy.pod.transfer.tree import Entry

WANTED = {"d/f": Entry("f", 0o640, 4, 1_000_000_000)}


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[Place]:
    with Place.at(tmp_path) as place:
        yield place


def keep(incoming: Incoming, path: str, data: bytes) -> None:
    """A file waits in the folder."""
    with os.fdopen(incoming.files.create_file(path), "wb") as file:
        file.write(data)


def left_in(folder: Path) -> list[Path]:
    """The incoming folders that are left."""
    return sorted(path for path in folder.iterdir() if path.name.startswith(RESERVED))


def test_it_is_private_and_found_again_and_gone_at_last(parent: Place, tmp_path: Path) -> None:
    with Incoming(parent, tmp_path / "results") as incoming:
        keep(incoming, "d/f", b"half")
    (folder,) = left_in(tmp_path)
    assert folder.stat().st_mode & 0o777 == 0o700
    with Incoming(parent, tmp_path / "results") as incoming:
        assert incoming.files.sha256("d/f")
        incoming.remove()
    assert left_in(tmp_path) == []


def test_an_empty_one_does_not_stay(parent: Place, tmp_path: Path) -> None:
    with Incoming(parent, tmp_path / "results"):
        assert len(left_in(tmp_path)) == 1
    assert left_in(tmp_path) == []


def test_two_processes_and_two_artifacts_have_their_own(parent: Place, tmp_path: Path) -> None:
    with Incoming(parent, tmp_path / "results") as first, Incoming(parent, tmp_path / "results") as second:
        keep(first, "a", b"first")
        assert second.files.entry("a") is None
    with Incoming(parent, tmp_path / "others") as other:
        assert other.files.entry("a") is None


@pytest.mark.parametrize("kind", ["link", "open"])
def test_what_is_not_private_is_not_used(parent: Place, tmp_path: Path, kind: str) -> None:
    with Incoming(parent, tmp_path / "results") as incoming:
        keep(incoming, "a", b"a")
    (folder,) = left_in(tmp_path)
    if kind == "link":
        folder.rename(tmp_path / "secret")
        folder.symlink_to(tmp_path / "secret")
    else:
        folder.chmod(0o755)
    with Incoming(parent, tmp_path / "results") as incoming:
        assert incoming.files.entry("a") is None


def test_only_wanted_plain_files_come_back_from_another_program(parent: Place, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    with Incoming(parent, tmp_path / "results") as incoming:
        keep(incoming, "d/f", b"old")
        with incoming.apart(WANTED) as folder:
            assert (folder / "d" / "f").read_bytes() == b"old"
            (folder / "d" / "f").write_bytes(b"longer than listed")
            (folder / "d" / "f").chmod(0o6777)
            (folder / "other").write_text("nobody asked for it")
        assert list(incoming.files.tree(Excludes(()))) == ["d", "d/f"]
        assert incoming.files.entry("d/f") == WANTED["d/f"]
        with incoming.apart(WANTED) as folder:
            (folder / "d" / "f").unlink()
            (folder / "d" / "f").symlink_to(tmp_path / "secret")
        assert incoming.files.entry("d/f") is None
        with incoming.apart(WANTED) as folder:
            (folder / "d").rmdir()
            (folder / "d").symlink_to(tmp_path)
        assert incoming.files.entry("d/f") is None
        incoming.remove()
    assert (tmp_path / "secret").read_text() == "secret"


def test_a_half_made_file_comes_back_and_is_not_taken_for_a_whole_one(parent: Place, tmp_path: Path) -> None:
    with Incoming(parent, tmp_path / "results") as incoming:
        keep(incoming, "d/f", b"old")
        with pytest.raises(RuntimeError), incoming.apart(WANTED) as folder:
            (folder / "d" / "f").write_bytes(b"half")
            raise RuntimeError("the connection broke")
        found = incoming.files.entry("d/f")
        assert found is not None and found.size == 4 and not found.same_as(WANTED["d/f"])


def test_what_a_killed_process_had_apart_is_found_again(parent: Place, tmp_path: Path) -> None:
    with Incoming(parent, tmp_path / "results") as incoming:
        keep(incoming, "a", b"a")
    (folder,) = left_in(tmp_path)
    (folder / "apart" / "d").mkdir(parents=True)
    (folder / "apart" / "d" / "f").write_bytes(b"half")
    (folder / "apart" / "x").symlink_to(tmp_path)
    with Incoming(parent, tmp_path / "results") as incoming:
        assert set(incoming.files.tree(Excludes(()))) == {"a", "d", "d/f"}
        assert not (folder / "apart").exists()
