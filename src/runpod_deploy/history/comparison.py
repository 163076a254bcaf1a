"""Comparison of two manifests. Pure; knows which fields are worth comparing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .layouts import UNKNOWN
from .manifests import Manifest, mapping, mappings

FIELDS = (
    *("schema_version", "failed", "job_name", "gpu_id", "datacenter_id", "gpu_price_per_hour_usd"),
    *("gpu_price_source", "wall_time_sec", "estimated_cost_usd", "pod_id", "pod_final_state"),
    *("image", "storage_mode"),
)
METADATA_FIELDS = (
    *("local_git_sha", "local_git_dirty", "local_git_branch", "payload_lockfile"),
    *("payload_lockfile_sha256", "remote_python_version", "remote_uname"),
)
ARTIFACT_FIELDS = ("status", "bytes_transferred", "duration_sec")


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of both; a and b are None where a manifest lacks it."""

    field: str
    a: Any
    b: Any


def compare(a: Manifest, b: Manifest) -> list[Difference]:
    """Every compared field in a fixed order, including equal ones."""
    return [
        *(Difference(name, a.get(name), b.get(name)) for name in FIELDS),
        *pairs(
            "deploy_metadata.{}",
            METADATA_FIELDS,
            mapping(a, "deploy_metadata"),
            mapping(b, "deploy_metadata"),
        ),
        *artifact_differences(by_label(a), by_label(b)),
    ]


def pairs(pattern: str, names: tuple[str, ...], a: dict[str, Any], b: dict[str, Any]) -> Iterator[Difference]:
    """The named fields of two objects."""
    for name in names:
        yield Difference(pattern.format(name), a.get(name), b.get(name))


def by_label(manifest: Manifest) -> dict[str, dict[str, Any]]:
    """The manifest's artifacts by label."""
    return {str(artifact.get("label")): artifact for artifact in mappings(manifest, "artifacts")}


def artifact_differences(a: dict[str, dict[str, Any]], b: dict[str, dict[str, Any]]) -> Iterator[Difference]:
    """The fields of every artifact of either manifest, in the order of labels."""
    for label in sorted({*a, *b}):
        for name in ARTIFACT_FIELDS:
            one, other = a.get(label, {}), b.get(label, {})
            yield Difference(f"artifact[{label}].{name}", one.get(name), other.get(name))


def comparison_lines(paths: tuple[str, str], a: Manifest, b: Manifest) -> Iterator[str]:
    """The whole comparison as text."""
    differences = compare(a, b)
    width = max(len(difference.field) for difference in differences) + 2
    yield "diff between two manifests:"
    yield f"  a: {paths[0]}  ({a.get('job_name')})"
    yield f"  b: {paths[1]}  ({b.get('job_name')})"
    yield ""
    for difference in differences:
        yield f"  {difference.field:<{width}}{relation(difference)}"


def relation(difference: Difference) -> str:
    """`x == x`, or `x  →  y`."""
    sign = " == " if difference.a == difference.b else "  →  "
    return f"{value_text(difference.a)}{sign}{value_text(difference.b)}"


def value_text(value: Any) -> str:
    """The value as text: a dash for none, floats with two decimals, or with one from 1000 up."""
    if value is None:
        return UNKNOWN
    if isinstance(value, float):
        return f"{value:.1f}" if abs(value) >= 1000 else f"{value:.2f}"
    return str(value)
