"""Makes a job in Python without a YAML file, runs it, and prints the number that the pod computed."""

from __future__ import annotations

import sys
from pathlib import Path

from runpod_deploy import ArtifactPullSpec, BudgetSpec, PodSpec, RunFailed, RunpodJobSpec, RunSpec, StorageSpec, run_job

JOB = RunpodJobSpec(
    name="sum",
    pod=PodSpec(
        image="runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404",
        datacenters=("EU-SE-1", "US-TX-3"),
        gpu_order=("NVIDIA RTX A5000",),
    ),
    storage=StorageSpec(mode="ephemeral", volume_gb=5),
    budget=BudgetSpec(cost_cap_usd=0.25, assumed_hourly_rate_usd=0.5, max_runtime_minutes=10),
    run=RunSpec(
        script_path="/workspace/sum.sh",
        log_path="/workspace/sum.log",
        body="expr {first} + {second} > /workspace/sum.txt",
    ),
    artifacts=(ArtifactPullSpec(label="sum", remote_path="/workspace/sum.txt", local_path="{run_dir}/sum.txt"),),
    variables={"first": "1", "second": "2"},
)


def main() -> int:
    """Returns the exit code that `runpod-deploy run` would have."""
    try:
        result = run_job(JOB, config_path=Path("sum.yaml"), cli_variables={"second": sys.argv[1]})
    except RunFailed as failed:
        print(f"failed: {failed.message}", file=sys.stderr)
        return failed.exit_code
    print((result.run_dir / "sum.txt").read_text().strip())
    print(f"cost: ${result.manifest['estimated_cost_usd']:.4f}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
