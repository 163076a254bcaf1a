"""Manifests that a script writes itself, for work that no run has recorded. A run writes its own manifest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...machine.clock import SystemClock
from ...machine.files import PRIVATE, write_atomically
from ...record.paths import MANIFEST_NAME
from ...spec import ArtifactPullSpec
from ...spec.strict_json import dumps
from ..jobs import JobContext
from .remote import PodConnection


@dataclass(frozen=True, slots=True)
class ArtifactResult:
    """The result of pulling one artifact."""

    label: str
    status: str
    bytes_transferred: int | None = None
    duration_sec: float | None = None
    error: str | None = None


def build_pull_manifest(
    ctx: JobContext,
    *,
    failed: bool,
    pod: PodConnection | None,
    datacenter_id: str | None = None,
    deploy_metadata: Mapping[str, Any] | None = None,
    artifact_results: Sequence[ArtifactResult] = (),
    telemetry_files: Iterable[Path | str] = (),
    wall_time_sec: float | None = None,
    gpu_price_per_hour_usd: float | None = None,
    gpu_price_source: str | None = None,
    pod_final_state: str | None = None,
    pod_resumed: bool = False,
) -> dict[str, Any]:
    """A manifest of version v2 with these values: every command that reads manifests takes it."""
    job, results = ctx.spec, {result.label: result for result in artifact_results}
    known = gpu_price_per_hour_usd is not None and wall_time_sec is not None
    return {
        "schema_version": "v2",
        "pulled_at_utc": SystemClock().now().isoformat(),
        "failed": failed,
        "job_name": ctx.render(job.name),
        "run_id": ctx.run_id,
        "config_path": str(ctx.config_path),
        "storage_mode": job.storage.mode,
        "datacenter_id": datacenter_id or job.pod.datacenters[0],
        "gpu_id": pod.gpu_id if pod else None,
        "gpu_price_per_hour_usd": gpu_price_per_hour_usd,
        "gpu_price_source": gpu_price_source,
        "pod_id": pod.pod_id if pod else None,
        "pod_final_state": pod_final_state,
        "pod_resumed": pod_resumed,
        "image": job.pod.image,
        "cost_cap_usd": job.budget.cost_cap_usd,
        "wall_time_sec": wall_time_sec,
        "estimated_cost_usd": round((gpu_price_per_hour_usd or 0) * (wall_time_sec or 0) / 3600, 4) if known else None,
        "volume_mount": job.storage.volume_mount,
        "volume_name": job.storage.volume_name,
        "volume_gb": job.storage.volume_gb,
        "deploy_metadata": dict(deploy_metadata or {}),
        "artifacts": [artifact_row(ctx, entry, results.get(entry.label)) for entry in job.artifacts],
        "telemetry_files": [Path(file).name for file in telemetry_files],
    }


def artifact_row(ctx: JobContext, entry: ArtifactPullSpec, result: ArtifactResult | None) -> dict[str, Any]:
    """One artifact, rendered, with its result."""
    done = asdict(result or ArtifactResult(entry.label, ""))
    error = done.pop("error")
    return {
        "label": entry.label,
        "remote_path": ctx.render(entry.remote_path),
        "local_path": ctx.render(entry.local_path),
        "required": entry.required,
        "excludes": [ctx.render(pattern) for pattern in entry.excludes],
        "delete": entry.delete,
        "status": done["status"] or None,
        "bytes_transferred": done["bytes_transferred"],
        "duration_sec": done["duration_sec"],
        **({"error": error[:500]} if error else {}),
    }


def write_pull_manifest(
    ctx: JobContext, *, failed: bool, pod: PodConnection | None, filename: str = MANIFEST_NAME, **values: Any
) -> Path:
    """The path of a manifest with these values in ctx.run_dir; `build_pull_manifest` says which there are."""
    ctx.run_dir.mkdir(parents=True, exist_ok=True)
    document = build_pull_manifest(ctx, failed=failed, pod=pod, **values)
    write_atomically(ctx.run_dir / filename, dumps(document, indent=2) + "\n", mode=PRIVATE)
    return ctx.run_dir / filename
