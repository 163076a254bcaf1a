"""The work: what goes up, what runs, what comes home. Knows names and rules; knows no pod."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, ClassVar

from annotated_types import Ge, Le

from .rules import STRICT, Checked, Mistake
from .types import LARGEST, EnvName, FileMode, NonBlank, PositiveInt, TemplatePath, Text

DEFAULT_STAGING_EXCLUDES = (
    ".git/",
    ".venv/",
    ".pytest_cache/",
    ".ruff_cache/",
    ".mypy_cache/",
    "**/__pycache__/",
    "**/*.pyc",
)
DEFAULT_FAILURE_MARKERS = (
    "Traceback",
    "OutOfMemoryError",
    "CUDA out of memory",
    "No space left on device",
    "Killed",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteEnvSpec(Checked):
    """Environment of commands with `with_env` and of the job."""

    __pydantic_config__: ClassVar = STRICT

    source_files: tuple[Text, ...] = ()
    """Files on the pod to source, each only if it exists; what they set is exported."""
    exports: dict[EnvName, str] = field(default_factory=dict)
    """Variables to export, after the files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSpec(Checked):
    """One shell command on the pod."""

    __pydantic_config__: ClassVar = STRICT

    command: NonBlank
    """Shell text to run."""
    timeout_sec: PositiveInt = 600
    """How long it may take."""
    with_env: bool = False
    """Whether remote_env applies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RsyncPushSpec(Checked):
    """One local folder or file to put on the pod."""

    __pydantic_config__: ClassVar = STRICT

    label: Text
    """Name in messages and records; unique."""
    source: Text
    """Local folder or file; relative to project_root. With a trailing slash its contents are meant."""
    destination: Text
    """Path on the pod; parents are made."""
    excludes: tuple[Text, ...] = ()
    """rsync patterns to leave out."""
    excludes_default: bool = False
    """Also leave out the usual caches and version control folders."""
    excludes_extra: tuple[Text, ...] = ()
    """More rsync patterns to leave out."""
    delete: bool = True
    """Remove what is on the pod and not here."""
    respect_gitignore: bool = False
    """Leave out what git ignores below the source."""

    @property
    def effective_excludes(self) -> tuple[str, ...]:
        """The patterns in force: preset (if on), then excludes, then excludes_extra."""
        preset = DEFAULT_STAGING_EXCLUDES if self.excludes_default else ()
        return (*preset, *self.excludes, *self.excludes_extra)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSpec(Checked):
    """A file on the pod made of local secrets. Exactly one of `env` and `file`."""

    __pydantic_config__: ClassVar = STRICT

    name: Text
    """Name in messages; unique."""
    destination: TemplatePath
    """Absolute path on the pod."""
    env: tuple[EnvName, ...] = ()
    """Local environment variables to write as `NAME='value'` lines."""
    file: Text | None = None
    """Local file to copy."""
    mode: FileMode = "0600"
    """File mode on the pod, a string of octal digits."""

    def contradictions(self) -> Iterator[Mistake]:
        """A secret has one source."""
        if bool(self.env) == (self.file is not None):
            yield Mistake("", "must have exactly one of `env` and `file`")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec(Checked):
    """The job."""

    __pydantic_config__: ClassVar = STRICT

    script_path: TemplatePath
    """Absolute path on the pod where the body is written."""
    log_path: TemplatePath
    """Absolute path on the pod of the job's log."""
    body: NonBlank
    """Shell text of the job, run by bash."""
    success_marker: Text | None = None
    """Text that must appear in a line of the log, beside exit status 0, for the job to have succeeded."""
    failure_markers: tuple[Text, ...] | None = None
    """Texts that end the job as failed at once. If not given, the usual ones are only noted as events."""
    stall_timeout_minutes: PositiveInt | None = None
    """Stop the job when its log has been silent for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactPullSpec(Checked):
    """One file or folder on the pod to bring home."""

    __pydantic_config__: ClassVar = STRICT

    label: Text
    """Name in messages and records; unique."""
    remote_path: Text
    """File or folder on the pod. With a trailing slash its contents are meant."""
    local_path: Text
    """Where to put it; relative to project_root."""
    required: bool = True
    """Whether the run fails without it."""
    excludes: tuple[Text, ...] = ()
    """rsync patterns to leave out."""
    delete: bool = False
    """Remove what is here and not on the pod, inside this artifact's own folder only."""
    every_sec: PositiveInt | None = None
    """Also pull it during the run, as often as this."""

    def landing(self, project_root: Path) -> Path:
        """Where it will be: a trailing slash at local_path puts it in, one at remote_path takes its contents."""
        place = project_root / Path(self.local_path).expanduser()
        into = self.local_path.endswith("/") and not self.remote_path.endswith("/")
        return place / PurePosixPath(self.remote_path).name if into else place


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySpec(Checked):
    """What is measured and recorded."""

    __pydantic_config__: ClassVar = STRICT

    enabled: bool = True
    """Whether metrics and snapshots are taken at all."""
    sample_interval_sec: Annotated[int, Ge(5), Le(LARGEST)] = 30
    """Time between two samples."""
    capture_nvidia_smi: bool = True
    """Keep nvidia-smi's output from start and end."""
    capture_dmesg: bool = True
    """Keep the last lines of the kernel's log."""
    capture_pod_describe: bool = True
    """Keep the API's description of the pod from start and end."""
    capture_remote_env: bool = True
    """Keep the pod's kernel, Python version and installed packages."""
    capture_local_git: bool = True
    """Record commit, branch and dirty flag of project_root."""
    capture_payload_lockfile: bool = True
    """Record name and hash of project_root's lockfile."""
