"""What is worth knowing of a run, by names such as `outcome`, `var.seed` and `metric.loss`. Pure; knows no file.

Lists of runs are filtered, sorted, shown and compared by these names, whatever the format of the manifest.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from ..record.paths import began_at
from ..spec.instants import parse_instant
from ..spec.plain import is_number
from .manifests import Manifest, finite_number, has_failed, mapping

Facts = dict[str, Any]
VARIABLE, METRIC, TAG = "var.", "metric.", "tag."
GROUPS = {VARIABLE: "variables", METRIC: "metrics", TAG: "tags"}
"""The beginning of the names of a group, and the manifest's key of that group."""
OPEN_STATES = {"running": "running", "detached": "detached"}
OUTCOMES = {"succeeded": "succeeded", "unreleased": "pod may still bill", "interrupted": "interrupted"}
"""Outcomes whose word says all; for another one, the kind of the failure says more."""


def run_facts(run_dir: Path, manifest: Manifest) -> Facts:
    """All facts about a run. Those that its manifest does not have are None."""
    get = manifest.get
    failure = mapping(manifest, "failure")
    return {
        "run": run_dir.name,
        "path": str(run_dir.absolute()),
        "run_id": get("run_id"),
        "job": get("job_name"),
        "started": started_at(run_dir, manifest),
        "outcome": outcome(manifest),
        "state": get("state"),
        "failed": has_failed(manifest),
        "kind": failure.get("kind"),
        "exit_code": get("exit_code"),
        "job_exit_code": get("job_exit_code"),
        "duration": finite_number(manifest, "wall_time_sec"),
        "cost": finite_number(manifest, "estimated_cost_usd"),
        "cap": finite_number(manifest, "cost_cap_usd"),
        "gpu": get("gpu_id"),
        "gpu_count": get("gpu_count"),
        "dc": get("datacenter_id"),
        "pod": get("pod_id"),
        "price": finite_number(manifest, "gpu_price_per_hour_usd"),
        "image": get("image"),
        "storage": get("storage_mode"),
        "config": get("config_sha256"),
        "note": get("note") or None,
        **code_facts(mapping(manifest, "deploy_metadata")),
        **group_facts(manifest),
    }


def code_facts(metadata: dict[str, Any]) -> Facts:
    """The state of the code that the run used."""
    names = {"git_sha": "local_git_sha", "git_dirty": "local_git_dirty", "git_branch": "local_git_branch"}
    lockfile = {"lockfile": "payload_lockfile_sha256", "python": "remote_python_version"}
    return {name: metadata.get(key) for name, key in {**names, **lockfile}.items()}


def group_facts(manifest: Manifest) -> Facts:
    """The variables, the metrics and the tags of the run. A metric that is no number is left out."""
    return {
        f"{begin}{name}": value
        for begin, key in GROUPS.items()
        for name, value in mapping(manifest, key).items()
        if begin != METRIC or is_number(value)
    }


def started_at(run_dir: Path, manifest: Manifest) -> datetime | None:
    """When the run began, from its folder's name or its manifest; None if neither tells."""
    return began_at(run_dir.name) or parse_instant(manifest.get("started_at_utc") or manifest.get("pulled_at_utc"))


def outcome(manifest: Manifest) -> str | None:
    """How the run ended, in plain words, or that it has not ended; None if the manifest does not tell."""
    if (state := str(manifest.get("state"))) in OPEN_STATES:
        return OPEN_STATES[state]
    word = manifest.get("outcome")
    if isinstance(word, str):
        kind = mapping(manifest, "failure").get("kind")
        return OUTCOMES.get(word) or plain_kind(kind if isinstance(kind, str) else word, manifest)
    return {True: "failed", False: "succeeded", None: None}[has_failed(manifest)]


def plain_kind(kind: str, manifest: Manifest) -> str:
    """The kind of a failure as words, with the job's exit status if that was the failure."""
    code = manifest.get("job_exit_code")
    return f"exit status {code}" if kind == "job_failed" and code else kind.replace("_", " ")
