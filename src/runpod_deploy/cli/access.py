"""RunPod for the commands, with a line on stderr for every retry."""

from __future__ import annotations

from ..cloud.runpod import RunPodCloud
from ..errors import DeployError
from ..live import connect_cloud
from ..terminal.output import info


def real_cloud() -> RunPodCloud:
    """RunPod with the user's key. Raises AuthRefused, ConfigError."""
    return connect_cloud(report_retry)


def report_retry(_what: str, error: DeployError, in_s: float) -> None:
    """stderr says why the command waits."""
    info(f"retrying in {in_s:.0f} s: {error.message}")
