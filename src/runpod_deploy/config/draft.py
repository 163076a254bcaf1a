"""A valid config, and its rendering into a spec. Knows no network and no clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from ..spec import RunpodJobSpec, Spec
from ..spec.job import RUNS_DIR
from ..spec.plain import to_plain
from . import checks
from .document import Document
from .finding import Finding, Loc, dotted, raise_errors
from .rendering import Renderer, names_of, values_of
from .schema import validate

# Used in place of a run's time stamp before there is one; it has the same length.
TRIAL_STAMP = "00000000T000000Z"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A valid job from a file and flags, whose templates are not rendered yet."""

    document: Document
    path: Path
    """The file, absolute."""
    job: RunpodJobSpec
    cli_variables: Mapping[str, str]
    project_root: Path
    """Absolute."""
    config_sha256: str
    findings: tuple[Finding, ...] = ()
    """Warnings and notes."""
    with_mistakes: bool = False
    """Whether the file has mistakes, so that some values are placeholders: it is only good for further checks."""

    @property
    def name(self) -> str:
        """The job's name, rendered."""
        return self.trial.job.name

    @property
    def run_id_prefix(self) -> str:
        """The start of run ids, rendered."""
        return self.trial.job.run_id_prefix

    @cached_property
    def trial(self) -> Spec:
        """The spec of an imaginary run, for checks before a run has an id. Raises ConfigError."""
        if self.with_mistakes:
            return self.try_render(stamp=TRIAL_STAMP, run_dir=self.trial_run_dir, created_at=datetime.min)[0]
        return self.render(stamp=TRIAL_STAMP, run_dir=self.trial_run_dir, created_at=datetime.min)

    @property
    def trial_run_dir(self) -> Path:
        """The run dir of that imaginary run."""
        return self.project_root / RUNS_DIR / TRIAL_STAMP

    def render(self, *, stamp: str, run_dir: Path, created_at: datetime, run_id: str = "") -> Spec:
        """The spec of the run with this stamp or id. Raises ConfigError with every field that cannot be rendered."""
        spec, findings = self.try_render(stamp=stamp, run_dir=run_dir, created_at=created_at, run_id=run_id)
        raise_errors(findings, self.document.source)
        return spec

    def try_render(
        self, *, stamp: str, run_dir: Path, created_at: datetime, run_id: str = ""
    ) -> tuple[Spec, list[Finding]]:
        """The spec of a run, and the mistakes in it. With mistakes, the spec must not be used."""
        names = names_of(self.job, self.variables, self.constants(run_dir), stamp, run_id)
        values, wrong = values_of(names)
        job, findings = self.rendered(values, stamp)
        findings += [self.name_finding(*pair) for pair in wrong if self.has_own(pair[0])]
        findings += [] if findings else checks.of_rendered(job, self.project_root, self.document)
        return self.spec(job, values, created_at), findings

    @property
    def variables(self) -> dict[str, str]:
        """The user's variables, not rendered yet; those of the command line override those of the file."""
        return {**self.job.variables, **self.cli_variables}

    def rendered(self, values: Mapping[str, str], stamp: str) -> tuple[RunpodJobSpec, list[Finding]]:
        """The job with its templates rendered, and the mistakes in it: rendered values are validated again."""
        renderer = Renderer(values, stamp)
        plain = renderer.job(to_plain(self.job))
        findings = [self.document.finding(*pair) for pair in renderer.wrong]
        job, more = validate(plain, self.document)
        return job, findings + more

    def spec(self, job: RunpodJobSpec, values: Mapping[str, str], created_at: datetime) -> Spec:
        """The spec of a rendered job."""
        return Spec(
            run_id=values["run_id"],
            config_path=self.path,
            project_root=self.project_root,
            job=job,
            variables={name: values[name] for name in self.variables},
            origins=self.origins(to_plain(job)),
            config_sha256=self.config_sha256,
            created_at=created_at,
        )

    def constants(self, run_dir: Path) -> dict[str, str]:
        """The names that stand for folders."""
        return {
            "config_dir": str(self.path.parent),
            "project_root": str(self.project_root),
            "run_dir": str(run_dir),
        }

    def has_own(self, name: str) -> bool:
        """Whether a name has a template of its own. The run id has none if it is made from the job's name."""
        return name != "run_id" or bool(self.job.run_id_prefix)

    def name_finding(self, name: str, message: str) -> Finding:
        """A finding about the template of a name."""
        loc: Loc = {"job_name": ("name",), "run_id": ("run_id_prefix",)}.get(name, ("variables", name))
        if name in self.cli_variables:
            return Finding(message=message, source="--var", path=name)
        return self.document.finding(loc, message)

    def origins(self, plain: Any) -> dict[str, str]:
        """The origin of each value, by dotted path."""
        origins = dict(_origins(plain, (), self.document))
        return {**origins, **{f"variables.{name}": "--var" for name in self.cli_variables}}


def _origins(plain: Any, loc: Loc, document: Document) -> Iterator[tuple[str, str]]:
    """Dotted path and origin of every value."""
    if isinstance(plain, dict) and plain:
        for key, value in plain.items():
            yield from _origins(value, (*loc, key), document)
    elif isinstance(plain, list) and plain:
        for i, value in enumerate(plain):
            yield from _origins(value, (*loc, i), document)
    else:
        yield dotted(loc), origin_of(loc, document)


def origin_of(loc: Loc, document: Document) -> str:
    """`file:line`, a flag, or `default`."""
    position = document.positions.get(loc)
    if position is None:
        return "default"
    return f"{position.source}:{position.line}" if position.line else position.source
