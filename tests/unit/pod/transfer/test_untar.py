"""The reader of tar streams agrees with `tarfile` on honest archives, and ends early on others."""

from __future__ import annotations

import io
import tarfile
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runpod_deploy.errors import ArtifactMissing
from runpod_deploy.pod.transfer.untar import TarReader

NAMES = st.text(st.characters(blacklist_characters="\0/", blacklist_categories=["Cs"]), min_size=1, max_size=90)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join).map(lambda path: "./" + path)
FILES = st.dictionaries(PATHS, st.binary(max_size=1500), max_size=5)
STYLES: st.SearchStrategy[Literal[1, 2]] = st.sampled_from([1, 2])


def read(data: bytes, piece_bytes: int = 1 << 20, limit: int = 1 << 30) -> dict[str, bytes]:
    """The usable files of a stream that comes in such pieces."""
    pieces = (data[at : at + piece_bytes] for at in range(0, len(data), piece_bytes))
    reader = TarReader(pieces, limit)
    return {m.path: b"".join(reader.content()) for m in reader.members() if m.usable}


@given(files=FILES, style=STYLES, piece_bytes=st.sampled_from([1, 100, 512, 4096]))
def test_honest_archives_are_read(files: dict[str, bytes], style: Literal[1, 2], piece_bytes: int) -> None:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w", format=style) as tar:
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    assert read(whole.getvalue(), piece_bytes) == {path[2:]: content for path, content in files.items()}


@given(data=st.binary(max_size=3000), size=st.integers(0, 511), value=st.integers(0, 255))
def test_damage_raises_nothing_else(data: bytes, size: int, value: int) -> None:
    info = tarfile.TarInfo("name" * 40)
    info.size = 700
    whole = bytearray(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024) + data)
    whole[size] = value
    for stream in (data, bytes(whole)):
        try:
            read(stream)
        except ArtifactMissing as error:
            assert "tar header" in str(error)


def test_nothing_is_read_beyond_the_limit() -> None:
    with pytest.raises(ArtifactMissing, match="far more than it listed"):
        read(bytes(10_000), 512, limit=5000)
