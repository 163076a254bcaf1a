"""The check of everything that can be known before anything is paid."""

from __future__ import annotations

from pathlib import Path

from ..errors import ConfigError
from ..run import Run
from ..spec import SecretSpec, Spec
from ..spec.places import expanded


def check(run: Run) -> None:
    """Everything that the run needs from this machine exists: paths, secrets and sources. Raises ConfigError."""
    if run.state.request.made:
        return  # a resumed run has passed this check, and its sources may be gone by now
    problems = [*missing_paths(run.spec), *missing_secrets(run), *missing_sources(run.spec)]
    if problems:
        raise ConfigError("; ".join(problems), hint="nothing was started; put these in place and run again")


def missing_paths(spec: Spec) -> list[str]:
    """A line for each required path that does not exist."""
    local = spec.job.local
    return [
        f"local.required_paths[{i}]: {path} does not exist"
        for i, path in enumerate(local.required_paths)
        if not local_path(spec, path).exists()
    ]


def missing_sources(spec: Spec) -> list[str]:
    """A line for each staging source that does not exist."""
    return [
        f"staging[{i}].source: {entry.source} does not exist"
        for i, entry in enumerate(spec.job.staging)
        if not local_path(spec, entry.source).exists()
    ]


def missing_secrets(run: Run) -> list[str]:
    """A line for each secret whose value is not here."""
    return [line for secret in run.spec.job.secrets for line in missing_values(run, secret)]


def missing_values(run: Run, secret: SecretSpec) -> list[str]:
    """A line for each value of one secret that is not here."""
    if secret.file is not None and not local_path(run.spec, secret.file).is_file():
        return [f"secrets: {secret.name}: the file {secret.file} does not exist"]
    unset = [name for name in secret.env if name not in run.world.environ]
    return [f"secrets: {secret.name}: the environment variable {name} is not set" for name in unset]


def local_path(spec: Spec, path: str) -> Path:
    """The local path of a path in the config: `~` expanded, relative to project_root."""
    return spec.project_root / expanded(path)
