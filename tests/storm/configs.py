"""The spec of a storm's run, from the shape of its config."""

from __future__ import annotations

import hashlib
from pathlib import Path

from runpod_deploy.spec import (
    ArtifactPullSpec,
    BudgetSpec,
    CommandSpec,
    GuardSpec,
    LifecyclePolicySpec,
    PodSpec,
    RsyncPushSpec,
    RunpodJobSpec,
    RunSpec,
    SecretSpec,
    Spec,
    StorageSpec,
    TelemetrySpec,
)
from tests.storm.history import Job, Shape
from tests.storm.pods import FAILURE, MARKER
from tests.support.fakes.clock import START

RUN_ID = "storm-20261101T120000Z"
GPUS = ("NVIDIA L4", "NVIDIA A40", "NVIDIA L40S")
RATE = 0.40
"""Price of the cheapest GPU, in USD per hour."""


def spec_of(root: Path, shape: Shape, job: Job, run_id: str = RUN_ID) -> Spec:
    """The spec of the run."""
    document = RunpodJobSpec(
        name="storm",
        state_file=str(root / "pod.json"),
        pod=PodSpec(
            image="runpod/pytorch:1.0" if shape.known_image else "ubuntu:24.04",
            datacenters=("EU-RO-1", "US-TX-3"),
            gpu_order=GPUS[: shape.gpus],
            selection="cheapest" if shape.cheapest else "datacenter_first",
        ),
        storage=storage_of(shape),
        budget=budget_of(shape),
        setup=(CommandSpec(command="false" if job.setup_fails else "apt-get update"),),
        staging=(RsyncPushSpec(label="code", source="src", destination="/workspace/src"),),
        secrets=(SecretSpec(name="hf", destination="/root/.hf", env=("HF_TOKEN",)),) if shape.secret else (),
        run=run_of(shape),
        artifacts=tuple(artifact_of(shape, number) for number in range(shape.artifacts)),
        lifecycle=lifecycle_of(shape),
        telemetry=TelemetrySpec(enabled=False),
        guard=GuardSpec(required=shape.guard_required),
    )
    return Spec(
        run_id=run_id,
        token=hashlib.sha256(run_id.encode()).hexdigest()[:32],
        config_path=root / "job.yaml",
        project_root=root,
        job=document,
        created_at=START,
        wait_for_stock_s=shape.wait_for_stock_s,
    )


def lifecycle_of(shape: Shape) -> LifecyclePolicySpec:
    """The policies."""
    on_success = "recycle" if shape.recycled else shape.on_success
    return LifecyclePolicySpec(on_success=on_success, on_failure=shape.on_failure)  # type: ignore[arg-type]


def storage_of(shape: Shape) -> StorageSpec:
    """The volume."""
    if shape.network_volume:
        return StorageSpec(mode="network_volume", volume_name="shared")
    return StorageSpec(mode="ephemeral", volume_gb=10)


def budget_of(shape: Shape) -> BudgetSpec:
    """The limits."""
    return BudgetSpec(
        cost_cap_usd=RATE * shape.minutes / 60,
        assumed_hourly_rate_usd=RATE / 2,
        max_runtime_minutes=shape.max_runtime_minutes,
        ssh_ready_timeout_sec=shape.boot_timeout_s,
        ssh_lost_timeout_sec=shape.ssh_lost_timeout_s,
        pull_grace_sec=shape.pull_grace_s,
        max_gpu_price=shape.max_gpu_price,
    )


def run_of(shape: Shape) -> RunSpec:
    """The job's section."""
    return RunSpec(
        script_path="/workspace/run.sh",
        log_path="/workspace/run.log",
        body="train",
        success_marker=MARKER,
        failure_markers=(FAILURE,),
        stall_timeout_minutes=shape.stall_minutes,
    )


def artifact_of(shape: Shape, number: int) -> ArtifactPullSpec:
    """One artifact."""
    return ArtifactPullSpec(
        label=f"out{number}",
        remote_path=f"/workspace/out{number}",
        local_path=f"results/out{number}",
        required=shape.required,
        every_sec=shape.every_sec,
    )
