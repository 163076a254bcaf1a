"""A run's folder and its journal. Knows files and locks; knows nothing of what the events mean."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..errors import ConfigError, RunBusy
from .events import Event, from_row, to_row

RUNS_DIR = Path("artifacts") / "runpod"


@dataclass(frozen=True, slots=True)
class RunDir:
    """A name for every path of a run."""

    path: Path

    @property
    def events(self) -> Path:
        """The journal: one JSON row an event."""
        return self.path / "events.jsonl"

    @property
    def spec(self) -> Path:
        """What was asked, rendered."""
        return self.path / "spec.json"

    @property
    def log(self) -> Path:
        """The job's log, mirrored byte for byte."""
        return self.path / "run.log"

    @property
    def console(self) -> Path:
        """What the tool printed."""
        return self.path / "console.log"

    @property
    def metrics(self) -> Path:
        """Samples from the pod."""
        return self.path / "metrics.jsonl"

    @property
    def manifest(self) -> Path:
        """The summary of the run."""
        return self.path / "runpod_deploy_pull_manifest.json"

    @property
    def ssh(self) -> Path:
        """OpenSSH config, keys and known hosts of this run."""
        return self.path / "ssh"

    @property
    def lock(self) -> Path:
        """Held by the one process that carries out the run."""
        return self.path / ".lock"


def reserve(project_root: Path, stamp: str) -> tuple[RunDir, str]:
    """A fresh run folder, ours alone, and its stamp: with `-2`, `-3`… if others took the same second.

    Raises ConfigError if the folder cannot be made.
    """
    parent = project_root / RUNS_DIR
    for name in stamps(stamp):
        try:
            parent.mkdir(parents=True, exist_ok=True)
            (parent / name).mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise unmakeable(parent / name, error) from error
        return RunDir(parent / name), name
    raise AssertionError("stamps() never ends")


def claim(project_root: Path, run_id: str) -> RunDir:
    """The folder of the run of this id, made if this is the first call for it. Raises ConfigError."""
    path = project_root / RUNS_DIR / run_id
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unmakeable(path, error) from error
    return RunDir(path)


def unmakeable(path: Path, error: OSError) -> ConfigError:
    """The error for a run folder that cannot be made."""
    return ConfigError(
        f"{path}: cannot make the run folder: {error.strerror}",
        hint="local.project_root must be a folder that you may write to, on a disk with room",
    )


def stamps(stamp: str) -> Iterator[str]:
    """The stamp, then the stamp with rising suffixes."""
    yield stamp
    number = 2
    while True:
        yield f"{stamp}-{number}"
        number += 1


def write_atomically(path: Path, text: str) -> None:
    """The file holds the text, and never held half of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


class RunLock:
    """One process a run. The kernel lets go of the lock when its holder dies, so it is never stale."""

    def __init__(self, run_dir: RunDir) -> None:
        self.path = run_dir.lock
        self._lock = FileLock(str(run_dir.lock), thread_local=False)

    def acquire(self, *, wait_s: float = 0.0) -> None:
        """The lock is ours. Raises RunBusy that names the holder."""
        try:
            self._lock.acquire(timeout=wait_s)
        except Timeout:
            raise RunBusy(
                f"{self.path.parent}: another process holds this run: {self.holder()}",
                hint="follow it with `runpod-deploy status`, or wait until it has ended",
            ) from None
        with suppress(OSError):  # a courtesy, which a full disk may cost
            self.note.write_text(f"process {os.getpid()} on {socket.gethostname()}\n", encoding="utf-8")

    def is_held(self) -> bool:
        """Whether another process holds the run right now."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return True
        self._lock.release()
        return False

    @property
    def note(self) -> Path:
        """Where the holder says who it is."""
        return self.path.with_name(".lock-holder")

    def holder(self) -> str:
        """The holder's own words."""
        try:
            return self.note.read_text(encoding="utf-8").strip() or "unknown"
        except OSError:
            return "unknown"

    def release(self) -> None:
        """The lock is free."""
        self._lock.release()


class Journal:
    """Append-only JSON rows; the only writer of a run's history.

    A torn last line (a crash in the middle of a write) is cut off before the next append. A full disk keeps rows
    in memory until there is room again: the run must go on to release its pod.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._unwritten = b""
        self._end = self._cut_torn_tail()

    def _cut_torn_tail(self) -> int:
        if not self.path.exists():
            return 0
        with self.path.open("r+b") as file:
            data = file.read()
            whole = data.rfind(b"\n") + 1
            if whole < len(data):
                file.truncate(whole)
        return whole

    def append(self, event: Event, common: dict[str, Any], *, must: bool = False) -> bool:
        """Whether the event is on disk. With `must`, raises OSError rather than keep it in memory."""
        row = {**to_row(event)}
        row |= {k: v for k, v in common.items() if v is not None and k not in row}
        line = json.dumps(row).encode() + b"\n"
        try:
            extend(self.path, self._unwritten + line, self._end, synced=True)
        except OSError:
            if must:
                raise
            self._unwritten += line
            return False
        self._end += len(self._unwritten + line)
        self._unwritten = b""
        return True

    def read(self) -> list[Event]:
        """All events that we know, in order."""
        return [event for row in rows(self.path) if (event := from_row(row)) is not None]


def extend(path: Path, data: bytes, end: int, *, synced: bool = False) -> None:
    """The file, which ended there, ends with all of the data, or it is as long as before. Raises OSError.

    With `synced`, the data survives a power cut.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        view, at = memoryview(data), end
        while view:
            written = os.pwrite(handle, view, at)
            view, at = view[written:], at + written
        if synced:
            os.fsync(handle)
    except OSError:
        os.ftruncate(handle, end)
        raise
    finally:
        os.close(handle)


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The whole, readable rows of a JSONL file; none if there is no file."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                row = json.loads(line) if line.endswith(b"\n") else None
            except (ValueError, RecursionError):
                row = None
            if isinstance(row, dict):
                yield row
