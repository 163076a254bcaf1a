"""The findings of a config's checks, as lines on stderr."""

from __future__ import annotations

from collections.abc import Iterable

from ..config.finding import Finding
from ..terminal.output import print_err
from .options import INFO


def print_findings(findings: Iterable[Finding], verbosity: int) -> None:
    """Warnings are on stderr, and notes unless the command is to be quiet. Errors are raised elsewhere."""
    for finding in findings:
        if finding.level == "warning" or (finding.level == "note" and verbosity <= INFO):
            print_err(f"{finding.level}: {finding}")
