"""A small project of a user that calls the package from Python. `make package` checks its types against the wheel."""

from __future__ import annotations

from pathlib import Path

import runpod_deploy as rd


def best_seed(config: Path, seeds: range) -> tuple[int, float]:
    """The seed whose run was cheapest. Runs that failed for a passing reason are left out."""
    costs: dict[int, float] = {}
    for seed in seeds:
        spec: rd.RunpodJobSpec = rd.load_job_spec(config)
        try:
            result: rd.RunResult = rd.run_job(spec, config_path=config, cli_variables={"seed": str(seed)})
        except rd.RunFailed as failed:
            if not failed.transient:
                raise
            continue
        costs[seed] = float(result.manifest["estimated_cost_usd"])
    return min(costs.items(), key=lambda pair: pair[1])


def idle_pods() -> list[str]:
    """The names of stopped pods whose disks cost money."""
    return [pod.name for pod in rd.list_stale_pods()]


def wrong_calls(config: Path) -> None:
    """Mistakes that a type checker must find: one that it does not find makes its comment unused, which is an error."""
    rd.load_job_spec(5)  # type: ignore[arg-type]
    rd.run_job("job.yaml", config_path=config)  # type: ignore[arg-type]
    rd.no_such_name()  # type: ignore[attr-defined]
