"""Reading of a file and flags into a draft, or into all mistakes at once. Knows the order of the steps."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..machine.files import real
from ..spec import RunpodJobSpec
from ..spec.places import expanded
from ..spec.templates import CycleError, TooLongError, UnknownNameError, resolve
from . import checks
from .document import Document
from .draft import TRIAL_STAMP, Draft
from .finding import Finding, raise_errors
from .layers import apply_overrides, read_layers
from .legacy import upgrade
from .schema import validate

NOTHING: Mapping[str, Any] = MappingProxyType({})


def load(path: Path, *, cli_variables: Mapping[str, str] = NOTHING, overrides: Mapping[str, object] = NOTHING) -> Draft:
    """The config of a file, checked as far as possible before it runs.

    overrides are values set by flags, by dotted path; None stands for a flag that was not given.
    Raises ConfigError, whose message has a line for every mistake.
    """
    draft, findings = examine(path, cli_variables=cli_variables, overrides=overrides)
    raise_errors(findings, str(path))
    return draft


def examine(
    path: Path, *, cli_variables: Mapping[str, str] = NOTHING, overrides: Mapping[str, object] = NOTHING
) -> tuple[Draft, list[Finding]]:
    """The draft and all findings about it, in the order of the file.

    If one of the findings is an error, the draft must not be used. Raises ConfigError for a file that is not YAML.
    """
    document = read_layers(path)
    job, findings = checked_job(document, overrides)
    findings += checks.of_job(job, cli_variables, document)
    root, wrong = project_root(job, path, cli_variables, document)
    draft = Draft(
        document=document,
        path=path.absolute(),
        job=job,
        cli_variables=dict(cli_variables),
        project_root=root,
        config_sha256=hashlib.sha256(document.raw).hexdigest(),
    )
    findings = in_file_order([*findings, *wrong, *trial_findings(draft)], document)
    return replace(draft, findings=tuple(f for f in findings if f.level != "error")), findings


def checked_job(document: Document, overrides: Mapping[str, object]) -> tuple[RunpodJobSpec, list[Finding]]:
    """The job of a document and its flags, and the mistakes in its fields."""
    plain, findings = upgrade(document.value, document)
    apply_overrides(plain, overrides, document)
    job, mistakes = validate(plain, document)
    return job, [*document.findings, *findings, *mistakes]


def project_root(
    job: RunpodJobSpec, path: Path, cli_variables: Mapping[str, str], document: Document
) -> tuple[Path, list[Finding]]:
    """The project's folder, absolute, and the mistakes in it. It may refer to variables and to config_dir."""
    folder = path.absolute().parent
    templates = {"config_dir": "", **job.variables, **cli_variables, "": job.local.project_root}
    values = {} if templates["config_dir"] else {"config_dir": str(folder)}
    loc = ("local", "project_root")
    try:
        resolve("", templates, values)
        root = real(folder / expanded(values[""]))
        at_home = root == real(Path.home())
    except (UnknownNameError, CycleError, TooLongError, RuntimeError) as error:
        return folder, [document.finding(loc, str(error))]
    if at_home:
        message = "is your home folder, all of which would be uploaded"
        return root, [document.finding(loc, message, hint="name the folder of the project")]
    return root, []


def trial_findings(draft: Draft) -> list[Finding]:
    """The mistakes that rendering the templates of a run would find."""
    if len(draft.job.variables) > checks.MOST_VARIABLES:
        return []
    return draft.try_render(stamp=TRIAL_STAMP, run_dir=draft.trial_run_dir, created_at=datetime.min)[1]


def in_file_order(findings: list[Finding], document: Document) -> list[Finding]:
    """Each finding once: first those of flags and base files, then by line."""
    unique = {(finding.source, finding.path, finding.message): finding for finding in findings}
    return sorted(unique.values(), key=lambda f: (f.source == document.source, f.source, f.line))
