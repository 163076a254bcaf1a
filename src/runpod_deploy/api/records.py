"""Records of past runs, for scripts and notebooks. Writes nothing. What cannot be read is logged and left out."""

from __future__ import annotations

import logging
from pathlib import Path

from ..history import folders
from ..history.events import Row, read_rows
from ..history.manifests import Manifest, ManifestUnreadable, manifest_path, read_manifest
from ..history.runs import brought_up_to_date
from ..machine.clock import SystemClock
from ..record.paths import MANIFEST_NAME

__all__ = ["load_events", "load_manifest", "walk_run_dirs"]

logger = logging.getLogger("runpod_deploy")


def walk_run_dirs(project_root: Path | str) -> list[Path]:
    """The run dirs of a project that hold a manifest, oldest first. Folders that cannot be read are logged."""
    return folders.walk_run_dirs(project_root, warn)


def load_manifest(path: Path | str) -> Manifest | None:
    """The manifest of this file or run dir; None, with a warning in the log, if it cannot be read.

    The manifest of a run that has not ended is brought up to date from the journal.
    """
    try:
        manifest, where = read_manifest(path), manifest_path(Path(path))
    except ManifestUnreadable as error:
        warn(error.path, error.why)
        return None
    if where.name != MANIFEST_NAME:
        return manifest
    return brought_up_to_date(where.parent, manifest, SystemClock().now(), warn)


def load_events(run_dir_or_file: Path | str) -> list[Row]:
    """The events of this run dir or file, in order. Lines that cannot be read are left out, with a warning."""
    return list(read_rows(run_dir_or_file, warn))


def warn(path: str, reason: str) -> None:
    """The log names what could not be read."""
    logger.warning("%s: %s", path, reason)
