"""The real world: RunPod's API, pods over OpenSSH, this machine's clock. Puts together, and decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from . import ssh
from .clock import SystemClock
from .errors import DeployError
from .host import PodHost
from .journal import RunDir
from .pods import Address
from .run import OnRetry, World
from .runpod import RunPodCloud
from .spec import Spec


def world(api_key: str, base_url: str, *, environ: Mapping[str, str], cache_dir: Path) -> World:
    """The world that costs money."""
    clock = SystemClock()
    listeners: list[OnRetry] = []

    def on_retry(what: str, error: DeployError, in_s: float) -> None:
        for listen in listeners:
            listen(what, error, in_s)

    return World(
        cloud=RunPodCloud(api_key, base_url, clock, on_retry, cache_dir),
        on_retry=listeners,
        clock=clock,
        reach=reach,
        authorized_keys=authorized_keys,
        environ=environ,
        api_base_url=base_url,
    )


def reach(spec: Spec, run_dir: RunDir, address: Address) -> PodHost:
    """The pod at this address, reached with the run's own key."""
    return PodHost(spec, run_dir, address)


def authorized_keys(spec: Spec, run_dir: RunDir) -> str:
    """The run's public key, made if need be, and the user's own, a line each."""
    ssh.make_key(run_dir.ssh)
    return ssh.public_keys(run_dir.ssh, spec.job.ssh.resolved_key_path)
