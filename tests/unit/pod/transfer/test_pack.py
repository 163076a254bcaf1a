"""What is put into a tar stream is what `tarfile` reads, and the other way round, wherever the stream is cut."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runpod_deploy.errors import StagingFailed
from runpod_deploy.machine.proc import Child
from runpod_deploy.pod.transfer.excludes import Excludes
from runpod_deploy.pod.transfer.pack import Packer, header
from runpod_deploy.pod.transfer.place import Place
from runpod_deploy.pod.transfer.source import Source
from runpod_deploy.pod.transfer.tree import Entry, local_tree
from runpod_deploy.pod.transfer.unpack import Unpacker
from runpod_deploy.pod.transfer.values import Tally

NAMES = st.text(st.characters(blacklist_characters="\0/", blacklist_categories=["Cs"]), min_size=1, max_size=90)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
LONG = "deep/" * 40 + "file"


@given(
    path=PATHS,
    kind=st.sampled_from("fdl"),
    mode=st.integers(0, 0o7777),
    size=st.integers(0, 1 << 40),
    mtime=st.integers(-(1 << 40), 1 << 40),
)
def test_a_header_says_what_the_entry_is(path: str, kind: str, mode: int, size: int, mtime: int) -> None:
    entry = Entry(kind, mode, size if kind == "f" else 0, mtime, "to/there" if kind == "l" else "")
    with tarfile.open(fileobj=io.BytesIO(header(path, entry) + bytes(1024)), mode="r:") as tar:
        told = tar.next()
    assert told is not None
    assert (told.name, told.mtime, told.linkname) == (path, mtime, entry.target)
    assert (told.isreg(), told.isdir(), told.issym()) == (kind == "f", kind == "d", kind == "l")
    assert kind == "l" or (told.mode, told.size) == (mode, entry.size)


STYLES = {"gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT, "ustar": tarfile.USTAR_FORMAT}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("piece_bytes", [1, 7, 512, 1 << 20])
def test_every_style_of_tar_is_read(tmp_path: Path, style: str, piece_bytes: int) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    for name, size in {"a": 0, "sub/b": 700, "ü name": 512, LONG: 5000}.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(os.urandom(size))
        (source / name).chmod(0o640)
        os.utime(source / name, (1_000_000_000, 1_000_000_000))
    os.link(source / "sub/b", source / "sub/c")
    wanted = {path: entry for path, entry in local_tree(source, Excludes(())).items() if entry.kind == "f"}
    data = two_archives(source, STYLES[style])
    pieces = (data[at : at + piece_bytes] for at in range(0, len(data), piece_bytes))
    tally = Tally(None, of_files=0, of_bytes=0)
    target.mkdir()
    with Place.at(target) as place:
        arrived = Unpacker(pieces, place, tally).unpack(wanted)
    assert arrived == {path: hashlib.sha256((source / path).read_bytes()).hexdigest() for path in wanted}
    assert {p: e for p, e in local_tree(target, Excludes(())).items() if e.kind == "f"} == wanted
    assert (tally.files, tally.bytes) == (len(wanted), sum(entry.size for entry in wanted.values()))


def two_archives(source: Path, style: int) -> bytes:
    """One after the other, as xargs makes them, with something in between that nobody asked for."""
    whole = io.BytesIO()
    for names in (("./a", "./sub"), ("./ü name", f"./{LONG}")):
        with tarfile.open(fileobj=whole, mode="w", format=style) as tar:
            for name in names:
                tar.add(source / name, arcname=name)
            member = tarfile.TarInfo("../outside")
            member.size = 3
            tar.addfile(member, io.BytesIO(b"out"))
    return whole.getvalue()


@pytest.mark.parametrize("cut", [0, 100, 512, 700, 1100, 1536, 1600])
def test_what_came_whole_of_a_torn_stream_is_told(tmp_path: Path, cut: int) -> None:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name in "ab":
            member = tarfile.TarInfo(name)
            member.size = 600
            tar.addfile(member, io.BytesIO(name.encode() * 600))
    wanted = {name: Entry("f", 0o644, 600, 1) for name in "ab"}
    tally = Tally(None, of_files=2, of_bytes=1200)
    with Place.at(tmp_path) as place:
        arrived = Unpacker(iter([whole.getvalue()[:cut]]), place, tally).unpack(wanted)
    assert set(arrived) == ({"a"} if cut >= 1536 else set())


def test_noise_is_no_archive(tmp_path: Path) -> None:
    with Place.at(tmp_path) as place:
        assert Unpacker(iter([b"Welcome!\n" * 1000]), place, Tally(None, of_files=0, of_bytes=0)).unpack({}) == {}


@pytest.mark.parametrize("swapped", ["folder/notes.txt", "folder"])
@pytest.mark.parametrize("size", [20, 500_000])
def test_what_became_a_link_since_it_was_listed_is_not_sent(tmp_path: Path, swapped: str, size: int) -> None:
    project, private, sent = tmp_path / "project", tmp_path / "private", tmp_path / "sent"
    for folder in (project / "folder", private):
        folder.mkdir(parents=True)
        (folder / "notes.txt").write_bytes(b"x" * size)
    listed = local_tree(project, Excludes(()))
    (project / swapped).rename(tmp_path / "away")
    (project / swapped).symlink_to(private / "notes.txt" if swapped != "folder" else private)
    refused = pytest.raises(StagingFailed, match="became a link while it was staged")
    with Child(["sh", "-c", f"cat >{sent}"]) as child, refused:
        Packer(child, Tally(None, of_files=1, of_bytes=size)).pack(Source(project), listed)
    assert not sent.exists() or b"xxx" not in sent.read_bytes()


def test_a_way_through_links_is_followed_if_the_config_says_so(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "data.txt").write_text("followed")
    project = tmp_path / "project"
    project.mkdir()
    (project / "link").symlink_to(tmp_path / "there")
    with Child(["cat"]) as child:
        packer = Packer(child, Tally(None, of_files=1, of_bytes=8))
        packer.pack(Source(project, through_links=True), {"link/data.txt": Entry("f", 0o644, 8, 1)})
        child.close_stdin()
        assert b"followed" in (child.read(1 << 16) or b"")
