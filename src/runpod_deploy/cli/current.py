"""Manifests as commands show them: that of a run which has not ended says what is true now. Changes none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

from ..history.folders import MANIFEST_NAME, Unreadable
from ..history.manifests import Manifest, is_settled, manifest_path, read_manifest, read_manifests
from ..terminal.output import warn


def current(path: Path | str, now: datetime, unreadable: Unreadable = warn) -> Manifest:
    """The manifest of that file or run dir. Raises ManifestUnreadable."""
    manifest, where = read_manifest(path), manifest_path(Path(path))
    if is_settled(manifest) or where.name != MANIFEST_NAME:
        return manifest
    from ..history.runs import brought_up_to_date  # the story of a run is slow to import, and only needed here

    return brought_up_to_date(where.parent, manifest, now, unreadable)


def currents(
    paths: Iterable[str], now: datetime, unreadable: Unreadable = warn
) -> Iterator[tuple[str, Manifest | None]]:
    """Each path of a file with its manifest, or with None if it cannot be read, which is told."""
    return read_manifests(paths, unreadable, partial(current, now=now, unreadable=unreadable))
