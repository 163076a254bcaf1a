"""A journal survives crashes, full disks and foreign rows; a run folder belongs to one run."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import signal
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from runpod_deploy.errors import RunBusy
from runpod_deploy.machine.files import write_atomically
from runpod_deploy.machine.limits import LONGEST_ROW_BYTES
from runpod_deploy.record.events import (
    Heartbeat,
    Interrupted,
    JobEvent,
    PodReleased,
    ProcessesLeft,
    RunStarted,
    bounded,
    to_row,
)
from runpod_deploy.record.journal import PIECE_BYTES, Journal, SkippedRows, cut_torn_line, read_events
from runpod_deploy.record.lock import RunLock
from runpod_deploy.record.paths import RunDir, reserve
from runpod_deploy.spec.strict_json import dumps

STARTED = RunStarted(run_id="r", job_name="j", tool_version="1")


def test_rows_have_the_spacing_that_drivers_grep_for(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.jsonl")
    journal.append(STARTED, {"pod_id": "p1", "gpu_id": None})
    text = journal.path.read_text()
    assert '"event": "run_started"' in text and '"pod_id": "p1"' in text and "gpu_id" not in text


@pytest.mark.parametrize("cut", range(0, 260, 7))
def test_a_torn_tail_is_cut_before_the_next_append(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "events.jsonl"
    journal = Journal(path)
    for _ in range(2):
        journal.append(STARTED, {})
    path.write_bytes(path.read_bytes()[:cut])
    again = Journal(path)
    again.append(PodReleased(action="delete", state=None), {})
    assert [type(event).__name__ for event in read_events(path)][-1] == "PodReleased"
    for line in path.read_text().splitlines():
        json.loads(line)


def test_foreign_and_unreadable_rows_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"event": "gpu_selected"}\n[1]\nnot json\n{"event": "of_another_tool", "x": 1}\n')
    journal = Journal(path)
    journal.append(Interrupted(signal="SIGINT"), {})
    assert [type(event).__name__ for event in read_events(path)] == ["Interrupted"]


def test_a_job_cannot_speak_for_us(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.jsonl")
    journal.append(JobEvent(name="pod_released", fields={"event": "pod_released", "f1": 0.9}), {"pod_id": "p"})
    event = next(read_events(journal.path))
    assert isinstance(event, JobEvent) and event.name == "job:pod_released" and event.fields["f1"] == 0.9


def write_rows(path: Path, count: int) -> None:
    """A child that appends rows without waiting for the disk, which takes them in small pieces."""
    pwrite: Any = os.pwrite
    slow_disk: Any = os
    slow_disk.fsync = lambda _handle: None
    slow_disk.pwrite = lambda handle, data, at: pwrite(handle, data[:256], at)
    journal = Journal(path)
    for _ in range(count):
        journal.append(JobEvent(name="long", fields={"text": "x" * 4_000}), {})


def test_whoever_reads_takes_no_row_from_a_live_writer(tmp_path: Path) -> None:
    path, count = tmp_path / "events.jsonl", 1000
    writer = multiprocessing.get_context("spawn").Process(target=write_rows, args=(path, count))
    writer.start()
    skipped: list[str] = []
    while writer.is_alive():
        Journal(path)
        deque(read_events(path, skipped.append), maxlen=0)
    assert len(list(read_events(path, skipped.append))) == count and skipped == []
    assert b"\0" not in path.read_bytes()


def test_reading_leaves_a_torn_line_to_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"event": "interrupted", "signal": "SIGINT"}\n{"event": "inter')
    before = path.read_bytes()
    Journal(path)
    assert [type(event).__name__ for event in read_events(path)] == ["Interrupted"]
    assert path.read_bytes() == before


def test_rows_that_are_skipped_are_named_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"event": "interrupted", "signal": "SIGINT"}\nnot json\n{"event": "of_later"}\n')
    skipped = SkippedRows()
    assert len(list(read_events(path, skipped))) == 1
    assert str(skipped).endswith("line 2: not a JSON object") and skipped.count == 2


def full_disk(path: Path) -> None:
    """A child whose files may not grow past 300 bytes, which is what a full disk is to it."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    journal = Journal(path)
    journal.append(STARTED, {})
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, resource.RLIM_INFINITY))
    kept = [journal.append(Interrupted(signal="S" * 40), {}) for _ in range(5)]
    lost = False
    try:
        journal.append(STARTED, {}, must=True)
    except OSError:
        lost = True
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    journal.append(PodReleased(action="delete", state=None), {})
    os._exit(0 if lost and not all(kept) else 1)


def test_a_full_disk_loses_no_row_and_refuses_an_intent(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    child = multiprocessing.get_context("spawn").Process(target=full_disk, args=(path,))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    names = [type(event).__name__ for event in read_events(path)]
    assert names == ["RunStarted", *["Interrupted"] * 5, "PodReleased"]


def test_runs_of_one_second_get_folders_of_their_own(tmp_path: Path) -> None:
    names = [reserve(tmp_path, "20261101T120000Z")[1] for _ in range(3)]
    assert names == ["20261101T120000Z", "20261101T120000Z-2", "20261101T120000Z-3"]


def test_a_second_process_is_told_who_holds_the_run(tmp_path: Path) -> None:
    first, second = RunLock(RunDir(tmp_path)), RunLock(RunDir(tmp_path))
    first.acquire()
    with pytest.raises(RunBusy, match=str(os.getpid())):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    write_atomically(path, "one")
    write_atomically(path, "two")
    assert path.read_text() == "two" and [p.name for p in tmp_path.iterdir()] == ["manifest.json"]


def test_a_draft_of_a_file_cannot_be_guessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "victim").write_text("mine")
    names = iter(["0" * 16, "1" * 16])
    monkeypatch.setattr("runpod_deploy.machine.files.secrets.token_hex", lambda count: next(names))
    (tmp_path / f".config.{'0' * 16}.tmp").symlink_to("victim")
    with pytest.raises(FileExistsError):
        write_atomically(tmp_path / "config", "text")
    assert (tmp_path / "victim").read_text() == "mine" and not (tmp_path / "config").exists()
    write_atomically(tmp_path / "config", "text")
    assert (tmp_path / "config").read_text() == "text"


def test_a_private_file_is_private_from_its_first_byte(tmp_path: Path) -> None:
    path = tmp_path / "config"
    write_atomically(path, "secret", mode=0o600)
    assert path.stat().st_mode & 0o777 == 0o600


def test_numbers_survive_the_way_to_disk_and_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.jsonl")
    beat = Heartbeat(phase="watch", elapsed_sec=60.5, spent_usd=0.0123, cost_cap_usd=2.0, log_bytes=7)
    journal.append(beat, {})
    assert list(read_events(journal.path)) == [beat]


@pytest.mark.parametrize("torn", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, 3 * PIECE_BYTES])
@pytest.mark.parametrize("whole", [b"", b"{}\n"])
def test_a_torn_line_of_any_length_is_cut(tmp_path: Path, torn: int, whole: bytes) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(whole + b"x" * torn)
    assert cut_torn_line(path) == len(whole) and path.read_bytes() == whole


def test_a_row_that_is_too_long_hides_no_run(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.jsonl")
    journal.append(STARTED, {})
    with journal.path.open("ab") as file:
        file.write(b'{"event": "' + b"x" * (17 << 20) + b'"}\n' + b"y" * ((16 << 20) + 1) + b"\n")
    journal = Journal(journal.path)
    journal.append(Interrupted(signal="SIGINT"), {})
    skipped = SkippedRows()
    assert [type(event).__name__ for event in read_events(journal.path, skipped)] == ["RunStarted", "Interrupted"]
    assert skipped.count == 2


def test_no_text_of_an_event_makes_its_row_too_long() -> None:
    text = "\x01\U0001f600" * (4 << 20)
    for event in (Interrupted(signal=text), ProcessesLeft(processes=(text,) * 5000)):
        kept = bounded(event)
        assert len(dumps(to_row(kept))) < LONGEST_ROW_BYTES and type(kept) is type(event)
    assert bounded(STARTED) is STARTED
