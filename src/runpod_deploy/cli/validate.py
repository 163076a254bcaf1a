"""`validate`: is this config right, and what would surprise its user? Knows streams; the scans are elsewhere."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import click

from ..config import Finding, examine, parse_variables
from ..config.finding import refuse
from .options import config_option, json_option, variable_options, verbosity_options


@click.command()
@config_option
@variable_options
@verbosity_options
@json_option
def validate(config: Path, var: tuple[str, ...], vars_file: Path | None, verbosity: int, as_json: bool) -> None:
    """Check a config without starting anything."""
    draft, findings = examine(config, cli_variables=parse_variables(var, vars_file))
    if as_json:
        click.echo(json.dumps({"config": str(config), "findings": [asdict(f) for f in findings]}, indent=2))
    else:
        tell(findings)
    refuse(findings, str(config))
    if not as_json and verbosity <= logging.INFO:
        click.echo(f"ok: {config} schema_version={draft.job.schema_version} job={draft.job.name}")


def tell(findings: Iterable[Finding]) -> None:
    """Every finding that is no error is on stderr."""
    for finding in findings:
        if finding.level != "error":
            click.echo(f"{finding.level}: {finding}", err=True)
