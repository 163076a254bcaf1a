"""A pod that lies does nothing outside the artifact, and keeps no honest part of it from coming."""

from __future__ import annotations

import os
import tarfile
import tracemalloc
from pathlib import Path

import pytest

from runpod_deploy.errors import ArtifactMissing
from runpod_deploy.pod.transfer import limits
from runpod_deploy.pod.transfer.values import Moved
from tests.unit.pod.transfer.hostile import MTIME, Row, Scene, archive, listing, member, sent, sums

GOOD = {"good": b"good"}


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def pulled(scene: Scene, rows: list[Row], files: dict[str, bytes] | None = None, **more: object) -> Moved:
    """The result of a pull of these rows and a good file, which has arrived; nothing else outside has changed."""
    before = scene.around()
    wanted = {**GOOD, **(files or {})}
    moved = scene.pull(listing([Row("good", size=4), *rows]), sent(wanted), **more)
    assert moved is not None
    assert (scene.place / "good").read_bytes() == b"good"
    assert (scene.place / "mine").read_bytes() == b"mine"
    assert scene.around() == before
    return moved


def refused(scene: Scene, rows: list[Row], match: str) -> None:
    """The listing is refused as a whole, and nothing anywhere has changed."""
    before = scene.around(), scene.around(scene.root / "home")
    with pytest.raises(ArtifactMissing, match=match):
        scene.pull(listing(rows))
    assert (scene.around(), scene.around(scene.root / "home")) == before


@pytest.mark.parametrize("new", [False, True])
@pytest.mark.parametrize("target", ["../../home/.ssh", "/", "."])
def test_nothing_is_written_through_a_link(scene: Scene, target: str, new: bool) -> None:
    rows = [Row("d", "l", target=target), Row("d/authorized_keys", size=4)]
    if new:
        (scene.place / "mine").unlink()
        scene.place.rmdir()
    before = scene.around()
    with pytest.raises(ArtifactMissing, match="'d/authorized_keys' is below what is no folder"):
        scene.pull(listing(rows), sent({"d/authorized_keys": b"evil"}))
    assert scene.around() == before


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ([Row("a"), Row("a")], "'a' is there twice"),
        ([Row("a", "d"), Row("a", "l", target="mine")], "'a' is there twice"),
        ([Row("a", "p"), Row("a")], "'a' is there twice"),
        ([Row("a"), Row("a/b")], "'a/b' is below what is no folder"),
        ([Row("a/b")], "'a/b' is below what is no folder"),
        ([Row("../a")], r"impossible entry '\.\./a'"),
        ([Row("a", "d"), Row("a/../../b")], "impossible entry"),
        ([Row("/etc/passwd")], "impossible entry '/etc/passwd'"),
        ([Row("a//b")], "impossible entry"),
        ([Row(".")], "impossible entry"),
        ([Row("")], "impossible entry ''"),
        ([Row("x" * 256)], "impossible entry 'xxx"),
        ([Row("ü" * 200)], "impossible entry 'üüü"),
        ([Row("/".join("d" * 300))], "impossible entry"),
        ([Row("/".join(["d" * 200] * 30))], "impossible entry"),
        ([Row("a", "l", target="x" * 5000)], "impossible entry"),
        ([Row("a", size="many")], "no number in the entry of 'a'"),
        ([Row("a", mode="rwx")], "no number"),
        ([Row("a", mtime="9" * 5000)], "impossible entry"),
        ([Row("a", mtime="nan")], "no number"),
    ],
)
def test_a_listing_that_contradicts_itself_is_refused_as_a_whole(scene: Scene, rows: list[Row], match: str) -> None:
    refused(scene, rows, match)


def test_a_listing_of_nonsense_is_refused(scene: Scene) -> None:
    for kind in ("x", "", "d\nd"):
        with pytest.raises(ArtifactMissing, match="makes no sense"):
            scene.pull(listing([], kind=kind))


@pytest.mark.parametrize(
    "rows", [[Row("a", "d"), Row("a/b")], [Row("a"), Row("b")], [Row("a", "l", target="b")], [Row("a", size=-1)]]
)
def test_a_file_is_one_file(scene: Scene, rows: list[Row]) -> None:
    before = scene.around()
    with pytest.raises(ArtifactMissing, match="makes no sense"):
        scene.pull(listing(rows, kind="f"), remote_path="/workspace/out", local_path=scene.place / "f")
    assert scene.around() == before


def test_temporary_folders_cannot_be_guessed(scene: Scene) -> None:
    """A link of an earlier artifact, named like the folder in which files wait, once got its target wiped."""
    below = scene.place / "sub" / "b"
    below.parent.mkdir()
    for name in (".b.incoming", "b.incoming"):
        (below.parent / name).symlink_to(scene.root / "secret")
    before = scene.around()
    scene.pull(listing([Row("good", size=4)]), sent(GOOD), local_path=below)
    assert scene.around() == before
    assert (below / "good").read_bytes() == b"good"


def test_names_of_temporary_folders_are_reserved(scene: Scene) -> None:
    name = ".Runpod-Deploy-Incoming-0123"
    moved = pulled(scene, [Row(name, "d"), Row(f"{name}/files", "d"), Row("x", "l", target=name)])
    assert moved.refused == (name, "x")
    assert not (scene.place / name).exists()


def test_links_lead_inside_or_are_not_created(scene: Scene) -> None:
    inside = {
        "plain": "good",
        "deep/up": "../good",
        "deep/still": "a/b",
        "loose": "not/yet",
        "late": "good/../../out/good",
        "again": "/workspace/out/good",
        "top": ".",
        "by": "plain",
    }
    outside = {
        "above": "..",
        "deep/above": "../../secret",
        "climbing": "deep/../../secret",
        "hidden": "not/../..",
        "second": "above/secret",
        "round": "round",
        "git": ".git/config",
        "empty": "",
    }
    links = [Row(name, "l", target=target) for name, target in (inside | outside).items()]
    files = dict.fromkeys(("deep/a/b", "climbing", "hidden"), b"")
    left_out = Row("loose", target="/workspace/out/not/yet")
    ends = [Row(".", "d", target="/workspace/out"), left_out]
    ends += [Row(name, target="/workspace/out/good") for name in ("late", "again")]
    ends += [Row(name, target="/secret/file") for name in ("climbing", "hidden")]
    moved = pulled(scene, [Row("deep", "d"), Row("deep/a", "d"), Row("deep/a/b"), *links], files, ends=ends)
    assert set(moved.unresolved) == set(outside) - {"climbing", "hidden"}
    inside |= {"late": "good", "again": "good"}
    assert {name: str((scene.place / name).readlink()) for name in inside} == inside
    assert not any(os.path.lexists(scene.place / name) for name in moved.unresolved)
    assert not any((scene.place / name).is_symlink() for name in ("climbing", "hidden"))


def test_no_link_leads_through_a_link_of_the_users(scene: Scene) -> None:
    (scene.place / "big").symlink_to(scene.root / "secret")
    ends = [Row(".", "d", target="/workspace/out"), Row("x", target="/workspace/out/big/file")]
    moved = pulled(scene, [Row("x", "l", target="big/file")], ends=ends)
    assert moved.refused == ("x",)


def test_a_link_of_the_users_is_replaced_and_not_followed(scene: Scene) -> None:
    (scene.place / "d").symlink_to(scene.root / "secret")
    (scene.place / "f").symlink_to(scene.root / "secret" / "file")
    pulled(scene, [Row("d", "d"), Row("d/file", size=1), Row("f", size=1)], {"d/file": b"x", "f": b"y"})
    assert (scene.place / "d" / "file").read_bytes() == b"x"
    assert not (scene.place / "f").is_symlink()


def test_the_runs_own_files_stay_and_the_rest_comes(scene: Scene) -> None:
    scene.place, run = scene.run_dir, scene.run_dir
    (run / "mine").write_text("mine")
    before = {name: (run / name).read_bytes() for name in ("ssh/config", "events.jsonl")}
    rows = [
        Row("ssh", "d"),
        Row("ssh/config", size=4),
        Row("Events.jsonl", size=4),
        Row("spec.json", "l", target="good"),
        Row("key", "l", target="ssh/config"),
        Row("state", "l", target="."),
    ]
    own = (run / "ssh", run / "events.jsonl", run / "spec.json", run / "state" / "file")
    files = {"ssh/config": b"evil", "Events.jsonl": b"evil"}
    moved = pulled(scene, rows, files, protected=own)
    assert set(moved.refused) == {"ssh", "Events.jsonl", "spec.json", "key", "state"}
    assert {name: (run / name).read_bytes() for name in before} == before


@pytest.mark.parametrize("name", ["run/ssh", "run/ssh/deeper", "run/events.jsonl", ".git", "results/.GIT/x"])
def test_no_artifact_goes_to_a_protected_place(scene: Scene, name: str) -> None:
    scene.place = scene.root / "project" / name
    own = (scene.run_dir / "ssh", scene.run_dir / "events.jsonl")
    before = scene.around(scene.root / "home")
    for kind, remote in (("d", "/workspace/out/"), ("f", "/workspace/out")):
        with pytest.raises(ArtifactMissing, match="local_path"):
            scene.pull(listing([Row("good", size=4)], kind=kind), sent(GOOD), protected=own, remote_path=remote)
    assert scene.around(scene.root / "home") == before


@pytest.mark.parametrize("git", [".git", ".GIT", ".g\u200cit", "git~1"])
def test_no_repository_is_touched(scene: Scene, git: str) -> None:
    rows = [Row("sub", "d"), Row(f"sub/{git}", "d"), Row(f"sub/{git}/config", size=4), Row(git, size=4)]
    moved = pulled(scene, rows, {f"sub/{git}/config": b"evil", git: b"evil"})
    assert moved.refused == (f"sub/{git}", git)
    assert list((scene.place / "sub").iterdir()) == []


def test_delete_spares_protected_places_and_repositories(scene: Scene) -> None:
    (scene.place / ".git").mkdir()
    (scene.place / ".git" / "config").write_text("mine")
    (scene.place / "own").write_text("own")
    (scene.place / "old").write_text("old")
    (scene.place / "out").symlink_to(scene.root / "secret")
    moved = scene.pull(
        listing([Row("good", size=4), Row("mine", "l", target="/")]),
        sent(GOOD),
        delete=True,
        protected=(scene.place / "own",),
        ends=[Row("mine", "d", target="/")],
    )
    assert moved is not None and moved.refused == ("mine",)
    names = {path.name for path in scene.place.iterdir()}
    assert names == {"good", "mine", "own", ".git"}
    assert (scene.place / ".git" / "config").exists() and (scene.root / "secret" / "file").exists()


def test_no_link_lies_where_another_artifact_goes(scene: Scene) -> None:
    other = scene.place / "models" / "best"
    rows = [Row("models", "l", target="good"), Row("Models", "d"), Row("Models/best", "l", target="../good")]
    moved = pulled(scene, [*rows, Row("x", "l", target="good")], other_artifacts=(other,))
    assert set(moved.refused) == {"models", "Models/best"}
    moved = pulled(
        scene, [Row("models", "d"), Row("models/best", size=1)], {"models/best": b"x"}, other_artifacts=(other,)
    )
    assert moved.refused == () and other.read_bytes() == b"x"


def test_modes_and_times_are_those_of_plain_files(scene: Scene) -> None:
    rows = [
        Row("setuid", size=1, mode="6755"),
        Row("odd", size=1, mode="77777777755"),
        Row("sticky", "d", mode="1777"),
        Row("late", size=1, mtime=10**30),
        Row("early", size=1, mtime=-(10**30)),
    ]
    moved = pulled(scene, rows, dict.fromkeys(("setuid", "odd", "late", "early"), b"x"))
    assert moved.refused == ()
    assert [(scene.place / name).stat().st_mode & 0o7777 for name in ("setuid", "odd")] == [0o755, 0o755]
    assert (scene.place / "sticky").stat().st_mode & 0o7000 == 0


@pytest.mark.parametrize("size", [-1, 1 << 62, 10**40])
def test_a_file_of_an_impossible_size_does_not_keep_the_others(scene: Scene, size: int) -> None:
    assert pulled(scene, [Row("odd", size=size)], {"odd": b"x"}).refused == ("odd",)


def test_a_file_is_no_longer_than_listed(scene: Scene) -> None:
    with pytest.raises(ArtifactMissing, match="'long' could not be had"):
        scene.pull(listing([Row("long", size=3)]), sent({"long": b"x" * 100_000}), sums=sums({"long": b"x" * 100_000}))
    assert not (scene.place / "long").exists()
    scene.pull(listing([Row("long", size=3)]), sent({"long": b"x" * 100_000}))
    assert (scene.place / "long").read_bytes() == b"xxx"


def sparse(path: str, size: int) -> bytes:
    """The header of a sparse file in GNU's old format: so large, with nothing in it."""
    info = tarfile.TarInfo(path)
    info.type = tarfile.GNUTYPE_SPARSE
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[386:410] = b"%011o\0%011o\0" % (size, 0)
    block[483:495] = b"%011o\0" % size
    block[148:156] = b"%06o\0 " % (sum(block) - sum(block[148:156]) + 256)
    return bytes(block)


@pytest.mark.parametrize(
    "stream",
    [
        sparse("f", 3 << 30) + sent(GOOD),
        archive(
            member("f", pax_headers={"GNU.sparse.major": "0", "GNU.sparse.size": str(3 << 30)}),
            member("good", b"good"),
            style=tarfile.PAX_FORMAT,
        ),
        archive(member("f", type=tarfile.CHRTYPE), member("good", b"good")),
        archive(member("f", type=tarfile.SYMTYPE, linkname="/etc/passwd"), member("good", b"good")),
        archive(member("f", type=tarfile.LNKTYPE, linkname="/etc/passwd"), member("good", b"good")),
        archive(member("good", b"good"), member("f", type=tarfile.LNKTYPE, linkname="good")),
        archive(member("f", size=1 << 40), member("good", b"good")),
    ],
    ids=["sparse", "pax-sparse", "device", "link", "hard-link-out", "hard-link-longer", "endless"],
)
def test_what_is_no_plain_file_does_not_arrive(scene: Scene, stream: bytes) -> None:
    before = scene.around()
    with pytest.raises(ArtifactMissing, match="could not be had as on the pod"):
        scene.pull(listing([Row("good", size=4), Row("f", size=1500)]), stream)
    assert not os.path.lexists(scene.place / "f")
    assert {name for name in scene.around() if "incoming" not in name} == {*before}


@pytest.mark.parametrize(
    ("stream", "match"),
    [
        (archive(member("x", type=tarfile.XHDTYPE, size=700 << 20)), "tar header of 734003200 bytes"),
        (archive(member("x", type=tarfile.XGLTYPE, size=700 << 20)), "tar header of"),
        (archive(member("x", type=tarfile.GNUTYPE_LONGNAME, size=700 << 20)), "tar header of"),
        (archive(member("x", type=tarfile.GNUTYPE_LONGLINK, size=700 << 20)), "tar header of"),
    ],
)
def test_no_header_is_read_beyond_its_limit(scene: Scene, stream: bytes, match: str) -> None:
    with pytest.raises(ArtifactMissing, match=match):
        scene.pull(listing([Row("f", size=1)]), stream)


def test_headers_of_headers_without_end(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runpod_deploy.pod.transfer.unpack.GROWTH_BYTES", 1 << 20)
    one = archive(member("x", b"long\0", type=tarfile.GNUTYPE_LONGNAME))[:1024]
    with pytest.raises(ArtifactMissing, match="far more than it listed"):
        scene.pull(listing([Row("f", size=1)]), one * 5000)


def test_an_archive_without_end_is_dropped(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runpod_deploy.pod.transfer.unpack.GROWTH_BYTES", 1 << 20)
    for endless in (bytes(4 << 20), archive(member("other", bytes(4 << 20)))):
        with pytest.raises(ArtifactMissing, match="far more than it listed"):
            scene.pull(listing([Row("f", size=1)]), endless)


def test_a_file_that_comes_twice_comes_once(scene: Scene) -> None:
    stream = archive(member("good", b"good"), *(member("good", b"evil") for _ in range(9)))
    moved = scene.pull(listing([Row("good", size=4)]), stream)
    assert moved is not None and moved.bytes_transferred == 4
    assert (scene.place / "good").read_bytes() == b"good"


def test_a_listing_has_an_end(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runpod_deploy.pod.transfer.listing.MAX_ENTRIES", 100)
    rows = [Row(str(number)) for number in range(101)]
    refused(scene, rows, "more than 100 entries")
    monkeypatch.setattr("runpod_deploy.pod.transfer.pull.LISTING_BYTES", 1000)
    refused(scene, rows, "more than 1000 bytes of file names")


def test_checksums_have_an_end(scene: Scene) -> None:
    with pytest.raises(ArtifactMissing, match="bytes of checksums"):
        scene.pull(listing([Row("good", size=4)]), sent(GOOD), sums=bytes(1 << 20))


def test_memory_stays_flat(scene: Scene) -> None:
    stream = archive(member("big", bytes(64 << 20)))
    tracemalloc.start()
    try:
        scene.pull(listing([Row("big", size=64 << 20)]), stream)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert (scene.place / "big").stat().st_size == 64 << 20


def test_names_in_messages_are_harmless() -> None:
    assert limits.shown("a\x1b[2Jb\n") == r"'a\x1b[2Jb\n'"
    assert len(limits.shown("x" * 10_000)) <= limits.SHOWN_CHARS + 1


def test_times_are_kept(scene: Scene) -> None:
    pulled(scene, [])
    assert (scene.place / "good").stat().st_mtime == MTIME
