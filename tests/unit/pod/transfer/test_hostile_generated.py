"""Whatever a pod lists and sends, nothing outside the artifact changes, and nothing unfit is in it."""

from __future__ import annotations

import itertools
import os
import stat
import tarfile
from contextlib import suppress
from pathlib import Path
from typing import Literal

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from runpod_deploy.errors import ArtifactMissing
from runpod_deploy.pod.transfer.listing import NO_SUMS
from runpod_deploy.pod.transfer.screening import RESERVED
from tests.unit.pod.transfer.hostile import Row, Scene, archive, listing, member

NAMES = st.sampled_from(["a", "A", "b", "ssh", "config", "é", "e\u0301", "new\nline", "-x"]) | st.sampled_from(
    ["..", ".", "", ".git", "events.jsonl", "Events.JSONL", "x" * 300, f"{RESERVED}0", "files", "\udcff", "\x1b[2J"]
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join) | st.sampled_from(["/etc/passwd", "../../secret/file"])
TARGETS = PATHS | st.sampled_from(["..", "../..", "/", ".", "a/../..", "../../secret", "a/b", "x" * 5000, ""])
NUMBERS = st.sampled_from([0, 1, 4, 4, 1500, 1500, 1500, 9 << 20, -1, 10**30, "", "nan", "1e9"])
ROWS = st.builds(
    Row,
    path=PATHS,
    kind=st.sampled_from("fffdddllpbsx"),
    size=NUMBERS,
    mode=st.sampled_from(["644", "755", "6777", "6755", "1777", "7777", "0", "77777777", "rw-"]),
    mtime=st.sampled_from([0, 1_000_000_000, -5, "1.5", 10**25, "-inf"]),
    target=TARGETS,
)
TYPES = [tarfile.REGTYPE] * 4 + [tarfile.LNKTYPE] * 2
TYPES += [tarfile.SYMTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE]
TYPES += [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE]
PAX = [b"30 path=../../secret/file\n", b"20 size=99999999999\n", b"30 GNU.sparse.realsize=3000000\n"]
CONTENTS = st.sampled_from([b"", b"evil", b"x" * 1500, b"a\0", *PAX])
SIZES = st.sampled_from([None, None, None, 0, 7, 5000, 3 << 30, 700 << 20])
STYLES: st.SearchStrategy[Literal[1, 2]] = st.sampled_from([1, 2])
"""GNU and pax."""
CHAIN = itertools.count()


@st.composite
def members(draw: st.DrawFn, path: st.SearchStrategy[str]) -> tuple[tarfile.TarInfo, bytes]:
    """One member; its size may lie."""
    info, content = member(draw(path), draw(CONTENTS), type=draw(st.sampled_from(TYPES)), linkname=draw(path)[:90])
    size = draw(SIZES)
    info.size = info.size if size is None else size
    return info, content


@st.composite
def plausible(draw: st.DrawFn) -> list[Row]:
    """Rows that do not contradict themselves, so that more is tried than to read them."""
    tree: dict[str, Row] = {}
    for row in draw(st.lists(ROWS, min_size=1, max_size=12)):
        names = [name[:90] for name in row.path.split("/") if name not in ("", ".", "..")]
        above = ["/".join(names[:depth]) for depth in range(1, len(names))]
        path = "/".join(names)
        if not path or path in tree or any(parent in tree and tree[parent].kind != "d" for parent in above):
            continue
        tree |= {parent: Row(parent, "d") for parent in above if parent not in tree}
        size = row.size if isinstance(row.size, int) else 4
        mtime = row.mtime if row.mtime != "-inf" else 0
        tree[path] = Row(path, row.kind, size, row.mode.replace("rw-", "600"), mtime, row.target[:90])
    return list(tree.values())


@st.composite
def pods(draw: st.DrawFn) -> tuple[list[Row], bytes]:
    """A listing and a stream, which has some of what is listed."""
    rows = draw(plausible() | plausible() | plausible() | st.lists(ROWS, max_size=8))
    listed = st.sampled_from([row.path for row in rows if len(row.path) < 90] or ["a"])
    path = listed | PATHS.map(lambda path: path[:90])
    style = draw(STYLES)
    extra = draw(st.sampled_from([None, 0, 0, 10]))
    files = [] if extra is None else [row for row in rows if row.kind == "f" and row.size in (0, 1, 4, 1500)]
    parts = [archive(member(row.path, b"x" * (int(row.size) + (extra or 0)))) for row in files]
    for info, content in draw(st.lists(members(path), max_size=10)):
        with suppress(ValueError):  # no header of that style can say that
            parts.append(archive((info, content), style=style))
    cut = draw(st.sampled_from([None, None, 700, 1536]))
    return rows, b"".join(parts)[:cut] + (b"" if cut else bytes(1024))


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    pod=pods(),
    kind=st.sampled_from("dddddddf"),
    shape=st.sampled_from(["contents", "new", "into", "run", "contents", "new", "into", "run", "file"]),
    summed=st.booleans(),
    more=st.fixed_dictionaries({"trusting": st.booleans(), "delete": st.booleans()}),
)
def test_nothing_outside_the_artifact_changes(
    tmp_path: Path, pod: tuple[list[Row], bytes], kind: str, shape: str, summed: bool, more: dict[str, bool]
) -> None:
    rows, stream = pod
    (tmp_path / str(number := next(CHAIN))).mkdir()
    scene = Scene(tmp_path / str(number))
    remote, local = laid_out(scene, shape)
    own = (scene.run_dir / "ssh", scene.run_dir / "events.jsonl", scene.root / "project" / "job.yaml")
    kept = [path.read_bytes() for path in (own[0] / "config", own[1], own[2])]
    before = scene.around()
    try:
        moved = scene.pull(
            listing(rows, kind=kind),
            stream,
            sums=NO_SUMS.encode() if summed else b"",
            remote_path=remote,
            local_path=local,
            protected=own,
            into=shape == "into",
            **more,
        )
    except (ArtifactMissing, OSError) as error:
        assert not isinstance(error.__cause__, RecursionError | OverflowError | UnicodeError)
        event(f"{type(error).__name__} {str(error)[-30:] if 'makes no sense' not in str(error) else 'makes no sense'}")
        after = {name: what for name, what in scene.around().items() if RESERVED not in name}
    else:
        event(f"pulled, refused {len(moved.refused) if moved else 0}")
        after = scene.around()
    assert after == before
    assert [path.read_bytes() for path in (own[0] / "config", own[1], own[2])] == kept
    check_inside(scene.place, {row.path: row.size for row in rows if isinstance(row.size, int)})


def laid_out(scene: Scene, shape: str) -> tuple[str, Path]:
    """The remote and the local path of a shape; the scene knows where the artifact will be."""
    local = scene.place
    if shape == "new":
        local = scene.place = scene.root / "project" / "fresh"
    elif shape == "run":
        local = scene.place = scene.run_dir
    elif shape == "file":
        local = scene.place = scene.place / "one"
    elif shape == "into":
        scene.place = scene.place / "out"
    return ("/workspace/out" if shape in ("into", "file") else "/workspace/out/"), local


def check_inside(place: Path, sizes: dict[str, int]) -> None:
    """Links stay inside, files are plain and no longer than listed."""
    real = os.path.realpath(place)
    for folder, folders, files in os.walk(place):
        assert ".git" not in folders + files
        for path in (Path(folder, name) for name in folders + files):
            found = path.lstat()
            assert stat.S_IFMT(found.st_mode) in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK)
            if path.is_symlink():
                assert (os.path.realpath(path) + "/").startswith(real + "/")
            elif path.is_file():
                assert found.st_mode & 0o7000 == 0
                assert found.st_size <= max(8, sizes.get(str(path.relative_to(place)), 0))
