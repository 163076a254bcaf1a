"""The facts about a run folder: where it is, the names of its files, its time stamp, and how it is reserved.

Knows names; knows nothing of what the files hold.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..errors import ConfigError, UsageError
from ..spec.instants import plausible
from ..spec.job import RUNS_DIR as RUNS_DIR

EVENTS_NAME = "events.jsonl"
SPEC_NAME = "spec.json"
LOG_NAME = "run.log"
CONSOLE_NAME = "console.log"
HOST_LOG_NAME = "host_log.jsonl"
METRICS_NAME = "metrics.jsonl"
NOTES_NAME = "notes.json"
MANIFEST_NAME = "runpod_deploy_pull_manifest.json"
STAMP_FORMAT = "%Y%m%dT%H%M%SZ"
"""The time stamp in the names of runs and of their folders, UTC."""
STAMP_CHARS = 16
PRIVATE_DIR = 0o700
"""The mode of a run folder: its log, its console and its spec may hold what only this user may read."""


def time_stamp(at: datetime) -> str:
    """The time stamp of an instant."""
    return at.astimezone(UTC).strftime(STAMP_FORMAT)


def began_at(name: str) -> datetime | None:
    """The instant at which a run began, from the name of its folder; None if the name does not begin with a stamp."""
    try:
        return plausible(datetime.strptime(name[:STAMP_CHARS], STAMP_FORMAT).replace(tzinfo=UTC))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class RunDir:
    """The folder of a run, with a name for each path in it."""

    path: Path

    @property
    def events(self) -> Path:
        """The journal: one JSON row an event."""
        return self.path / EVENTS_NAME

    @property
    def spec(self) -> Path:
        """The spec of the run, rendered."""
        return self.path / SPEC_NAME

    @property
    def log(self) -> Path:
        """The job's log, mirrored byte for byte."""
        return self.path / LOG_NAME

    @property
    def console(self) -> Path:
        """The lines that the tool printed."""
        return self.path / CONSOLE_NAME

    @property
    def host_log(self) -> Path:
        """The end of the cloud's own log of pods that did not boot or were lost: one JSON row a line."""
        return self.path / HOST_LOG_NAME

    @property
    def metrics(self) -> Path:
        """Samples from the pod."""
        return self.path / METRICS_NAME

    @property
    def manifest(self) -> Path:
        """The summary of the run."""
        return self.path / MANIFEST_NAME

    @property
    def notes(self) -> Path:
        """The tags and the note that were given after the run began."""
        return self.path / NOTES_NAME

    @property
    def ssh(self) -> Path:
        """OpenSSH config, keys and known hosts of this run."""
        return self.path / "ssh"

    @property
    def lock(self) -> Path:
        """The lock file of the one process that carries out the run."""
        return self.path / ".lock"

    @property
    def lock_holder(self) -> Path:
        """The file that names the process that holds the lock."""
        return self.path / ".lock-holder"

    @property
    def driver_log(self) -> Path:
        """What a driver that was left behind has printed."""
        return self.path / "driver.log"

    @property
    def stop_request(self) -> Path:
        """The wish of `stop` for the pod, which the process that carries out the run reads at the signal."""
        return self.path / ".stop-request"

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that only the tool writes, of every run."""
        kept = (self.events, self.spec, self.log, self.console, self.host_log, self.metrics, self.manifest)
        between = (self.notes, self.driver_log, self.stop_request, self.lock, self.lock_holder)
        return (*kept, *between)

    @property
    def is_run(self) -> bool:
        """Whether this is the folder of a run that began. Raises OSError if that cannot be known."""
        return self.events.is_file()


def reserve(project_root: Path, stamp: str) -> tuple[RunDir, str]:
    """A new run folder and its name: the stamp, with `-2`, `-3`… if other runs began in the same second.

    Raises ConfigError if the folder cannot be made.
    """
    parent = project_root / RUNS_DIR
    for name in stamps(stamp):
        try:
            parent.mkdir(parents=True, exist_ok=True)
            (parent / name).mkdir(mode=PRIVATE_DIR)
        except FileExistsError:
            continue
        except OSError as error:
            raise unmakeable(parent / name, error) from error
        return RunDir(parent / name), name
    raise AssertionError("stamps() never ends")


def claim(project_root: Path, run_id: str) -> RunDir:
    """The folder of the run with this id, which this call makes if it does not exist. Raises ConfigError."""
    path = project_root / RUNS_DIR / run_id
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=PRIVATE_DIR, exist_ok=True)
    except OSError as error:
        raise unmakeable(path, error) from error
    return RunDir(path)


def project_of(here: Path) -> Path | None:
    """The nearest folder from here upwards that holds runs; None if there is none.

    A folder of another user above this one is passed over: anybody can make one in a shared folder such as /tmp.
    """
    for folder in (here, *here.parents):
        try:
            owner = (folder / RUNS_DIR).stat().st_uid
        except OSError:
            continue
        if folder == here or owner == os.geteuid():
            return folder
    return None


def require_own(run_dir: RunDir, *, trust: bool) -> None:
    """Raises UsageError for a run folder of another user, unless it is trusted: to continue it is to obey it.

    Raises UsageError for links in place of its files, trusted or not.
    """
    refuse_links(run_dir)
    if not trust and (path := of_another_user(run_dir)) is not None:
        raise UsageError(
            f"{path} belongs to another user of this machine",
            hint="`status`, `events` and `logs` read it; to continue that run under your own key, add --trust",
        )


def refuse_links(run_dir: RunDir) -> None:
    """Raises UsageError if a file of the tool in the run folder, or its ssh folder, is a link or a special file.

    The tool makes no links there. One in a folder that somebody sent may lead to any file of the user, which the tool
    would then overwrite.
    """
    for path in (*run_dir.files, run_dir.ssh, *entries(run_dir.ssh)):
        if what := oddity(path) or shared(path):
            raise UsageError(
                f"{path} is {what}; nothing was written",
                hint="runpod-deploy makes no such entry: if somebody sent you this folder, do not continue its run; if "
                "it is yours, put a real file or folder in its place",
            )


def entries(folder: Path) -> tuple[Path, ...]:
    """The entries of the folder; none if it cannot be listed."""
    try:
        return tuple(sorted(folder.iterdir()))
    except (OSError, ValueError):
        return ()


def oddity(path: Path) -> str:
    """What there is instead of a file or a folder; empty for these, and if nothing is there."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            return f"a link to {path.readlink()}"
    except (OSError, ValueError):
        return ""
    return "" if stat.S_ISREG(mode) or stat.S_ISDIR(mode) else "neither a file nor a folder"


def shared(path: Path) -> str:
    """What the file is if it is one file with several names: to write to it would change the others."""
    try:
        found = path.lstat()
    except (OSError, ValueError):
        return ""
    return "a hard link, a second name of another file" if stat.S_ISREG(found.st_mode) and found.st_nlink > 1 else ""


def of_another_user(run_dir: RunDir) -> Path | None:
    """The first of the run's own files that belongs to another user; None if there is none."""
    for path in (run_dir.path, run_dir.spec, run_dir.events, run_dir.ssh):
        try:
            if path.lstat().st_uid != os.geteuid():
                return path
        except (OSError, ValueError):
            continue
    return None


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
