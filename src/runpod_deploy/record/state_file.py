"""The state file: a small JSON file that names the active pod for people and scripts. Knows its form only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from ..errors import ConfigError
from ..machine.files import write_atomically
from ..machine.limits import RECORD_BYTES
from ..machine.locks import refuse_other_names
from ..machine.reading import read_limited
from ..spec import Spec
from ..spec.strict_json import dumps, loads
from .events import Event, PodReachable, PodReleased
from .paths import RunDir
from .state import State

ID_KEYS = ("pod_id", "id", "podId")
"""The key that is written, then the keys in files of older tools."""
LOCK_WITHIN_S = 2.0
"""Two runs that share a file hold its lock for milliseconds. Another user who may read it could hold it for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateFile:
    """The content of a state file."""

    pod_id: str
    run_id: str | None = None
    """None in files of older tools, which do not say which run the pod belongs to."""
    run_dir: Path | None = None
    token: str = ""
    """The token that the pod bears; empty in files of older versions."""
    account: str = ""
    """A hash of the API key that the pod was requested with; empty in files of older versions."""


def read_state_file(path: Path) -> StateFile:
    """The content of the file. Raises ConfigError if there is no such file, or no pod in it."""
    try:
        row: Any = loads(read_limited(path, RECORD_BYTES))
    except FileNotFoundError:
        hint = "there is none while a run has no pod: its pod may be released already"
        raise ConfigError(f"{path}: no such state file", hint=hint) from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read as JSON: {error}", hint="give a state file of `run`") from error
    fields = row if isinstance(row, dict) else {}
    pod_id = next((str(fields[key]) for key in ID_KEYS if fields.get(key)), None)
    if pod_id is None:
        raise ConfigError(f"{path}: names no pod", hint=f"expected one of the keys {', '.join(ID_KEYS)}")
    run_dir = fields.get("run_dir")
    token, account = (str(fields.get(key) or "") for key in ("run_token", "account"))
    where = Path(run_dir) if run_dir else None
    return StateFile(pod_id=pod_id, run_id=fields.get("run_id"), run_dir=where, token=token, account=account)


def is_foreign(path: Path) -> bool:
    """Whether there is something at the path that is no state file, and must not be overwritten."""
    try:
        if not path.is_symlink() and (not path.exists() or path.stat().st_size == 0):
            return False
        read_state_file(path)
    except (ConfigError, OSError):
        return True
    return False


@contextmanager
def held(path: Path) -> Iterator[None]:
    """No other process writes the state file meanwhile. Raises OSError, also if another one keeps the lock."""
    lock = Path(f"{path}.lock")
    refuse_other_names(lock)
    with FileLock(lock, timeout=LOCK_WITHIN_S):
        yield


class StateFileWriter:
    """A listener that keeps the state file up to date. A file that cannot be written does not end the run."""

    def __init__(self, spec: Spec, run_dir: RunDir) -> None:
        self.path = spec.job.resolved_state_file
        self.spec = spec
        self.run_dir = run_dir

    def __call__(self, event: Event, state: State) -> None:
        """The file names the pod once it answers, and is gone once that pod is deleted."""
        if self.path is None:
            return
        try:
            if isinstance(event, PodReachable):
                self.write(self.path, state)
            elif isinstance(event, PodReleased) and event.state is None:
                self.remove(self.path, state)
        except OSError:
            pass

    def write(self, path: Path, state: State) -> None:
        """The file names this run's pod."""
        row = {
            "pod_id": state.pod.id,
            "gpu_id": state.pod.gpu_id,
            "image": self.spec.job.pod.image,
            "datacenter_id": state.pod.datacenter_id,
            "run_id": state.pod.name or self.spec.run_id,
            "run_dir": str(self.run_dir.path),
            "run_token": state.pod_token,
            "account": state.request.account,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        with held(path):
            if not is_foreign(path):
                write_atomically(path, dumps(row, indent=2) + "\n")

    def remove(self, path: Path, state: State) -> None:
        """The file is gone, unless it names the pod of another run."""
        with held(path):
            try:
                ours = read_state_file(path).pod_id == state.pod.id
            except ConfigError:
                return
            if ours:
                path.unlink(missing_ok=True)
