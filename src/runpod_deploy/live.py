"""The real world: RunPod's API, pods over OpenSSH, this machine's clock. Puts together, and decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from .cloud.runpod import RunPodCloud
from .errors import DeployError, OnRetry
from .machine.clock import SystemClock
from .pod.openssh import authorized_keys, reach
from .run import World


def world(api_key: str, base_url: str, *, environ: Mapping[str, str], cache_dir: Path) -> World:
    """The world that costs money."""
    clock = SystemClock()
    listeners: list[OnRetry] = []

    def on_retry(what: str, error: DeployError, in_s: float) -> None:
        for listen in listeners:
            listen(what, error, in_s)

    return World(
        cloud=RunPodCloud(api_key, base_url, clock, on_retry, cache_dir),
        clock=clock,
        reach=partial(reach, on_retry=on_retry),
        authorized_keys=authorized_keys,
        on_retry=listeners,
        environ=environ,
        api_base_url=base_url,
    )
