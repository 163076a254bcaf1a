"""The manifest: one JSON summary of a run, which can be made again at any time from its spec and its state.

It has every key of schema version "v2" of the older tool, in that order, and then our own keys.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from .. import __version__
from ..machine.files import PRIVATE, write_atomically
from ..machine.limits import LOG_BYTES
from ..machine.reading import open_regular
from ..money import Rental, spent_between_usd, spent_usd
from ..spec import ArtifactPullSpec, Spec
from ..spec.instants import shifted
from ..spec.strict_json import dumps
from .notes import Notes, notes_of
from .parts import Artifact, PhaseTime
from .paths import EVENTS_NAME, METRICS_NAME, RunDir
from .state import State

TELEMETRY_FILES = (
    EVENTS_NAME,
    METRICS_NAME,
    "nvidia_smi_start.txt",
    "nvidia_smi_end.txt",
    "pod_describe_start.json",
    "pod_describe_end.json",
    "remote_env.json",
    "pip_freeze.txt",
    "dmesg_tail.txt",
)


def write_manifest(spec: Spec, state: State, run_dir: RunDir, now: datetime) -> None:
    """The manifest on disk is that of this state. Raises OSError."""
    log = log_facts(run_dir.log, whole=state.end.finished)
    files, notes = telemetry_files(run_dir.path), notes_of(spec, run_dir)
    document = manifest(spec, state, now=now, log=log, files=files, notes=notes)
    write_atomically(run_dir.manifest, dumps(document, indent=2) + "\n", mode=PRIVATE)


def manifest(
    spec: Spec,
    state: State,
    *,
    now: datetime,
    log: dict[str, Any] | None,
    files: list[str],
    notes: Notes | None = None,
) -> dict[str, Any]:
    """The manifest of a run in this state. Without notes, it has those that the run began with."""
    job = spec.job
    said = notes or Notes(spec.tags, spec.note)
    failure = state.failure
    return {
        "schema_version": "v2",
        "pulled_at_utc": (state.end.finished_at or now).isoformat(),
        "failed": (failure is not None or state.pod_may_exist) if state.end.finished else None,
        "job_name": job.name,
        "run_id": spec.run_id,
        "config_path": str(spec.config_path),
        "storage_mode": job.storage.mode,
        "datacenter_id": state.pod.datacenter_id,
        "gpu_id": state.pod.gpu_id,
        **price(state),
        "pod_id": state.pod.id,
        "pod_final_state": state.pod.final_state or state.end.status_before,
        "pod_resumed": state.pod.resumed,
        "image": job.pod.image,
        "cost_cap_usd": job.budget.cost_cap_usd,
        **cost(state, now),
        "volume_mount": job.storage.volume_mount,
        "volume_name": job.storage.volume_name,
        "volume_gb": job.storage.volume_gb,
        "deploy_metadata": {**spec.metadata, **dict(state.pod.remote_env)},
        "artifacts": [artifact(entry, dict(state.work.artifacts).get(entry.label)) for entry in job.artifacts],
        "telemetry_files": files,
        "state": word(state),
        "outcome": state.outcome if state.end.finished else None,
        "exit_code": state.exit_code if state.end.finished else None,
        "job_exit_code": state.job.exit_code,
        "failure": failure
        and {
            "kind": failure.kind,
            "phase": failure.phase,
            "message": failure.message,
            "transient": failure.transient,
        },
        "resumptions": [{"at_utc": at.isoformat(), "after": event} for at, event in state.progress.resumptions],
        "phases": [phase_row(phase, state.cost.rentals, now) for phase in state.progress.phases],
        "variables": spec.variables,
        "tags": said.tags,
        "note": said.note,
        "metrics": dict(state.job.metrics),
        "links": dict(state.job.links),
        "cloud_type": state.pod.cloud_type or job.pod.cloud_type,
        "gpu_count": job.pod.gpu_count if state.pod.gpu_count is None else state.pod.gpu_count,
        "started_at_utc": stamp(state.started_at),
        "finished_at_utc": stamp(state.end.finished_at),
        "billed_sec": rented_s(state, now),
        "pods": [pod_row(rental, now) for rental in state.cost.rentals],
        "discarded_pods": list(state.pod.abandoned),
        "left_usd_per_day": left(state),
        "tool": {"name": "runpod-deploy", "version": __version__},
        "config_sha256": spec.config_sha256,
        "python_version": state.pod.python_version,
        "log": log,
        **bill(state),
        **({} if state.request.taken_from is None else {"adopted_from": state.request.taken_from}),
        **({"elsewhere_usd": round(state.cost.elsewhere_usd, 4)} if state.cost.elsewhere_usd else {}),
    }


def bill(state: State) -> dict[str, Any]:
    """The amount on RunPod's bill; no key if the bill was never asked for."""
    return (
        {}
        if state.cost.bill_settled is None
        else {"billed_usd": state.cost.billed_usd, "bill_settled": state.cost.bill_settled}
    )


def word(state: State) -> str:
    """One word for where the run is: running, detached or finished."""
    if state.end.finished:
        return "finished"
    return "detached" if state.end.detached else "running"


def price(state: State) -> dict[str, Any]:
    """The real price of the pod, and the source of that price."""
    return {"gpu_price_per_hour_usd": state.cost.usd_per_hour, "gpu_price_source": state.cost.price_source}


def cost(state: State, now: datetime) -> dict[str, Any]:
    """Time and cost of all pods of the run, from creation to confirmed end, discarded pods included.

    Both are None while a request has no answer: then nobody knows whether there is a pod.
    """
    if not state.cost.rentals and state.pod_may_exist:
        return {"wall_time_sec": None, "estimated_cost_usd": None}
    usd = round(state.cost.spent_usd(now), 4)
    return {"wall_time_sec": rented_s(state, now), "estimated_cost_usd": usd}


def rented_s(state: State, now: datetime) -> float:
    """Seconds for which pods of the run cost money."""
    return round(sum((rental.seconds(now) for rental in state.cost.rentals), 0.0), 3)


def left(state: State) -> float | None:
    """The cost per day of the pod that the run has left; None if it left none."""
    usd = state.left_usd_per_day if state.end.released and state.pod.id else None
    return None if usd is None else round(usd, 6)


def pod_row(rental: Rental, now: datetime) -> dict[str, Any]:
    """One pod's rental: start, end, rate and cost."""
    return {
        "pod_id": rental.pod_id,
        "usd_per_hour": round(rental.usd_per_hour, 6),
        "since_utc": rental.since_at.isoformat(),
        "until_utc": stamp(rental.until_at),
        "cost_usd": round(spent_usd([rental], now), 6),
    }


def phase_row(phase: PhaseTime, rentals: tuple[Rental, ...], now: datetime) -> dict[str, Any]:
    """One phase: start, duration, and the cost of pods in that time."""
    end_at = now if phase.duration_s is None else shifted(phase.started_at, phase.duration_s)
    return {
        "name": phase.name,
        "started_at": phase.started_at.isoformat(),
        "duration_sec": phase.duration_s,
        "cost_usd": round(spent_between_usd(rentals, phase.started_at, end_at), 6),
    }


def artifact(entry: ArtifactPullSpec, done: Artifact | None) -> dict[str, Any]:
    """One artifact as the spec has it, and the result of pulling it."""
    row: dict[str, Any] = {
        "label": entry.label,
        "remote_path": entry.remote_path,
        "local_path": entry.local_path,
        "required": entry.required,
        "excludes": list(entry.excludes),
        "delete": entry.delete,
        "status": done.status if done else None,
        "bytes_transferred": done.bytes_transferred if done else None,
        "duration_sec": done.duration_s if done else None,
    }
    if done and done.error:
        row["error"] = done.error[:500]
    if done and done.status == "success" and done.files == 0 and entry.required:
        row["warning"] = "it has no files"
    return {**row, "files": done.files if done else None, "sha256": (done.sha256 or None) if done else None}


def stamp(at: datetime | None) -> str | None:
    """The instant as ISO text."""
    return at.isoformat() if at else None


def log_facts(path: Path, *, whole: bool) -> dict[str, Any] | None:
    """Name and size of the mirrored log; its hash once the log is whole, if it can be read. None if there is no log."""
    if not path.exists():
        return None
    facts: dict[str, Any] = {"path": path.name, "bytes": path.stat().st_size, "sha256": None}
    if whole:
        with suppress(OSError), os.fdopen(open_regular(path, LOG_BYTES), "rb") as file:
            facts["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
    return facts


def telemetry_files(run_dir: Path) -> list[str]:
    """The names of the record files that exist beside the manifest."""
    return [name for name in TELEMETRY_FILES if (run_dir / name).exists()]
