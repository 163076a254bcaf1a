"""The names of one run: its id, its job and its folder, as the folder records them. Knows files; decides nothing."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..machine.limits import RECORD_BYTES
from ..machine.reading import read_limited
from ..spec.instants import parse_instant
from ..spec.strict_json import loads
from .paths import RunDir, began_at

LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRun:
    """One run with all that may name it."""

    path: Path
    """The run dir, absolute."""
    run_id: str
    job: str
    """The name of the job; empty if it is not known."""
    begun_at: datetime

    def is_named(self, name: str) -> bool:
        """Whether this is the run's id or the name of its folder."""
        return name in (self.run_id, self.path.name)

    def begins_with(self, text: str) -> bool:
        """Whether the run's id or the name of its folder begins with this text."""
        return self.run_id.startswith(text) or self.path.name.startswith(text)


def read_name(path: Path) -> NamedRun | None:
    """The names of the run in this folder, from its spec or its manifest; None if neither can be read."""
    found = RunDir(path.absolute())
    spec = record_of(found.spec)
    if isinstance(run_id := spec.get("run_id"), str):
        job = spec.get("job")
        return named(found.path, run_id, job.get("name") if isinstance(job, dict) else "", spec.get("created_at"))
    manifest = record_of(found.manifest)
    if not manifest:
        return None
    begun = manifest.get("started_at_utc") or manifest.get("pulled_at_utc")
    return named(found.path, manifest.get("run_id"), manifest.get("job_name"), begun)


def named(path: Path, run_id: object, job: object, begun: object) -> NamedRun:
    """The run of these values, which may be of any kind: a manifest may be written by hand."""
    at = began_at(path.name) or (parse_instant(begun) if isinstance(begun, str) else None)
    return NamedRun(path=path, run_id=text(run_id) or path.name, job=text(job), begun_at=at or LONG_AGO)


def text(value: object) -> str:
    """The value if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def record_of(path: Path) -> dict[str, Any]:
    """The JSON object in the file; empty if there is none that can be read."""
    with suppress(OSError, ValueError, RecursionError):
        found = loads(read_limited(path, RECORD_BYTES).decode())
        return found if isinstance(found, dict) else {}
    return {}
