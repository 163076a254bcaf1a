"""Jobs from YAML or from Python, and the values of their templates. Knows no pod and sends nothing."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ..config import checks
from ..config.document import Document, read_bytes
from ..config.draft import Draft
from ..config.finding import Finding, raise_errors
from ..config.layers import read_layers
from ..config.legacy import upgrade
from ..config.loading import project_root as project_root_of
from ..config.rendering import names_of, values_of
from ..config.schema import validate
from ..machine.clock import SystemClock
from ..record.paths import RUNS_DIR, time_stamp
from ..spec import RunpodJobSpec
from ..spec.places import expanded
from ..spec.templates import UnknownNameError, render

logger = logging.getLogger("runpod_deploy")


@dataclass(frozen=True, slots=True)
class JobContext:
    """A job with an identity, and the values of its `{name}`s."""

    config_path: Path
    """Absolute."""
    spec: RunpodJobSpec
    """As given: its templates are not rendered."""
    run_id: str
    run_dir: Path
    """Absolute; the folder is not created."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The value of every name, including the built-in ones."""

    def render(self, value: str) -> str:
        """The text with its names replaced, once. Raises KeyError for an unknown name."""
        try:
            return render(value, self.variables)
        except UnknownNameError as error:
            raise KeyError(f"{error} in {value!r}") from error

    def render_path(self, value: str, *, base: Path | None = None) -> Path:
        """The rendered path with `~` expanded, relative to base or else to project_root. Raises KeyError."""
        return (base or Path(self.variables["project_root"])) / expanded(self.render(value))


def load_job_spec(path: Path | str) -> RunpodJobSpec:
    """The job of a YAML file, checked, with its templates not yet rendered.

    Raises ConfigError with every mistake on a line of its own. What is only unusual is logged as a warning.
    """
    document = read_layers(Path(path))
    plain, findings = upgrade(document.value, document)
    job, mistakes = validate(plain, document)
    found = [*document.findings, *findings, *mistakes]
    raise_errors(found, str(path))
    raise_errors(checks.budget(job, document), str(path))
    warn(found)
    return job


def warn(findings: list[Finding]) -> None:
    """The log has every finding that is not an error."""
    for finding in findings:
        logger.warning("%s", finding)


def build_job_context(
    spec: RunpodJobSpec,
    config_path: Path | str,
    *,
    cli_variables: Mapping[str, str] | None = None,
    timestamp: str | datetime | None = None,
) -> JobContext:
    """The job with an identity made from `timestamp` (by default now), and the value of every name.

    cli_variables replace the job's own before anything is rendered. Raises ConfigError for names that are
    unknown or that refer to themselves.
    """
    draft = as_draft(spec, Path(config_path), cli_variables or {})
    stamp = stamp_of(timestamp)
    run_dir = draft.project_root / RUNS_DIR / stamp
    names = names_of(spec, {**spec.variables, **draft.cli_variables}, draft.constants(run_dir), stamp)
    values, wrong = values_of(names)
    raise_errors([draft.name_finding(*pair) for pair in wrong if draft.has_own(pair[0])], str(config_path))
    return JobContext(draft.path, spec, values["run_id"], run_dir, values)


def as_draft(job: RunpodJobSpec, config_path: Path, cli_variables: Mapping[str, str]) -> Draft:
    """The job as if it had been read from this file. The job may come from Python, and the file need not exist."""
    raw = read_bytes(config_path) if config_path.is_file() else b""
    document = Document(source=str(config_path), raw=raw)
    root, wrong = project_root_of(job, config_path, cli_variables, document)
    raise_errors(wrong, str(config_path))
    return Draft(
        document=document,
        path=config_path.absolute(),
        job=job,
        cli_variables=dict(cli_variables),
        project_root=root,
        config_sha256=hashlib.sha256(raw).hexdigest(),
    )


def stamp_of(timestamp: str | datetime | None) -> str:
    """The instant in the form in which run ids end."""
    if isinstance(timestamp, str):
        return timestamp
    return time_stamp(timestamp or SystemClock().now())


def validate_local_paths(ctx: JobContext) -> None:
    """Returns if every one of local.required_paths exists. Raises FileNotFoundError that names all that do not."""
    paths = [ctx.render_path(path) for path in ctx.spec.local.required_paths]
    if missing := [str(path) for path in paths if not path.exists()]:
        raise FileNotFoundError(f"required paths do not exist: {', '.join(missing)}")
