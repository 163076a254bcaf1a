"""A run from Python: what `runpod-deploy run` does, with a result to go on from."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..cli.run import begin, real_world
from ..driver import Manner, drive
from ..errors import DeployError, UsageError
from ..history.manifests import Manifest
from ..spec import CloudType, RunpodJobSpec
from ..state import Failure
from .jobs import as_draft


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended."""

    run_id: str
    run_dir: Path
    outcome: str
    """succeeded, job_failed, stopped, failed, interrupted or unreleased."""
    exit_code: int
    """What `runpod-deploy run` would have ended with."""
    job_exit_code: int | None
    failure: Failure | None
    """Why it did not succeed."""
    manifest: Manifest = field(default_factory=dict, repr=False)


class RunFailed(DeployError):
    """A run that did not succeed; `result` tells all about it."""

    def __init__(self, result: RunResult) -> None:
        failure = result.failure
        words = failure.message if failure else f"the run ended as {result.outcome}"
        kind = "release_unconfirmed" if result.outcome == "unreleased" else failure.kind if failure else "internal"
        super().__init__(f"{result.run_id}: {words}", hint=failure.hint if failure else "", kind=kind)
        self.result = result


def run_job(
    spec: RunpodJobSpec,
    *,
    config_path: Path | str,
    dry_run: bool = False,
    offline_dry_run: bool = False,
    gpu_id_override: str | None = None,
    datacenter_id_override: str | None = None,
    max_gpu_price_usd: float | None = None,
    cli_variables: Mapping[str, str] | None = None,
    print_run_dir: bool = False,
    ssh_ready_timeout_sec_override: int | None = None,
    force_fresh: bool = False,
    fallback_cloud_type: CloudType | None = None,
) -> RunResult:
    """The result of a run that succeeded, its artifacts pulled and its pod released.

    config_path gives relative paths their start, and need not exist. The two overrides only count together.
    Talk goes to stderr. Signals are handled while it runs, so it must be called in the main thread: for many
    runs at once, use processes. Raises RunFailed, whose `result` tells why, and ConfigError before anything is paid.
    """
    check_thread()
    job = replace(spec, budget=limited(spec.budget, max_gpu_price_usd, ssh_ready_timeout_sec_override))
    draft = as_draft(job, Path(config_path), cli_variables or {})
    world = real_world()
    asked, run_dir = begin(draft)
    if print_run_dir:
        announce(run_dir)
    wanted = placed(asked, gpu_id_override, datacenter_id_override)
    final = replace(wanted, force_fresh=force_fresh, fallback_cloud_type=fallback_cloud_type)
    return succeeded(result_of(final, run_dir, drive(final, run_dir, world, Manner())))


def check_thread() -> None:
    """Raises UsageError outside of the main thread, where signals cannot be handled."""
    if threading.current_thread() is not threading.main_thread():
        raise UsageError("run_job must be called in the main thread", hint="run several jobs in several processes")
