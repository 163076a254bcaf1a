"""The paths of a run, and how a folder is reserved for it. Knows names of files; knows nothing of what is in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError

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
