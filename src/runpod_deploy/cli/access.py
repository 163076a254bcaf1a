"""The caller's way to RunPod: key, address and cache, and a word on stderr for every retry."""

from __future__ import annotations

import os
from pathlib import Path

from ..cloud.runpod import RunPodCloud
from ..config.settings import read_settings
from ..errors import DeployError
from ..machine.clock import SystemClock
from .output import say


def cache_dir() -> Path:
    """Where the processes of this user share what they know."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "runpod-deploy"


def real_cloud() -> RunPodCloud:
    """RunPod with the caller's key. Raises AuthRefused."""
    settings = read_settings()
    return RunPodCloud(settings.api_key, settings.origin, SystemClock(), tell_retry, cache_dir())


def tell_retry(_what: str, error: DeployError, in_s: float) -> None:
    """Whoever waits is told what for."""
    say(f"retrying in {in_s:.0f} s: {error.message}")
