"""One manifest as a dictionary, whether of v1, of v2, of this tool or written by hand. Knows its keys only."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..machine.limits import RECORD_BYTES
from ..machine.reading import read_limited
from ..record.paths import MANIFEST_NAME
from .folders import Unreadable, why_unreadable

Manifest = dict[str, Any]


class ManifestUnreadable(UsageError):
    """There is no manifest at that path, or it cannot be read."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}", hint="name a run dir or its manifest; `ls-runs --all` lists all run dirs")
        self.path = path
        self.why = why

    @property
    def missing(self) -> bool:
        """Whether there is no such file."""
        return isinstance(self.__cause__, FileNotFoundError) and not Path(self.path).is_symlink()


def read_manifest(path: Path | str) -> Manifest:
    """The manifest of that file or run dir. Raises ManifestUnreadable."""
    return parse_manifest(str(manifest_path(Path(path))))


def manifest_path(path: Path) -> Path:
    """The path of the manifest, from its own path or that of its run dir."""
    return path / MANIFEST_NAME if path.is_dir() else path


def parse_manifest(path: str) -> Manifest:
    """The manifest of that file. Raises ManifestUnreadable."""
    try:
        found = json.loads(read_limited(path, RECORD_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise ManifestUnreadable(path, why_unreadable(error)) from error
    if not isinstance(found, dict):
        raise ManifestUnreadable(path, "not a JSON object")
    return found


def read_manifests(
    paths: Iterable[str], unreadable: Unreadable, read: Callable[[str], Manifest] = parse_manifest
) -> Iterator[tuple[str, Manifest | None]]:
    """Each path with the manifest of that file, or with None if it cannot be read."""
    for path in paths:
        try:
            yield path, read(path)
        except ManifestUnreadable as error:
            unreadable(error.path, error.why)
            yield path, None


def is_settled(manifest: Manifest) -> bool:
    """Whether the manifest is final: its run has ended and its pod is released, or it is of an older tool."""
    return manifest.get("state") in (None, "finished") and manifest.get("outcome") != "unreleased"


def finite_number(record: dict[str, Any], key: str) -> float | None:
    """The finite number at that key; None for anything else."""
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def mapping(record: dict[str, Any], key: str) -> dict[str, Any]:
    """The object at that key; empty for anything else."""
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def mappings(record: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects in the list at that key; other values are left out."""
    value = record.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def has_failed(manifest: Manifest) -> bool | None:
    """Whether the run failed; None while it runs, or if the manifest does not tell."""
    value = manifest.get("failed")
    return value if isinstance(value, bool) else None
