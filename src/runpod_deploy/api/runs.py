"""A run from Python: does the same as `runpod-deploy run`, and returns a result."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..cloud.protocol import Cloud
from ..config import checks
from ..config.finding import raise_errors
from ..config.settings import environment
from ..driver import RunOptions, drive
from ..errors import DeployError, UsageError
from ..forecast.outlook import look_ahead, refuse_missing
from ..forecast.plan import as_lines, plan
from ..history.manifests import Manifest, read_manifest
from ..live import real_world
from ..record.new_run import begin
from ..record.parts import Failure
from ..record.paths import RUNS_DIR, RunDir
from ..record.state import State
from ..spec import BudgetSpec, CloudType, RunpodJobSpec, Spec
from ..terminal.output import print_lines
from .jobs import as_draft


@dataclass(frozen=True, slots=True)
class RunResult:
    """The result of a run."""

    run_id: str
    run_dir: Path
    outcome: str
    """succeeded, job_failed, stopped, failed, interrupted or unreleased; planned after a dry run."""
    exit_code: int
    """The exit code that `runpod-deploy run` would have had."""
    job_exit_code: int | None
    failure: Failure | None
    """The reason why it did not succeed; None if it did."""
    manifest: Manifest = field(default_factory=dict, repr=False)


class RunFailed(DeployError):
    """A run did not succeed; `result` has the details."""

    def __init__(self, result: RunResult) -> None:
        failure = result.failure
        message = failure.message if failure else f"the run ended as {result.outcome}"
        kind = "release_unconfirmed" if result.outcome == "unreleased" else failure.kind if failure else "internal"
        super().__init__(f"{result.run_id}: {message}", hint=failure.hint if failure else "", kind=kind)
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

    With dry_run, the plan is printed on stdout and nothing is done; offline_dry_run does not even use the network.
    Relative paths start at the folder of config_path, which need not exist. The two overrides count only together.
    Messages are printed on stderr. The call handles signals, so it must be made in the main thread: for many runs at
    once, use processes. Raises RunFailed, whose `result` has the reason, and ConfigError before anything is paid.
    """
    check_thread()
    job = replace(spec, budget=limited(spec.budget, max_gpu_price_usd, ssh_ready_timeout_sec_override))
    draft = as_draft(job, Path(config_path), cli_variables or {})
    raise_errors(checks.budget(job, draft.document), str(config_path))
    pinned = pins(gpu_id_override, datacenter_id_override)
    wishes = {**pinned, "force_fresh": force_fresh, "fallback_cloud_type": fallback_cloud_type}
    if dry_run or offline_dry_run:
        return rehearsed(replace(draft.trial, **wishes), None if offline_dry_run else real_world().cloud)
    world = real_world()
    asked, run_dir = begin(draft)
    if print_run_dir:
        announce(run_dir)
    asked = replace(asked, **wishes)
    return succeeded(result_of(asked, run_dir, drive(asked, run_dir, world, RunOptions())))


def check_thread() -> None:
    """Raises UsageError outside the main thread, where signals cannot be handled."""
    if threading.current_thread() is not threading.main_thread():
        raise UsageError("run_job must be called in the main thread", hint="run several jobs in several processes")


def limited(budget: BudgetSpec, max_gpu_price_usd: float | None, ssh_ready_timeout_s: int | None) -> BudgetSpec:
    """The budget, with the given values in place of its own."""
    given = {"max_gpu_price": max_gpu_price_usd, "ssh_ready_timeout_sec": ssh_ready_timeout_s}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return replace(budget, **changes)


def pins(gpu_id: str | None, datacenter_id: str | None) -> dict[str, Any]:
    """The fields that name one GPU in one datacenter, if both are given."""
    return {"gpu_id": gpu_id, "datacenter_id": datacenter_id} if gpu_id and datacenter_id else {}


def rehearsed(spec: Spec, cloud: Cloud | None) -> RunResult:
    """The plan of the run is on stdout, and nothing was done. Raises the errors that the run itself would raise."""
    outlook = look_ahead(spec, cloud, environment())
    print_lines(as_lines(spec, plan(spec, outlook)))
    refuse_missing(spec, outlook)
    run_dir = spec.project_root / RUNS_DIR / spec.run_id.removeprefix(f"{spec.job.run_id_prefix}-")
    return RunResult(spec.run_id, run_dir, "planned", 0, None, None)


def announce(run_dir: RunDir) -> None:
    """stdout has the line `RUN_DIR=<path>`, which scripts wait for."""
    print_lines([f"RUN_DIR={run_dir.path}"])


def result_of(spec: Spec, run_dir: RunDir, state: State) -> RunResult:
    """The result of the run in this state."""
    return RunResult(
        run_id=spec.run_id,
        run_dir=run_dir.path,
        outcome=state.outcome,
        exit_code=state.exit_code,
        job_exit_code=state.job.exit_code,
        failure=state.failure,
        manifest=read_manifest(run_dir.path),
    )


def succeeded(result: RunResult) -> RunResult:
    """The result, if the run succeeded. Raises RunFailed if it did not."""
    if result.exit_code:
        raise RunFailed(result)
    return result
