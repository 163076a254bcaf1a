"""The spec of a run in its folder: written once, and read by whoever carries the run out. Knows no event.

`run` writes it, and becomes another process right away: what is imported here delays every run.
"""

from __future__ import annotations

from dataclasses import replace

from ..cloud.pod_labels import new_token
from ..errors import ConfigError, UsageError
from ..machine.files import PRIVATE, write_atomically
from ..machine.limits import RECORD_BYTES
from ..machine.reading import read_limited
from ..spec import Spec
from ..spec.json import spec_from_json, spec_to_json
from . import index
from .begun_here import remember
from .lock import RunLock
from .moved import at_present
from .paths import RunDir

# Another process that has just made the run of this id writes its spec within this time.
OTHER_WRITES_WITHIN_S = 5.0


def record_spec(spec: Spec, run_dir: RunDir) -> Spec:
    """The spec that the run was first given, on disk for any process to carry out. Raises RunBusy, ConfigError."""
    if run_dir.spec.exists():
        return read_spec(run_dir)
    with RunLock(run_dir).held(wait_s=OTHER_WRITES_WITHIN_S):
        return first_spec(spec, run_dir)


def first_spec(spec: Spec, run_dir: RunDir) -> Spec:
    """The spec that the run was first given; this one, if none is recorded yet. Raises ConfigError."""
    if run_dir.spec.exists():
        return read_spec(run_dir)
    spec = replace(spec, token=new_token())
    text = spec_to_json(spec) + "\n"
    if not run_dir.events.exists():  # a journal that is older than its run was put there
        remember(spec.token, run_dir, text)
    try:
        write_atomically(run_dir.spec, text, mode=PRIVATE)
    except OSError as error:
        raise ConfigError(
            f"{run_dir.spec}: cannot be written: {error.strerror}",
            hint="make room on that disk; nothing was started",
        ) from error
    index.note(run_dir)
    return spec


def read_spec(run_dir: RunDir) -> Spec:
    """The spec in the run folder, with the paths of its present place. Raises UsageError, ConfigError."""
    try:
        spec = spec_from_json(read_limited(run_dir.spec, RECORD_BYTES).decode())
        return at_present(spec, run_dir.path.absolute())
    except (FileNotFoundError, NotADirectoryError):
        raise no_spec(run_dir) from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{run_dir.spec}: cannot be read: {error}") from error


def no_spec(run_dir: RunDir) -> UsageError:
    """The error for a folder without a spec. One with a manifest is most likely a run of the earlier tool."""
    if run_dir.manifest.is_file():
        return UsageError(
            f"{run_dir.path}: holds no {run_dir.spec.name}; a run of the earlier tool can only be read",
            hint="`manifest-summary`, `events`, `logs` and `report` read it; "
            f"`runpod-deploy cleanup --state-file {run_dir.manifest}` deletes its pod",
        )
    return UsageError(
        f"{run_dir.path}: not a run folder: it holds no {run_dir.spec.name}",
        hint="give the path that `run --print-run-dir` printed",
    )
