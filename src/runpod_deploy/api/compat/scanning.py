"""The checks of `validate` as functions of a job context, which log what they find."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from ...config import Draft, Finding
from ...live import connect_cloud
from ...scans import consumer, files
from ...scans.availability import check_availability
from ...scans.registry import check_image
from ..jobs import JobContext, as_draft
from .runpodctl import datacenters

logger = logging.getLogger("runpod_deploy.preflight")
LEVELS = {"error": logging.ERROR, "warning": logging.WARNING}


def check_gpu_availability(ctx: JobContext) -> None:
    """The log has each unknown GPU and each low stock. Raises StockOut, a RuntimeError, if nothing is in stock."""
    report(check_availability(draft_of(ctx), connect_cloud()))


def check_image_registry(ctx: JobContext) -> None:
    """The log has a warning if Docker Hub does not have the image. Never raises."""
    report([check_image(draft_of(ctx))])


def scan_consumer_pyproject(ctx: JobContext) -> None:
    """The log has a warning for each mistake in the project's dependencies."""
    report(consumer.scan_project(draft_of(ctx)))


def scan_staged_payloads_for_absolute_paths(ctx: JobContext) -> None:
    """The log has a warning for each path of a home folder in the files that would be uploaded."""
    draft = draft_of(ctx)
    report(files.home_paths(draft, files.shipments_of(draft)))


def fetch_datacenter_payload(datacenter_id: str) -> Mapping[str, Any]:
    """The stock of one datacenter, as `runpodctl datacenter list -o json` has it. Raises RuntimeError."""
    rows = datacenters(connect_cloud(), [])
    found = next((row for row in rows if row["id"] == datacenter_id), None)
    if found is None:
        raise RuntimeError(f"there is no datacenter {datacenter_id!r}; known are {', '.join(r['id'] for r in rows)}")
    return found


def draft_of(ctx: JobContext) -> Draft:
    """The job of the context with its values."""
    return as_draft(ctx.spec, ctx.config_path, {name: ctx.variables[name] for name in ctx.spec.variables})


def report(findings: Iterable[Finding]) -> None:
    """The log has every finding."""
    for finding in findings:
        logger.log(LEVELS.get(finding.level, logging.INFO), "%s", finding)
