"""Manifests as commands show them: for a run that has not ended, brought up to date in memory. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

from ..history.folders import Unreadable
from ..history.manifests import Manifest, is_settled, manifest_path, read_manifest, read_manifests
from ..record.paths import MANIFEST_NAME
from ..terminal.output import warn


def current(path: Path | str, now: datetime, unreadable: Unreadable = warn) -> Manifest:
    """The manifest of this file or run dir, up to date. Raises ManifestUnreadable."""
    manifest, where = read_manifest(path), manifest_path(Path(path))
    if is_settled(manifest) or where.name != MANIFEST_NAME:
        return manifest
    from ..history.runs import brought_up_to_date  # slow to import, and only needed here

    return brought_up_to_date(where.parent, manifest, now, unreadable)


def currents(
    paths: Iterable[str], now: datetime, unreadable: Unreadable = warn
) -> Iterator[tuple[str, Manifest | None]]:
    """Each path with its manifest, or with None if it cannot be read, which is reported."""
    return read_manifests(paths, unreadable, partial(current, now=now, unreadable=unreadable))
