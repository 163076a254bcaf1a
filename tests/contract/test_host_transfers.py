"""The promises of the `Host` protocol for transfers: equal results with rsync and tar on every SSH server."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runpod_deploy.errors import ArtifactMissing, StagingFailed
from runpod_deploy.pod.openssh import PodHost
from runpod_deploy.pod.transfer.values import Moved, Progress, Pull, Push
from tests.contract.hosts import SETUPS, Ground, cable, ground

AWKWARD = (
    "with space",
    "new\nline",
    "quote'\"s",
    "-dash",
    "--",
    "ünï☃",
    "back\\slash",
    "*?[x]",
    "$HOME `id`",
    " lead",
    "trail ",
    "a:b",
    "#hash",
    ";semi",
    "end",
    "tab\tcr\rnl\n",
    "\x1b[2J\x07\x7f",
    "f 644 1 2 x",
    os.fsdecode(b"not utf-8 \xff"),
)


@pytest.fixture(params=SETUPS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    with ground(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def host(place: Ground) -> PodHost:
    return place.host()


def fill(root: Path) -> Path:
    """A folder with every kind of file."""
    (root / "sub" / "deep").mkdir(parents=True)
    (root / "empty").mkdir()
    (root / "a.txt").write_text("a")
    (root / "sub" / "b.py").write_text("print(1)")
    (root / "sub" / "deep" / "c.bin").write_bytes(os.urandom(200_000))
    (root / "sub" / "run.sh").write_text("#!/bin/sh")
    (root / "sub" / "run.sh").chmod(0o750)
    (root / "zero").touch()
    (root / "link").symlink_to("sub/b.py")
    (root / "broken").symlink_to("/nowhere/at all")
    for name in AWKWARD:
        (root / name).mkdir()
        (root / name / name).write_bytes(os.fsencode(name))
    os.utime(root / "a.txt", (1_000_000_000, 1_000_000_000))
    return root


def contents(root: Path) -> dict[str, tuple[object, ...]]:
    """The facts of each path below a folder."""
    return {str(path.relative_to(root)): facts(path) for path in root.rglob("*")}


def contents_without_link(root: Path) -> dict[str, tuple[object, ...]]:
    """The contents of a folder made by `fill`, without the link that leads out of it."""
    return {name: found for name, found in contents(root).items() if name != "broken"}


def facts(path: Path) -> tuple[object, ...]:
    """Type, mode, time and bytes of one path."""
    if path.is_symlink():
        return ("link", str(path.readlink()))
    mode = path.stat().st_mode & 0o777
    if path.is_dir():
        return ("folder", mode)
    return ("file", mode, int(path.stat().st_mtime), path.read_bytes())


def push(host: PodHost, source: Path, destination: Path | str, **more: object) -> Moved:
    arguments: dict[str, object] = {"label": "x", "source": source, "contents": True, "destination": str(destination)}
    return host.push(Push(**{**arguments, **more}))  # type: ignore[arg-type]


def pull(host: PodHost, remote: Path | str, local: Path, **more: object) -> Moved | None:
    arguments: dict[str, object] = {"label": "x", "remote_path": str(remote), "local_path": local}
    return host.pull(Pull(**{**arguments, **more}))  # type: ignore[arg-type]


def test_a_pushed_folder_equals_the_local_one(host: PodHost, place: Ground) -> None:
    source = fill(place.local / "src")
    target = place.remote / "not there" / "dst"
    moved = push(host, source, target)
    assert contents(target) == contents(source)
    assert moved.files == len(AWKWARD) + 5
    assert moved.bytes_transferred == moved.bytes_total
    again = push(host, source, target)
    assert (again.files, again.bytes_transferred) == (moved.files, 0)


def test_only_changed_files_are_sent_and_extra_ones_removed(host: PodHost, place: Ground) -> None:
    source, target = fill(place.local / "src"), place.remote / "dst"
    push(host, source, target)
    (source / "a.txt").write_text("changed")
    (source / "sub" / "run.sh").chmod(0o700)
    shutil.rmtree(source / "empty")
    (source / "sub" / "b.py").unlink()
    (source / "link").unlink()
    (source / "link").symlink_to("elsewhere")
    (target / "extra" / "deep").mkdir(parents=True)
    (target / "extra" / "deep" / "f").touch()
    moved = push(host, source, target)
    assert contents(target) == contents(source)
    assert moved.bytes_transferred < 100


def test_what_changes_its_kind_is_replaced(host: PodHost, place: Ground) -> None:
    source, target = place.local / "src", place.remote / "dst"
    for root, kinds in ((source, "fdlfdl"), (target, "dlffld")):
        root.mkdir()
        for number, kind in enumerate(kinds):
            path = root / str(number)
            if kind == "f":
                path.write_text("f")
            elif kind == "l":
                path.symlink_to(place.local)
            else:
                path.mkdir()
                (path / "in").write_text("x")
    push(host, source, target)
    assert contents(target) == contents(source)


def test_without_delete_the_rest_stays(host: PodHost, place: Ground) -> None:
    source, target = fill(place.local / "src"), place.remote / "dst"
    target.mkdir()
    (target / "own").write_text("own")
    push(host, source, target, delete=False)
    assert contents(target) == {**contents(source), "own": facts(target / "own")}


def test_what_the_tool_and_the_secrets_need_is_never_deleted(host: PodHost, place: Ground) -> None:
    source, target = fill(place.local / "src"), place.remote / "volume"
    (source / ".runpod-deploy" / "run").mkdir(parents=True)
    (source / ".runpod-deploy" / "run" / "guard.sh").write_text("forged")
    own = {".runpod-deploy/run/guard.sh": "guard", "sub/.runpod-deploy/x": "x", "keys/.env": "secret"}
    for name, text in {**own, "models/big": "b" * 100, "models/small": "s"}.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(text)
    moved = push(host, source, target, kept=(f"{target}/keys/.env",))
    assert {name: (target / name).read_text() for name in own} == own
    assert not (target / "models").exists()
    assert (moved.removed, moved.removed_bytes) == (2, 101)
    assert moved.removed_largest == ("'models/big' (100 bytes)", "'models/small' (1 bytes)")
    again = push(host, source, target, kept=(f"{target}/keys/.env",))
    assert (again.removed, again.bytes_transferred) == (0, 0)


def test_a_folder_without_a_slash_arrives_under_its_name(host: PodHost, place: Ground) -> None:
    source, target = fill(place.local / "my src"), place.remote / "dst"
    (target / "other").mkdir(parents=True)
    push(host, source, target, contents=False)
    assert contents(target / "my src") == contents(source)
    assert (target / "other").is_dir(), "other folders beside it stay"


def test_a_file_goes_to_a_path_or_into_a_folder(host: PodHost, place: Ground) -> None:
    source = place.local / "data file"
    source.write_text("data")
    push(host, source, place.remote / "new" / "name", contents=False)
    push(host, source, f"{place.remote}/into/", contents=False)
    push(host, source, place.remote / "into", contents=False)
    push(host, source, place.remote / "new" / "data file", contents=False)
    names = sorted(str(path.relative_to(place.remote)) for path in place.remote.rglob("*") if path.is_file())
    assert names == ["into/data file", "new/data file", "new/name"]
    assert facts(place.remote / "new" / "name") == facts(source)


def test_excluded_files_are_neither_sent_nor_removed(host: PodHost, place: Ground) -> None:
    source, target = fill(place.local / "src"), place.remote / "dst"
    for root in (source, target):
        (root / ".git").mkdir(parents=True)
        (root / ".git" / "config").write_text(root.name)
        (root / "x.pyc").write_text(root.name)
    (target / "gone" / "__pycache__").mkdir(parents=True)
    (target / "gone" / "__pycache__" / "m").touch()
    push(host, source, target, excludes=(".git/", "*.pyc", "**/__pycache__/", "/sub/deep"), ignored=("a.txt", "empty"))
    assert (target / ".git" / "config").read_text() == "dst"
    assert (target / "x.pyc").read_text() == "dst"
    assert (target / "gone" / "__pycache__" / "m").exists(), "protected with the folder that holds it"
    assert not any((target / name).exists() for name in ("a.txt", "empty", "sub/deep"))
    assert (target / "sub" / "b.py").exists()


def test_an_anchored_pattern_of_a_named_folder_names_the_folder(host: PodHost, place: Ground) -> None:
    source = fill(place.local / "src")
    push(host, source, place.remote, contents=False, excludes=("/src/a.txt", "/zero"))
    assert not (place.remote / "src" / "a.txt").exists()
    assert (place.remote / "src" / "zero").exists()


def test_a_missing_source_and_a_blocked_target_are_errors(host: PodHost, place: Ground) -> None:
    with pytest.raises(StagingFailed, match="neither a file nor a folder"):
        push(host, place.local / "none", place.remote / "x")
    (place.remote / "file").write_text("")
    with pytest.raises(StagingFailed):
        push(host, fill(place.local / "src"), place.remote / "file" / "below")


def test_progress_counts_the_files_and_bytes_that_have_to_move(host: PodHost, place: Ground) -> None:
    (place.local / "src").mkdir()
    (place.local / "src" / "big").write_bytes(os.urandom(30_000_000))
    (place.local / "src" / "small").write_bytes(b"small")
    whole = Progress(2, 30_000_005, 2, 30_000_005)
    up = Push(label="x", source=place.local / "src", contents=True, destination=f"{place.remote}/dst")
    down = Pull(label="x", remote_path=f"{place.remote}/dst/", local_path=place.local / "back")
    for way in (up, down):
        seen: list[Progress] = []
        moved = host.push(way, seen.append) if isinstance(way, Push) else host.pull(way, seen.append)
        assert moved is not None and moved.bytes_transferred == whole.bytes
        assert seen[0] == Progress(0, 0, 2, whole.bytes), "the total is known first"
        assert seen[-1] == whole and len(seen) > 10
        assert [now.bytes for now in seen] == sorted(now.bytes for now in seen)


def test_a_pulled_folder_equals_the_remote_one(host: PodHost, place: Ground) -> None:
    source = fill(place.remote / "out")
    moved = pull(host, f"{source}/", place.local / "results")
    assert moved is not None
    assert contents(place.local / "results") == contents_without_link(source)
    assert (moved.refused, moved.unresolved) == ((), ("broken",))
    again = pull(host, f"{source}/", place.local / "results")
    assert again is not None
    assert (again.bytes_transferred, again.sha256) == (0, moved.sha256)
    assert sorted(path.name for path in place.local.iterdir()) == ["results"], "nothing temporary is left"


def test_the_checksum_of_a_pull_is_that_of_its_checksums(host: PodHost, place: Ground) -> None:
    (place.remote / "out").mkdir()
    (place.remote / "out" / "b").write_text("B")
    (place.remote / "out" / "a").write_text("A")
    moved = pull(host, place.remote / "out", place.local)
    rows = "".join(f"{hashlib.sha256(text.encode()).hexdigest()}  {text.lower()}\n" for text in "AB")
    assert moved == Moved(files=2, bytes_total=2, bytes_transferred=2, sha256=hashlib.sha256(rows.encode()).hexdigest())


def test_where_a_pull_lands(host: PodHost, place: Ground) -> None:
    (place.remote / "out").mkdir()
    (place.remote / "out" / "f").write_text("f")
    pull(host, place.remote / "out", place.local / "a")
    pull(host, f"{place.remote}/out/", place.local / "b")
    pull(host, place.remote / "out" / "f", place.local / "c" / "name")
    pull(host, place.remote / "out" / "f", place.local / "d", into=True)
    (place.local / "e").mkdir()
    pull(host, place.remote / "out" / "f", place.local / "e")
    names = sorted(str(path.relative_to(place.local)) for path in place.local.rglob("*") if path.is_file())
    assert names == ["a/out/f", "b/f", "c/name", "d/f", "e/f"]


def test_a_pull_of_a_missing_path_is_none(host: PodHost, place: Ground) -> None:
    assert pull(host, place.remote / "none", place.local / "x") is None
    assert pull(host, f"{place.remote}/none/", place.local / "x") is None
    assert not (place.local / "x").exists()


def test_an_empty_folder_and_an_empty_file_are_pulled(host: PodHost, place: Ground) -> None:
    (place.remote / "out").mkdir()
    (place.remote / "zero").touch()
    assert pull(host, f"{place.remote}/out/", place.local / "out") is not None
    assert pull(host, place.remote / "zero", place.local / "zero") is not None
    assert (place.local / "out").is_dir()
    assert (place.local / "zero").read_bytes() == b""


def test_local_files_stay_unless_delete_is_asked_for(host: PodHost, place: Ground) -> None:
    source, target = fill(place.remote / "out"), place.local / "results"
    target.mkdir()
    (target / "mine").write_text("mine")
    (target / "left.log").write_text("left out")
    (place.local / "beside").write_text("beside")
    pull(host, f"{source}/", target)
    assert (target / "mine").read_text() == "mine"
    pull(host, f"{source}/", target, delete=True, excludes=("*.log",))
    assert contents(target) == {**contents_without_link(source), "left.log": facts(target / "left.log")}
    assert (place.local / "beside").exists()


def test_a_deletion_spares_the_other_artifacts(host: PodHost, place: Ground) -> None:
    source, target = fill(place.remote / "out"), place.local / "results"
    for name in ("mine/deep/x", "beside.txt", "stale/y"):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text("x")
    others = (target / "mine", target / "beside.txt")
    pull(host, f"{source}/", target, delete=True, other_artifacts=others)
    assert (target / "mine/deep/x").exists() and (target / "beside.txt").exists()
    assert not (target / "stale").exists()


def test_a_file_that_differs_only_in_its_bytes_is_pulled(host: PodHost, place: Ground) -> None:
    source, target = place.remote / "out", place.local / "results"
    for root, text in ((source, "right"), (target, "wrong")):
        root.mkdir()
        (root / "f").write_text(text)
        os.utime(root / "f", (1_000_000_000, 1_000_000_000))
    pull(host, f"{source}/", target)
    assert (target / "f").read_text() == "right"


def test_a_folder_in_the_way_is_not_removed(host: PodHost, place: Ground) -> None:
    (place.remote / "out").mkdir()
    (place.remote / "out" / "f").write_text("file")
    (place.local / "results" / "f").mkdir(parents=True)
    with pytest.raises(ArtifactMissing, match="is a folder here"):
        pull(host, f"{place.remote}/out/", place.local / "results")


def test_a_link_on_the_pod_leads_nowhere_outside(host: PodHost, place: Ground) -> None:
    (place.local / "secret").mkdir()
    (place.local / "results").mkdir()
    (place.local / "results" / "d").symlink_to(place.local / "secret")
    (place.remote / "out" / "d").mkdir(parents=True)
    (place.remote / "out" / "d" / "f").write_text("x")
    pull(host, f"{place.remote}/out/", place.local / "results")
    assert list((place.local / "secret").iterdir()) == []
    assert (place.local / "results" / "d" / "f").read_text() == "x"


def test_hard_links_arrive_as_files(host: PodHost, place: Ground) -> None:
    (place.remote / "out").mkdir()
    (place.remote / "out" / "a").write_text("same")
    os.link(place.remote / "out" / "a", place.remote / "out" / "b")
    pull(host, f"{place.remote}/out/", place.local / "results")
    assert (place.local / "results" / "b").read_text() == "same"


def test_a_push_continues_after_a_lost_connection(place: Ground) -> None:
    source = place.local / "src"
    source.mkdir()
    for number in range(30):
        (source / str(number)).write_bytes(os.urandom(300_000))
    with cable(place.address) as line:
        host = place.host(line.address)
        line.cut_after = 5_000_000
        push(host, source, place.remote / "dst")
        assert line.cuts == 1
    assert contents(place.remote / "dst") == contents(source)


def test_a_pull_continues_after_a_lost_connection(place: Ground) -> None:
    source = place.remote / "out"
    source.mkdir()
    for number in range(30):
        (source / str(number)).write_bytes(os.urandom(300_000))
    with cable(place.address) as line:
        host = place.host(line.address)
        line.cut_after = 5_000_000
        pull(host, f"{source}/", place.local / "results")
        assert line.cuts == 1
    assert contents(place.local / "results") == contents(source)


@pytest.mark.parametrize("direction", ["push", "pull"])
def test_a_large_file_continues_in_its_middle(place: Ground, direction: str) -> None:
    source = (place.local if direction == "push" else place.remote) / "src"
    target = (place.remote if direction == "push" else place.local) / "dst"
    source.mkdir()
    (source / "check point").write_bytes(os.urandom(40_000_000))
    (source / "small").write_text("small")
    with cable(place.address) as line:
        host = place.host(line.address)
        line.cut_after = 25_000_000
        push(host, source, target) if direction == "push" else pull(host, f"{source}/", target)
        assert line.cuts == 1
        assert line.carried < 55_000_000, "the first part was not sent again"
    assert contents(target) == contents(source)


@pytest.mark.parametrize("direction", ["push", "pull"])
def test_a_large_file_that_was_replaced_arrives_as_the_new_one(place: Ground, host: PodHost, direction: str) -> None:
    source = (place.local if direction == "push" else place.remote) / "src"
    target = (place.remote if direction == "push" else place.local) / "dst"
    begins, ends = os.urandom(9_000_000), os.urandom(2_000_000)
    for root in (source, target):
        root.mkdir()
        for name in ("grown", "rewritten", "shorter", "touched"):
            (root / name).write_bytes(begins)
            os.utime(root / name, (1_000_000_000, 1_000_000_000))
    (source / "grown").write_bytes(begins + ends)
    (source / "rewritten").write_bytes(ends + begins)
    (source / "shorter").write_bytes(begins[:-100_000])
    (source / "touched").touch()
    push(host, source, target) if direction == "push" else pull(host, f"{source}/", target)
    assert contents(target) == contents(source)


def test_a_source_that_changes_during_a_push(host: PodHost, place: Ground) -> None:
    source, target = place.local / "src", place.remote / "dst"
    source.mkdir()
    for name in ("gone", "grown", "shrunk", "stays"):
        (source / name).write_text("as it was")

    def change(now: Progress) -> None:
        if now.files == 0 and (source / "gone").exists():
            (source / "gone").unlink()
            (source / "grown").write_text("longer than it was")
            (source / "shrunk").write_text("short")

    arguments = Push(label="x", source=source, contents=True, destination=str(target))
    host.push(arguments, change)
    assert contents(target) == contents(source)


def test_an_unreadable_source_is_an_error(host: PodHost, place: Ground) -> None:
    source = place.local / "src"
    source.mkdir()
    (source / "file").write_text("file")

    def change(now: Progress) -> None:
        (source / "file").unlink()
        (source / "file").mkdir()

    with pytest.raises(StagingFailed, match=r"cannot read .*src.*: Is a directory"):
        host.push(Push(label="x", source=source, contents=True, destination=str(place.remote / "dst")), change)


def test_a_file_that_vanishes_during_a_pull_does_not_stop_the_others(host: PodHost, place: Ground) -> None:
    out = fill(place.remote / "out")

    def change(now: Progress) -> None:
        (out / "a.txt").unlink(missing_ok=True)
        if not (out / "new").exists():
            (out / "new").write_text("new")

    assert host.pull(Pull(label="x", remote_path=f"{out}/", local_path=place.local / "results"), change) is not None
    assert contents(place.local / "results") == contents_without_link(out)


def test_a_growing_log_is_pulled_up_to_its_first_length(host: PodHost, place: Ground) -> None:
    out, over = place.remote / "out", threading.Event()
    out.mkdir()
    (out / "model").write_bytes(b"weights")

    def write() -> None:
        with (out / "log").open("ab", buffering=0) as log:
            while not over.wait(0.001):
                log.write(b"%f\n" % time.monotonic())

    writer = threading.Thread(target=write)
    writer.start()
    try:
        moved = pull(host, f"{out}/", place.local / "results", trusting=True)
    finally:
        over.set()
        writer.join()
    assert moved is not None and (place.local / "results" / "model").read_bytes() == b"weights"
    kept = (place.local / "results" / "log").read_bytes()
    assert kept and (out / "log").read_bytes().startswith(kept)


def test_a_file_that_always_changes_does_not_stop_the_others(host: PodHost, place: Ground) -> None:
    out = place.remote / "out"
    out.mkdir()
    (out / "model").write_bytes(b"weights")
    # Large, and written by a process of its own: no two reads of all of it are alike, however busy the machine is.
    (out / "restless").write_bytes(bytes(16 << 20))
    code = "import os, random, sys\nf = open(sys.argv[1], 'r+b', buffering=0)\n"
    code += "while True: f.seek(random.randrange(16 << 20)); f.write(os.urandom(16))"
    writer = subprocess.Popen([sys.executable, "-c", code, out / "restless"])
    try:
        with pytest.raises(ArtifactMissing, match="'restless' could not be had"):
            pull(host, f"{out}/", place.local / "results")
    finally:
        writer.kill()
        writer.wait()
    assert sorted(path.name for path in (place.local / "results").iterdir()) == ["model"]
    assert pull(host, f"{out}/", place.local / "results") is not None
    assert contents(place.local / "results") == contents(out)


def test_during_a_job_unchanged_files_are_not_checksummed_again(host: PodHost, place: Ground) -> None:
    source, target = place.remote / "out", place.local / "results"
    for root, text in ((source, "there"), (target, "right")):
        root.mkdir()
        (root / "f").write_text(text)
        os.utime(root / "f", (1_000_000_000, 1_000_000_000))
    (source / "g").write_text("new")
    moved = pull(host, f"{source}/", target, trusting=True)
    assert moved is not None and (moved.files, moved.bytes_transferred) == (2, 3)
    assert (target / "f").read_text() == "right"
    assert pull(host, f"{source}/", target) is not None
    assert (target / "f").read_text() == "there"


def test_leftovers_of_an_earlier_try_lead_nowhere_outside(host: PodHost, place: Ground) -> None:
    (place.local / "secret").mkdir()
    tag = hashlib.sha256(b"results").hexdigest()[:12]
    left = place.local / f".runpod-deploy-incoming-{tag}-{'0' * 16}"
    left.mkdir(mode=0o700)
    (left / "files").mkdir()
    (left / "files" / "d").symlink_to(place.local / "secret")
    (left / "files" / "e").write_text("a file once")
    (left / "apart").symlink_to(place.local / "secret")
    for folder in ("d", "e"):
        (place.remote / "out" / folder).mkdir(parents=True)
        (place.remote / "out" / folder / "f").write_text("x")
    pull(host, f"{place.remote}/out/", place.local / "results")
    assert list((place.local / "secret").iterdir()) == []
    assert contents(place.local / "results") == contents(place.remote / "out")


def test_one_file_is_pushed_beside_many_without_looking_at_them(host: PodHost, place: Ground) -> None:
    (place.local / "one").write_text("one")
    (place.remote / "one").mkdir()
    (place.remote / "one" / "one").symlink_to("elsewhere")
    push(host, place.local / "one", place.remote / "one", contents=False)
    assert facts(place.remote / "one" / "one") == facts(place.local / "one")
    assert not (place.remote / "one" / "elsewhere").exists()


def test_more_names_than_a_command_line_holds(host: PodHost, place: Ground) -> None:
    source = place.local / ("long " * 20)
    source.mkdir()
    for number in range(1500):
        (source / f"{'x' * 80} {number}").write_text(str(number))
    push(host, source, place.remote / "dst")
    pull(host, f"{place.remote}/dst/", place.local / "back")
    assert contents(place.local / "back") == contents(source)


def test_a_file_behind_a_link_is_pulled_as_a_file(host: PodHost, place: Ground) -> None:
    remote = place.remote / "latest"
    remote.mkdir(parents=True)
    (remote / "step 100.ckpt").write_bytes(b"weights")
    (remote / "latest.ckpt").symlink_to("step 100.ckpt")
    local = place.local / "latest.ckpt"
    for _ in range(2):
        assert pull(host, remote / "latest.ckpt", local) is not None
        assert local.read_bytes() == b"weights" and not local.is_symlink()
