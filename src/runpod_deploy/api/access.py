"""The caller's way to RunPod. Knows whose key it is; prints nothing."""

from __future__ import annotations

from ..cloud.runpod import RunPodCloud
from ..config.settings import read_settings
from ..machine.clock import SystemClock


def cloud(api_key: str | None = None) -> RunPodCloud:
    """RunPod with this key, or else the caller's own. Raises AuthRefused, ConfigError."""
    settings = read_settings()
    return RunPodCloud(api_key or settings.api_key, settings.origin, SystemClock())
