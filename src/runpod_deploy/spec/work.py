"""The work: what is uploaded, run and downloaded. Knows names and rules; knows no pod."""

from __future__ import annotations

import hashlib
import os
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Le

from .places import expanded
from .rules import STRICT, Checked, Mistake
from .types import LARGEST_QUANTITY, EnvName, FileMode, NonBlank, PositiveInt, TemplatePath, Text

HOME_ON_POD = "/root"
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
    """Environment variables of the job, and of setup and preflight commands with `with_env: true`."""

    __pydantic_config__: ClassVar = STRICT

    source_files: tuple[Text, ...] = ()
    """Files on the pod to source. Missing ones are skipped; the variables that they set are exported."""
    exports: dict[EnvName, str] = field(default_factory=dict)
    """Variables to export, after the files are sourced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSpec(Checked):
    """One shell command on the pod."""

    __pydantic_config__: ClassVar = STRICT

    command: NonBlank
    """Shell command to run."""
    timeout_sec: PositiveInt = 600
    """Timeout in seconds. A command that takes longer fails the run."""
    with_env: bool = False
    """Whether the command gets the variables of `remote_env`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RsyncPushSpec(Checked):
    """One local folder or file to upload."""

    __pydantic_config__: ClassVar = STRICT

    label: Text
    """Unique name for messages and records."""
    source: Text
    """Local folder or file, relative to `project_root`. With a trailing slash, the folder's contents are uploaded."""
    destination: Text
    """Path on the pod. Missing parent folders are created."""
    excludes: tuple[Text, ...] = ()
    """Files not to upload, as rsync patterns."""
    excludes_default: bool = False
    """Also exclude `.git`, `.venv` and the usual caches."""
    excludes_extra: tuple[Text, ...] = ()
    """More patterns to exclude, in addition to `excludes`."""
    delete: bool | None = None
    """Delete files at the destination that are not in the source. If not given, they are deleted unless the
    destination is, or is above, the mount point of the pod's volume: there they are kept, and a warning says so."""
    respect_gitignore: bool = False
    """Exclude files below the source that git ignores."""
    follow_links: bool = False
    """Upload what links point to that lead out of the source, in their place. If not, they are uploaded as links, which
    lead nowhere on the pod unless something is at that path there. Links to folders of the system or of keys, and to
    folders that contain the link, are not followed."""

    @property
    def effective_excludes(self) -> tuple[str, ...]:
        """All patterns: the default ones if they are on, then excludes, then excludes_extra."""
        preset = DEFAULT_STAGING_EXCLUDES if self.excludes_default else ()
        return (*preset, *self.excludes, *self.excludes_extra)

    @property
    def contents(self) -> bool:
        """Whether the contents of the source are uploaded, and not the folder itself."""
        return self.source.endswith("/") or self.source in (".", "..")

    def reaches(self, mount: str) -> bool:
        """Whether the folder that equals the source afterwards is, or is above, this mount point on the pod."""
        folder = posixpath.join(HOME_ON_POD, self.destination.removeprefix("~").lstrip("/"))
        folder = self.destination if self.destination.startswith("/") else folder
        folder = folder if self.contents else posixpath.join(folder, PurePosixPath(self.source).name)
        whole, top = (posixpath.normpath(f"/{path.lstrip('/')}") for path in (folder, mount))
        return whole in ("/", top) or top.startswith(f"{whole}/")

    def deletes(self, mount: str) -> bool:
        """Whether files at the destination that are not in the source are deleted, with a volume mounted there."""
        return not self.reaches(mount) if self.delete is None else self.delete


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSpec(Checked):
    """Local secrets for the pod, from exactly one of `env`, `env_file` and `file`. Without `destination` they are
    variables of setup, preflight and the job; with it they are a file on the pod."""

    __pydantic_config__: ClassVar = STRICT

    name: Text = ""
    """Unique name for messages. If not given, it is that of the file, without its folder, or those of the variables."""
    destination: TemplatePath | None = None
    """Absolute path of a file on the pod. The job has the variables in it, setup and preflight have not."""
    env: tuple[EnvName, ...] = ()
    """Local environment variables. In a file they are lines `NAME='value'`."""
    env_file: Text | None = None
    """Local file of variables such as `.env`, relative to `project_root`. It is read by the rules of python-dotenv, and
    not run. Names of RunPod and of this tool in it, such as RUNPOD_API_KEY, and names that no shell lets anybody set,
    such as UID, are left out."""
    file: Text | None = None
    """Local file to copy. It needs a `destination`."""
    mode: FileMode = "0600"
    """File permissions on the pod: octal digits in quotes."""

    def __post_init__(self) -> None:
        if self.name in ("", self.env_file, self.file):
            object.__setattr__(self, "name", self.usual_name())
        Checked.__post_init__(self)

    def usual_name(self) -> str:
        """The name of a secret that has none of its own: the same on machines that keep its file in other folders."""
        path = self.env_file or self.file
        return Path(path).name if path else ", ".join(self.env) or "secret"

    def contradictions(self) -> Iterator[Mistake]:
        """A secret has exactly one source, and a copied file a place."""
        if sum(map(bool, (self.env, self.env_file, self.file))) != 1:
            yield Mistake("", "must have exactly one of `env`, `env_file` and `file`")
        elif self.file and self.destination is None:
            yield Mistake("destination", "is needed for `file`: only `env` and `env_file` have variables")

    @property
    def variables(self) -> bool:
        """Whether the job has its values as variables."""
        return self.file is None

    def path_on_pod(self, run_id: str) -> str:
        """The file on the pod. Without a destination it is one of the run's own, outside of all volumes."""
        own = hashlib.sha256(self.name.encode(errors="surrogateescape")).hexdigest()[:8]
        return self.destination or f"{HOME_ON_POD}/.runpod-deploy/{run_id}/variables-{own}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec(Checked):
    """The job."""

    __pydantic_config__: ClassVar = STRICT

    script_path: TemplatePath
    """Absolute path on the pod that the job's script is written to."""
    log_path: TemplatePath
    """Absolute path on the pod of the job's log."""
    body: NonBlank
    """Script of the job, run by bash. Exit status 0 means success."""
    success_marker: Text | None = None
    """Text that a line of the log must contain for the job to succeed, in addition to exit status 0."""
    failure_markers: tuple[Text, ...] | None = None
    """Texts that stop the job as failed as soon as a line of the log contains one of them. If not given, lines with
    common ones such as `Traceback` are only recorded as events."""
    background: Literal["wait", "end", "fail"] = "wait"
    """What becomes of processes that the script leaves running when it ends with status 0. `wait`: the run goes on
    while they work, and ends those that have been idle for a minute. `end`: they are ended at once. `fail`: they are
    ended, and the job has failed. Once the success marker was seen, such processes do not matter."""
    stall_timeout_minutes: PositiveInt | None = None
    """Stop the job when nothing was written to its log for this many minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactPullSpec(Checked):
    """One file or folder on the pod to download."""

    __pydantic_config__: ClassVar = STRICT

    label: Text
    """Unique name for messages and records."""
    remote_path: Text
    """File or folder on the pod. With a trailing slash, the folder's contents are downloaded."""
    local_path: Text
    """Local path to download to, relative to `project_root`."""
    required: bool = True
    """Whether the run fails if it is missing."""
    excludes: tuple[Text, ...] = ()
    """Files not to download, as rsync patterns."""
    delete: bool = False
    """Delete local files that are not on the pod, inside this artifact's own folder only."""
    every_sec: PositiveInt | None = None
    """Also download it while the job runs, every so many seconds."""
    min_files: PositiveInt | None = None
    """The least number of files that it must have when the job has ended; with fewer, it counts as missing. If not
    given, an empty folder is only a warning."""
    metrics: bool = False
    """Whether it is one JSON file whose numbers are the results of the run: they are in the manifest as `metrics`, and
    `ls-runs`, `compare-runs` and `report` show them. The numbers of inner objects are named `outer.inner`."""

    def contradictions(self) -> Iterator[Mistake]:
        """Only a file has metrics."""
        if self.metrics and self.remote_path.endswith("/"):
            yield Mistake("metrics", "needs remote_path to be one JSON file: a folder has no metrics")

    def landing(self, project_root: Path) -> Path:
        """The local path of the download. With a trailing slash at local_path only, that is a path inside it."""
        place = project_root / expanded(self.local_path)
        into = self.local_path.endswith("/") and not self.remote_path.endswith("/")
        return place / PurePosixPath(self.remote_path).name if into else place

    def places(self, project_root: Path) -> set[str]:
        """Where the download may go: a folder without a trailing slash goes into local_path, a file becomes it."""
        place = project_root / expanded(self.local_path)
        inside = place / PurePosixPath(self.remote_path).name
        if self.remote_path.endswith("/"):
            return {os.path.normpath(place)}
        return {os.path.normpath(path) for path in ([inside] if self.local_path.endswith("/") else [place, inside])}


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySpec(Checked):
    """Metrics and facts to record."""

    __pydantic_config__: ClassVar = STRICT

    enabled: bool = True
    """Whether metrics and snapshots are taken at all."""
    sample_interval_sec: Annotated[int, Ge(5), Le(LARGEST_QUANTITY)] = 30
    """Seconds between two samples of the metrics."""
    capture_nvidia_smi: bool = True
    """Save the output of `nvidia-smi` from start and end."""
    capture_dmesg: bool = True
    """Save the last lines of the kernel log."""
    capture_pod_describe: bool = True
    """Save RunPod's description of the pod from start and end."""
    capture_remote_env: bool = True
    """Save the pod's kernel version, Python version and installed packages."""
    capture_local_git: bool = True
    """Record commit, branch and uncommitted changes (yes or no) of `project_root`."""
    capture_payload_lockfile: bool = True
    """Record name and hash of the lockfile in `project_root`."""
