"""The copies of journal and manifest for other machines: in a folder, and in a file system of fsspec."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from pathlib import Path
from threading import Event

import fsspec  # type: ignore[import-untyped]
import pytest
from fsspec.implementations.memory import MemoryFileSystem  # type: ignore[import-untyped]

from runpod_deploy.driver import JournalCopier
from runpod_deploy.errors import ConfigError
from runpod_deploy.machine.limits import UPLOADED_JOURNAL_BYTES
from runpod_deploy.record import events as e
from runpod_deploy.record.paths import RunDir
from runpod_deploy.record.shared_journal import SharedJournal
from tests.support.worlds import Memory


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDir:
    found = RunDir(tmp_path / "run")
    found.path.mkdir()
    found.events.write_bytes(b'{"event": "x"}\n')
    found.manifest.write_text('{"run_id": "seed-1", "state": "finished", "exit_code": 0}')
    return found


@pytest.mark.parametrize("kind", ["folder", "file", "local", "memory"])
def test_what_was_put_there_is_read_there(tmp_path: Path, run_dir: RunDir, kind: str) -> None:
    places = {"folder": str(tmp_path / "shared"), "memory": f"memory://{tmp_path.name}"}
    place = places.get(kind, f"{kind}://{tmp_path / 'shared'}")
    assert SharedJournal(place, "seed-1").manifest() == {}
    SharedJournal(place, "seed-1").put(run_dir, "machine-a")
    told = SharedJournal(place, "seed-1").manifest()
    assert (told["machine"], told["run_dir"], told["exit_code"]) == ("machine-a", str(run_dir.path), 0)
    assert SharedJournal(place, "seed-2").manifest() == {}


@pytest.mark.parametrize("place", ["nosuch://bucket/x", "s3-without-a-library://x", "simplecache::file:///tmp"])
def test_a_place_that_no_library_knows_is_a_config_error(place: str) -> None:
    with pytest.raises(ConfigError, match="--journal"):
        SharedJournal(place, "seed-1").manifest()


class NoCredentials(Exception):
    """An error as libraries for clouds raise it: their own, and no OSError."""


def refuse(*_: object, **named: object) -> bytes:
    """Nobody reads here."""
    raise NoCredentials("unable to locate credentials")


def test_an_error_of_a_library_is_a_config_error_that_names_it(tmp_path: Path) -> None:
    refusing = type("Refusing", (MemoryFileSystem,), {"protocol": "refusing", "cat_file": refuse})
    fsspec.register_implementation("refusing", refusing, clobber=True)
    with pytest.raises(ConfigError, match="cannot be read there: NoCredentials: unable to locate credentials"):
        SharedJournal("refusing://bucket/x", "seed-1").manifest()


def test_a_manifest_that_makes_no_sense_stops_before_anything_is_paid(tmp_path: Path) -> None:
    (tmp_path / "seed-1").mkdir()
    (tmp_path / "seed-1" / "manifest.json").write_text("{" * 10_000)
    with pytest.raises(ConfigError, match="cannot be read there"):
        SharedJournal(str(tmp_path), "seed-1").manifest()


def silent_place(calls: list[str], until: Event) -> str:
    """The URI of a place that takes a call and never answers it."""

    def wait(_self: object, path: str, *_: object, **__: object) -> bytes:
        calls.append(path)
        until.wait()
        return b""

    silent = type("Silent", (MemoryFileSystem,), {"protocol": "silent", "pipe_file": wait, "cat_file": wait})
    fsspec.register_implementation("silent", silent, clobber=True)
    return "silent://bucket/x"


def test_a_place_that_does_not_answer_is_waited_for_once_and_said_once(tmp_path: Path) -> None:
    world, until = Memory(tmp_path), Event()
    calls: list[str] = []
    run = world.open()
    run.listeners.append(JournalCopier(run, SharedJournal(silent_place(calls, until), "seed-1", within_s=0.2)))
    world.dir.manifest.write_text("{}")
    for _ in range(3):
        run.record(e.Detached(why="asked"))
    until.set()
    assert len(calls) == 1
    (failed,) = [event for event in world.events if isinstance(event, e.ListenerFailed)]
    assert failed.listener == "JournalCopier" and "nothing more is copied there" in failed.error


def test_a_manifest_that_does_not_come_is_a_config_error() -> None:
    until = Event()
    with pytest.raises(ConfigError, match="cannot be read there: not within"):
        SharedJournal(silent_place([], until), "seed-1", within_s=0.2).manifest()
    until.set()


def test_a_process_ends_although_the_place_has_not_answered() -> None:
    place = "t.silent_place([], Event())"
    code = f"import {__name__} as t; from threading import Event; t.SharedJournal({place}, 'a', 0.2).manifest()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "cannot be read there: not within" in done.stderr


@pytest.fixture(params=["", "file://"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """A place, and the folder of the run there."""
    return f"{request.param}{tmp_path / 'shared'}", tmp_path / "shared" / "seed-1"


def test_nothing_is_written_through_what_others_put_there(
    shared: tuple[str, Path], run_dir: RunDir, tmp_path: Path
) -> None:
    place, own = shared
    own.mkdir(parents=True)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (own / "events.jsonl").symlink_to(victim)
    os.mkfifo(own / "manifest.json")
    SharedJournal(place, "seed-1").put(run_dir, "machine-a")
    assert victim.read_text() == "precious"
    assert (own / "events.jsonl").read_bytes() == run_dir.events.read_bytes()
    assert sorted(file.name for file in own.iterdir()) == ["events.jsonl", "manifest.json"]
    assert {file.lstat().st_mode for file in own.iterdir()} == {0o100600}


def test_a_link_in_place_of_the_folder_is_refused(shared: tuple[str, Path], run_dir: RunDir, tmp_path: Path) -> None:
    place, own = shared
    own.parent.mkdir()
    (tmp_path / "mine").mkdir()
    own.symlink_to(tmp_path / "mine")
    with pytest.raises(OSError, match="seed-1"):
        SharedJournal(place, "seed-1").put(run_dir, "machine-a")
    assert not list((tmp_path / "mine").iterdir())


def test_a_folder_of_another_user_is_refused(
    shared: tuple[str, Path], run_dir: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, own = shared
    own.mkdir(parents=True)
    monkeypatch.setattr(os, "geteuid", lambda: own.stat().st_uid + 1)
    with pytest.raises(PermissionError, match="belongs to another user"):
        SharedJournal(place, "seed-1").put(run_dir, "machine-a")
    with pytest.raises(ConfigError, match="belongs to another user"):
        SharedJournal(place, "seed-1").manifest()


def test_of_a_large_journal_only_the_manifest_goes_to_a_server(tmp_path: Path, run_dir: RunDir) -> None:
    os.truncate(run_dir.events, UPLOADED_JOURNAL_BYTES + 1)
    shared = SharedJournal(f"memory://{tmp_path.name}", "seed-1")
    with pytest.raises(OSError, match="only the manifest is copied"):
        shared.put(run_dir, "machine-a")
    assert shared.manifest()["machine"] == "machine-a"
    assert [Path(path).name for path in MemoryFileSystem().ls(f"/{tmp_path.name}/seed-1", detail=False)] == [
        "manifest.json"
    ]


def test_a_large_journal_is_copied_to_a_folder_in_pieces(tmp_path: Path, run_dir: RunDir) -> None:
    os.truncate(run_dir.events, 64 << 20)
    tracemalloc.start()
    SharedJournal(str(tmp_path / "shared"), "seed-1").put(run_dir, "machine-a")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "shared" / "seed-1" / "events.jsonl").stat().st_size == 64 << 20 and most < 16 << 20
