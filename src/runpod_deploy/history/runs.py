"""One run of this tool, read back as a spec and a state. Knows its folder; writes only the manifest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..machine.files import PRIVATE, write_atomically
from ..machine.limits import RECORD_BYTES
from ..machine.reading import read_end, read_limited
from ..record.fold import fold
from ..record.journal import SkippedRows, read_events
from ..record.lock import RunLock
from ..record.manifest import cost, log_facts, manifest, telemetry_files, word
from ..record.notes import notes_of
from ..record.paths import RunDir
from ..record.state import State
from ..spec import Spec
from ..spec.json import spec_from_json
from ..spec.strict_json import dumps, loads
from .folders import Unreadable, holds, why_unreadable
from .known_runs import is_held
from .manifests import Manifest, ManifestUnreadable, finite_number, is_settled, mappings, read_manifest

LOG_TAIL_BYTES = 4096
SAMPLE_BYTES = 65_536
"""More than one sample of many GPUs."""


class RunUnreadable(UsageError):
    """The folder does not hold a readable run of this tool."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}", hint="older runs have events and a manifest, but nothing to rebuild it from")
        self.path = str(path)
        self.why = why


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """One run, as its folder records it."""

    dir: RunDir
    spec: Spec
    state: State


def read_run(path: Path, unreadable: Unreadable | None) -> RecordedRun:
    """The run of that folder, finished or not. Raises RunUnreadable.

    Rows that this version does not know are skipped, and `unreadable`, if given, is called once for them.
    """
    run_dir = RunDir(path)
    try:
        spec = spec_from_json(read_limited(run_dir.spec, RECORD_BYTES).decode())
    except FileNotFoundError:
        raise RunUnreadable(path, f"holds no {run_dir.spec.name}, like the runs of the earlier tool") from None
    except (OSError, ValueError, TypeError) as error:
        raise RunUnreadable(run_dir.spec, why_unreadable(error)) from error
    skipped = SkippedRows()
    try:
        state = fold(read_events(run_dir.events, skipped), success_marker=spec.job.run.success_marker)
    except OSError as error:
        raise RunUnreadable(run_dir.events, why_unreadable(error)) from error
    if skipped.count and unreadable:
        unreadable(str(run_dir.events), str(skipped))
    return RecordedRun(run_dir, spec, state)


def rebuilt_manifest(run: RecordedRun, now: datetime) -> Manifest:
    """The manifest made from spec and events. Keys that others have added to the one on disk are kept."""
    log = log_facts(run.dir.log, whole=run.state.end.finished)
    files, notes = telemetry_files(run.dir.path), notes_of(run.spec, run.dir)
    made = manifest(run.spec, run.state, now=now, log=log, files=files, notes=notes)
    try:
        before = read_manifest(run.dir.manifest)
    except ManifestUnreadable:
        return made
    return {**made, **{key: value for key, value in before.items() if key not in made}}


def brought_up_to_date(path: Path, manifest: Manifest, now: datetime, unreadable: Unreadable) -> Manifest:
    """The manifest of that run dir; if its run has not ended, made anew from its journal for this moment."""
    run_dir = RunDir(path)
    if is_settled(manifest) or not holds(path, run_dir.spec.name, unreadable):
        return manifest
    try:
        return rebuilt_manifest(read_run(path, unreadable), now)
    except RunUnreadable as error:
        unreadable(error.path, error.why)
        return manifest


def rebuild_manifest(run: RecordedRun, now: datetime) -> Manifest:
    """Writes the manifest made from spec and events, and returns it. Raises OSError."""
    document = rebuilt_manifest(run, now)
    write_atomically(run.dir.manifest, dumps(document, indent=2) + "\n", mode=PRIVATE)
    return document


def may_cost(path: Path, unreadable: Unreadable) -> bool:
    """Whether this is a run of this tool that has not ended, or whose pod is not known to be released."""
    if not holds(path, RunDir(path).spec.name, unreadable):
        return False
    try:
        return not is_settled(read_manifest(path))
    except ManifestUnreadable:
        return True


def run_status(run: RecordedRun, now: datetime) -> dict[str, Any]:
    """The progress of a run, under the names that JSON shows."""
    state = run.state
    held = holder(run.dir)
    over = bool(held or state.end.finished or state.end.detached)
    return {
        "timestamp": run.dir.path.name,
        "run_id": run.spec.run_id,
        "state": word(state) if over else "left",
        "phase": state.progress.phase or None,
        "step": state.job.step,
        "pod_id": state.pod.id,
        "gpu_id": state.pod.gpu_id,
        "spent_usd": cost(state, now)["estimated_cost_usd"],
        "cost_cap_usd": run.spec.job.budget.cost_cap_usd,
        "stop_at": state.cost.stop_at.isoformat() if state.cost.stop_at else None,
        "last_line": last_line(run.dir.log),
        "held_by": held,
        "run_path": str(run.dir.path.absolute()),
        "job": run.spec.job.name,
        "variables": run.spec.variables,
        "metrics": dict(state.job.metrics),
        "links": dict(state.job.links),
        "since": since(state).isoformat() if state.started_at else None,
        "job_over": state.job.ended,
        "outcome": state.outcome if state.end.finished else None,
        "datacenter_id": state.pod.datacenter_id,
        "gpu_count": state.pod.gpu_count,
        "gpu_util_pct": None if state.end.released else gpu_load(run.dir.metrics),
        "usd_per_hour": state.cost.usd_per_hour if state.pod_may_exist else None,
        "guard_deadline": state.cost.guarded_until.isoformat() if state.cost.guarded_until else None,
    }


def since(state: State) -> datetime:
    """When the run came to where it is: its phase began, its job ended, or its process was heard last."""
    phases = state.progress.phases
    return phases[-1].started_at if phases and phases[-1].duration_s is None else state.last_at


def gpu_load(metrics: Path) -> float | None:
    """The mean load of the pod's GPUs in the last sample, in percent; None if there is none."""
    try:
        row = loads(read_end(metrics, SAMPLE_BYTES).splitlines()[-1])
        loads_pct = [value for gpu in mappings(row, "gpus") if (value := finite_number(gpu, "util_pct")) is not None]
    except (OSError, ValueError, IndexError, AttributeError):
        return None
    return sum(loads_pct) / len(loads_pct) if loads_pct else None


def holder(run_dir: RunDir) -> str | None:
    """The process that is working on the run, as it named itself; None if there is none."""
    return RunLock(run_dir).holder() if is_held(run_dir) else None


def last_line(log: Path) -> str | None:
    """The last line of the job's log that is not blank."""
    try:
        lines = read_end(log, LOG_TAIL_BYTES).decode(errors="replace").splitlines()
    except OSError:
        return None
    return next((line.strip() for line in reversed(lines) if line.strip()), None)
