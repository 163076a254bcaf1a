"""The check of everything that can be known before anything is paid."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..config.finding import Loc, dotted
from ..errors import ConfigError, DeployError
from ..machine.env_file import EnvFileError, read_env_file
from ..machine.limits import SECRET_BYTES
from ..pod.transfer.shipment import push_of, shipped_tree
from ..spec import ArtifactPullSpec, RsyncPushSpec, SecretSpec, Spec
from ..spec.places import expanded

if TYPE_CHECKING:  # `run` asks for the problems of a config before it becomes the process that loads this
    from ..run import Run

LONGEST_PATH_BYTES = 4095
MOST_NAMED = 3


class Problem(NamedTuple):
    """Something on this machine that would make the run fail."""

    loc: Loc
    """The location in the config of the field that needs it."""
    message: str

    def __str__(self) -> str:
        return f"{dotted(self.loc)}: {self.message}"


def check(run: Run) -> None:
    """Everything that the run needs from this machine is here and works. Raises ConfigError that names all that is not.

    That is ssh and its folders, and the paths, secrets, sources and places of the config.
    """
    if run.state.request.made:
        return  # a resumed run has passed this check, and its sources may be gone by now
    for trouble in run.world.troubles(run.dir):
        raise ConfigError(trouble.message, hint=f"nothing was started; {trouble.hint}")
    problems = [*map(str, problems_of(run.spec)), *missing_secrets(run)]
    if problems:
        raise ConfigError("; ".join(problems), hint="nothing was started; put these in place and run again")


def problems_of(spec: Spec) -> Iterator[Problem]:
    """What is wrong with the local paths in a config."""
    yield from missing_paths(spec)
    for i, entry in enumerate(spec.job.staging):
        yield from unsendable(spec, entry, ("staging", i, "source"))
    for i, artifact in enumerate(spec.job.artifacts):
        yield from unwritable(spec, artifact, ("artifacts", i, "local_path"))


def missing_paths(spec: Spec) -> Iterator[Problem]:
    """A problem for each required path that does not exist."""
    for i, path in enumerate(spec.job.local.required_paths):
        if not local_path(spec, path).exists():
            yield Problem(("local", "required_paths", i), f"{path} does not exist")


def unsendable(spec: Spec, entry: RsyncPushSpec, loc: Loc) -> Iterator[Problem]:
    """Problems with a source that does not exist, that cannot be read, or whose paths would be too long on the pod."""
    source = local_path(spec, entry.source)
    if not source.exists():
        yield Problem(loc, f"{entry.source} does not exist")
        return
    try:
        push = push_of(entry, spec.project_root, mount=spec.job.storage.volume_mount)
        tree = shipped_tree(push)[0] if source.is_dir() else {}
    except DeployError as error:
        yield Problem(loc, error.message)
        return
    paths = {path: source / path for path, found in tree.items() if found.kind != "l"} or {source.name: source}
    unreadable = [str(path) for path in paths.values() if not os.access(path, os.R_OK)]
    if unreadable:
        yield Problem(loc, f"cannot be read: {some(unreadable)}")
    top = len(os.fsencode(f"{entry.destination}/{source.name}/"))
    too_long = [path for path in tree if top + len(os.fsencode(path)) > LONGEST_PATH_BYTES]
    if too_long:
        yield Problem(loc, f"paths would have more than {LONGEST_PATH_BYTES} bytes on the pod: {some(too_long)}")


def unwritable(spec: Spec, entry: ArtifactPullSpec, loc: Loc) -> Iterator[Problem]:
    """Problems with the place of an artifact: it cannot be written, or a file is where a folder must be."""
    place = local_path(spec, entry.local_path)
    folder = place if entry.local_path.endswith("/") or entry.remote_path.endswith("/") else place.parent
    above = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    try:
        if not above.is_dir():
            yield Problem(loc, f"{above} is no folder; the artifact needs one there")
        elif not os.access(above, os.W_OK | os.X_OK):
            yield Problem(loc, f"{above} cannot be written: permission denied")
        elif read_only(above):
            yield Problem(loc, f"{above} cannot be written: it is on a read-only file system")
    except OSError as error:
        yield Problem(loc, f"{above} cannot be used: {error.strerror}")


def read_only(folder: Path) -> bool:
    """Whether the folder is on a file system that is mounted read-only."""
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def missing_secrets(run: Run) -> list[str]:
    """A line for each secret whose value is not here, or cannot be right."""
    return [line for secret in run.spec.job.secrets for line in missing_values(run, secret)]


def missing_values(run: Run, secret: SecretSpec) -> list[str]:
    """A line for each value of one secret that is not here, or cannot be right. No line holds a value."""
    return [f"secrets: {secret.name}: {wrong}" for _, wrong in secret_problems(run.spec, secret, run.world.environ)]


def secret_problems(spec: Spec, secret: SecretSpec, environ: Mapping[str, str]) -> Iterator[tuple[Loc, str]]:
    """What is wrong with a secret's values, each with its place in the entry: not here, or cannot be right."""
    if secret.env_file and (wrong := env_file_problem(local_path(spec, secret.env_file))):
        yield ("env_file",), f"the file {secret.env_file} {wrong}"
    if secret.file and (wrong := file_problem(local_path(spec, secret.file))):
        yield ("file",), f"the file {secret.file} {wrong}"
    for i, name in enumerate(secret.env):
        if wrong := value_problem(environ.get(name)):
            yield ("env", i), f"the environment variable {name} {wrong}"


def env_file_problem(path: Path) -> str:
    """What is wrong with a file of variables; empty if nothing is."""
    if wrong := file_problem(path):
        return wrong
    try:
        return "" if read_env_file(path) else "sets no variable for the job"
    except EnvFileError as error:
        return str(error)


def file_problem(path: Path) -> str:
    """What is wrong with the file of a secret; empty if nothing is."""
    if not path.is_file():
        return "does not exist"
    if not os.access(path, os.R_OK):
        return "cannot be read: permission denied"
    size = path.stat().st_size
    return f"is larger than {SECRET_BYTES >> 20} MB" if size > SECRET_BYTES else "" if size else "is empty"


def value_problem(value: str | None) -> str:
    """What is wrong with a secret's value; empty if nothing is."""
    if value is None:
        return "is not set"
    if not value.strip():
        return "is empty"
    return "ends in a carriage return: it comes from a file with Windows line ends" if value.endswith("\r") else ""


def local_path(spec: Spec, path: str) -> Path:
    """The local path of a path in the config: `~` expanded, relative to project_root."""
    return spec.project_root / expanded(path)


def some(names: list[str]) -> str:
    """The first of the names, and how many more there are."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(name[:200] for name in names[:MOST_NAMED]) + more
