"""Manifests as text that scripts parse. These layouts stay the same from release to release. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..money import cents
from ..spec.visible import visible
from .costs import left_pod_usd_per_day, was_left_stopped
from .manifests import Manifest, finite_number, has_failed, mapping, mappings
from .totals import Totals

UNKNOWN = "—"
LABEL_WIDTH = 15
TOTAL_WIDTH = 18
COUNTS = (
    *("unknown_wall", "unknown_cost", "unknown_result"),
    *("unfinished", "unreleased", "without_manifest", "unreadable"),
)
"""Counts that are shown below the sums if they are not zero."""
RUN_COLUMNS = ("timestamp", "job", "pod_id", "gpu", "dc", "wall_s", "failed", "est_$")
RUN_KEYS = (
    *("timestamp", "job", "pod_id", "gpu_id", "datacenter_id"),
    *("wall_time_sec", "failed", "estimated_cost_usd", "outcome", "run_path"),
)


def summary_lines(manifest: Manifest) -> Iterator[str]:
    """The summary of one manifest."""
    for label, value in manifest_facts(manifest):
        yield f"{label + ':':<{LABEL_WIDTH}}{value}"
    yield from block("deploy_metadata", [f"{k}: {v}" for k, v in mapping(manifest, "deploy_metadata").items()])
    yield from block("links", [f"{name}: {url}" for name, url in mapping(manifest, "links").items()])
    yield from block("artifacts", [artifact_line(artifact) for artifact in mappings(manifest, "artifacts")])
    files = manifest.get("telemetry_files")
    yield from block("telemetry_files", [f"- {name}" for name in files] if isinstance(files, list) else [])


def manifest_facts(manifest: Manifest) -> Iterator[tuple[str, Any]]:
    """Label and value of each line before the nested blocks."""
    get = manifest.get
    yield from (("job", get("job_name")), ("run_id", get("run_id")), ("failed", get("failed")))
    yield from (("schema", get("schema_version")), ("pod_id", get("pod_id")), ("gpu", get("gpu_id")))
    yield from (
        ("datacenter", get("datacenter_id")),
        ("image", get("image")),
        ("storage", get("storage_mode")),
    )
    yield "wall_time_sec", get("wall_time_sec")
    yield "price_usd/hr", f"{get('gpu_price_per_hour_usd')} ({get('gpu_price_source')})"
    yield "est_cost_usd", get("estimated_cost_usd")
    yield "cost_cap_usd", get("cost_cap_usd")
    yield "final_state", get("pod_final_state")
    yield from later_facts(manifest)


def later_facts(manifest: Manifest) -> Iterator[tuple[str, Any]]:
    """Label and value of lines that only newer manifests have, so that scripts find older ones unchanged."""
    if manifest.get("outcome") is not None:
        yield "outcome", manifest["outcome"]
    if failure := mapping(manifest, "failure"):
        yield "failure", failure_text(failure)
    if resumptions := mappings(manifest, "resumptions"):
        yield "resumed", f"{len(resumptions)} × (the last time after {resumptions[-1].get('after')})"
    if (left_usd := left_pod_usd_per_day(manifest)) is not None:
        label, state = ("disk_usd/day", "is stopped") if was_left_stopped(manifest) else ("pod_usd/day", "goes on")
        yield label, f"{cents(left_usd)} (the pod {state}; until it is deleted)"
    if finite_number(manifest, "billed_usd") is not None:
        yield "billed_usd", manifest["billed_usd"]


def failure_text(failure: dict[str, Any]) -> str:
    """A failure in one line: its kind, its phase, its message."""
    place = f" in {failure['phase']}" if failure.get("phase") else ""
    return f"{failure.get('kind', 'unknown')}{place}: {failure.get('message', '')}".rstrip(": ")


def artifact_line(artifact: dict[str, Any]) -> str:
    """One artifact as the summary shows it."""
    get = artifact.get
    return f"- {get('label')}: status={get('status')} duration_sec={get('duration_sec')}"


def block(title: str, lines: Sequence[str]) -> Iterator[str]:
    """A title and indented lines; nothing if there are no lines."""
    if lines:
        yield f"{title}:"
        yield from (f"  {line}" for line in lines)


def total_lines(totals: Totals) -> Iterator[str]:
    """The footer. Its newer lines only appear if they have a value."""
    for label, value in total_facts(totals):
        yield f"{label + ':':<{TOTAL_WIDTH}}{value}"


def total_facts(totals: Totals) -> Iterator[tuple[str, Any]]:
    """Label and value of each line of the footer."""
    yield "manifests", totals.manifests
    yield "failed", totals.failed
    if totals.wall_time_s is not None:
        yield "wall_time_sec", f"{totals.wall_time_s:.1f}"
    if totals.estimated_cost_usd is not None:
        yield "estimated_cost", dollars(totals.estimated_cost_usd)
    if totals.billed_usd is not None:
        yield "billed", f"{dollars(totals.billed_usd)} ({totals.billed_runs} of {totals.manifests} runs)"
    for label, stopped in (("stopped_disks", True), ("running_pods", False)):
        if (usd_per_day := totals.left.usd_per_day(stopped=stopped)) is not None:
            yield label, f"{dollars(usd_per_day)}/day"
    for label in COUNTS:
        if count := getattr(totals, label):
            yield label, count


def run_row(run_dir: Path, manifest: Manifest) -> dict[str, Any]:
    """One run of `ls-runs`, under the names that its JSON uses."""
    values = (
        *(run_dir.name, manifest.get("job_name"), manifest.get("pod_id")),
        *(manifest.get("gpu_id"), manifest.get("datacenter_id"), finite_number(manifest, "wall_time_sec")),
        *(has_failed(manifest), finite_number(manifest, "estimated_cost_usd"), manifest.get("outcome")),
        str(run_dir.absolute()),
    )
    return dict(zip(RUN_KEYS, values, strict=True))


def run_cells(row: dict[str, Any]) -> tuple[str, ...]:
    """The row as cells of the table."""
    texts = [or_dash(row[key]) for key in ("timestamp", "job", "pod_id", "gpu_id", "datacenter_id")]
    wall_s, cost_usd = row["wall_time_sec"], row["estimated_cost_usd"]
    failed = {True: "Y", False: "N", None: UNKNOWN}[row["failed"]]
    wall = UNKNOWN if wall_s is None else f"{wall_s:.0f}"
    return (*texts, wall, failed, UNKNOWN if cost_usd is None else dollars(cost_usd))


def table_lines(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table whose columns are as wide as their widest cell, two spaces apart."""
    shown = [header, *([visible(cell) for cell in cells] for cells in rows)]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for cells in shown:
        yield "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def or_dash(value: Any) -> str:
    """The value, or a dash for none."""
    return UNKNOWN if value is None else str(value)


def dollars(amount_usd: float) -> str:
    """Money with two decimals."""
    return f"${cents(amount_usd)}"
