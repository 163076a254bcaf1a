"""`validate`: finds the mistakes in a config, and what may surprise its user. Knows flags; the scans are elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click

from ..config import Draft, Finding, examine, parse_variables
from ..config.finding import raise_errors
from ..config.loading import in_file_order
from ..config.placeholders import is_about_placeholder
from ..errors import DeployError
from ..terminal.output import print_json, print_lines
from .findings import print_findings
from .options import INFO, config_option, json_option, variable_options, verbosity_options


@dataclass(frozen=True, slots=True, kw_only=True)
class Scans:
    """The checks beyond the file itself that are asked for."""

    check_local: bool
    check_availability: bool
    scan_consumer: bool
    check_image_registry: bool
    skip_registry_check: bool
    all: bool
    registry_url: str

    @property
    def registry(self) -> bool:
        """Whether to look up the image."""
        return (self.check_image_registry or self.all) and not self.skip_registry_check


@click.command
@config_option
@variable_options
@click.option("--check-local", is_flag=True, help="Check that the local paths in the file exist.")
@click.option("--check-availability", is_flag=True, help="Check GPUs, datacenters and stock.")
@click.option("--scan-consumer", is_flag=True, help="Check the project and the files that staging would send.")
@click.option("--check-image-registry", is_flag=True, help="Check the image's tag at Docker Hub.")
@click.option("--skip-registry-check", is_flag=True, help="With --all: do not ask Docker Hub.")
@click.option("--all", is_flag=True, help="Make all of these checks.")
@click.option("--registry-url", envvar="RUNPOD_DEPLOY_REGISTRY_URL", default="https://hub.docker.com", hidden=True)
@verbosity_options
@json_option
def validate(
    config: Path, var: tuple[str, ...], vars_file: Path | None, verbosity: int, as_json: bool, **flags: Any
) -> None:
    """Check a config without starting anything.

    A mistake ends with exit code 2; what is only unusual is a warning. Nothing is created and nothing is changed.
    """
    report = Report()
    report.look(config, (var, vars_file), Scans(**flags))
    if as_json:
        print_json(report.as_data(config))
    else:
        print_findings(report.findings, verbosity)
    raise_errors(report.findings, str(config))
    if report.error:
        raise report.error
    if report.draft and not as_json and verbosity <= INFO:
        job = report.draft.job
        print_lines([f"ok: {config} schema_version={job.schema_version} job={job.name}"])


class Report:
    """Everything that the checks have found so far."""

    def __init__(self) -> None:
        self.draft: Draft | None = None
        self.findings: list[Finding] = []
        self.error: DeployError | None = None

    def look(self, config: Path, variables: tuple[tuple[str, ...], Path | None], scans: Scans) -> None:
        """All checks that were asked for are done. With mistakes in the file, those that a run would make as well."""
        try:
            self.draft, self.findings = examine(config, cli_variables=parse_variables(*variables))
            if self.wrong:
                self.look_further(self.draft, scans)
            else:
                for finding in scanned(self.draft, scans):
                    self.findings.append(finding)
        except DeployError as error:
            self.error = error
        if self.draft:
            self.findings = in_file_order(self.findings, self.draft.document)

    @property
    def wrong(self) -> bool:
        """Whether a mistake was found."""
        return any(finding.level == "error" for finding in self.findings)

    def look_further(self, draft: Draft, scans: Scans) -> None:
        """What else would stop the run is found, although the file has mistakes: their values are placeholders."""
        mistaken = {finding.path for finding in self.findings if finding.level == "error"}
        if "local.project_root" in mistaken:
            return  # every local path would seem to be missing
        try:
            for finding in needed_by_run(replace(draft, with_mistakes=True), scans):
                if finding.path not in mistaken and not is_about_placeholder(finding):
                    self.findings.append(finding)
        except DeployError as error:
            if not is_about_placeholder(error):
                self.findings.append(Finding(message=error.message, hint=error.hint))

    def as_data(self, config: Path) -> dict[str, Any]:
        """The report as JSON."""
        findings = [asdict(finding) for finding in self.findings]
        if self.error:
            findings.append({"level": "error", "message": self.error.message, "hint": self.error.hint})
        return {"config": str(config), "ok": not (self.wrong or self.error), "findings": findings}


def scanned(draft: Draft, scans: Scans) -> Iterator[Finding]:
    """The findings of each check. Most calls ask for none, so a check is imported when it is asked for."""
    from ..scans import paths

    yield from paths.overwritten(draft)
    yield from paths.colliding(draft)
    yield from needed_by_run(draft, scans)
    if scans.all:
        yield from paths.landings(draft)
    if scans.scan_consumer or scans.all:
        yield from project_scans(draft)
    if scans.registry:
        from ..scans.registry import check_image

        yield check_image(draft, scans.registry_url)


def needed_by_run(draft: Draft, scans: Scans) -> Iterator[Finding]:
    """The findings about what a run needs, here and of the cloud."""
    from ..scans import paths

    if scans.check_local or scans.all:
        yield from paths.missing_here(draft)
    if scans.check_availability or scans.all:
        yield from availability(draft, required=scans.check_availability)


def local_warnings(draft: Draft) -> list[Finding]:
    """The warnings that `validate --all` would give without the network, for a run that is about to begin.

    A source that cannot be read ends them: the run's own check will say so.
    """
    from ..scans import paths

    found: list[Finding] = []
    try:
        for scan in (paths.overwritten, paths.colliding, project_scans):
            found.extend(finding for finding in scan(draft) if finding.level == "warning")
    except DeployError:
        pass
    return found


def project_scans(draft: Draft) -> Iterator[Finding]:
    """The findings about the project's files."""
    from ..scans import consumer, files, sources

    shipments = files.shipments_of(draft)
    yield from consumer.scan_project(draft)
    yield from files.upload_sizes(draft, shipments)
    yield from files.secrets_among(draft, shipments)
    yield from files.home_paths(draft, shipments)
    yield from files.excluded_although_required(draft, shipments)
    yield from sources.windows_scripts(draft, shipments)
    yield from sources.large_file_pointers(draft, shipments)
    yield from sources.dangling_links(draft, shipments)
    yield from sources.links_out(draft, shipments)
    yield from sources.windows_secrets(draft)


def availability(draft: Draft, *, required: bool) -> Iterator[Finding]:
    """The findings about GPUs and datacenters. A missing key is an error only if this check was asked for by name."""
    from ..config.settings import read_settings
    from ..scans.availability import check_availability
    from .access import real_cloud

    if required or read_settings().found_key:
        yield from check_availability(draft, real_cloud())
    else:
        yield Finding(message="GPUs and stock were not checked, because there is no API key", level="note")
