"""The guard as the pod's create call carries it. Knows what a container starts with; knows no API."""

from __future__ import annotations

from datetime import datetime

from .spec import Spec


def start_command(image: str, start: str | None) -> tuple[str, ...]:  # noqa: ARG001
    """Exec form of the container's command; empty for the image's own."""
    return ()


def pod_env(spec: Spec, *, deadline_at: datetime) -> dict[str, str]:
    """What the container's environment says of the run it belongs to."""
    return {
        "RUNPOD_DEPLOY_RUN_ID": spec.run_id,
        "RUNPOD_DEPLOY_DEADLINE": str(int(deadline_at.timestamp())),
    }
