"""The world that costs money: RunPod's API, pods over OpenSSH, this machine's clock. Puts it together; decides nothing.

Commands, the Python API and recipes all come to RunPod through here, so that every process of one user shares the
account's rate limit and its listings.
"""

from __future__ import annotations

import socket
from functools import partial

from .cloud.runpod import RunPodCloud
from .config.settings import cache_dir, environment, read_settings
from .errors import DeployError, OnRetry
from .machine.clock import SystemClock
from .pod.letting_in import let_in
from .pod.openssh import authorized_keys, reach
from .pod.this_machine import troubles
from .run import World


def connect_cloud(on_retry: OnRetry | None = None, *, api_key: str | None = None) -> RunPodCloud:
    """RunPod with this key, or else with the user's own. Nothing is sent yet.

    Raises AuthRefused if there is no usable key, ConfigError if the settings cannot be read.
    """
    settings = read_settings()
    return RunPodCloud(api_key or settings.api_key, settings.origin, SystemClock(), on_retry, cache_dir())


def real_world() -> World:
    """The world of a run, with the user's own key. Raises as `connect_cloud` does."""
    listeners: list[OnRetry] = []

    def on_retry(what: str, error: DeployError, in_s: float) -> None:
        for listen in listeners:
            listen(what, error, in_s)

    return World(
        cloud=connect_cloud(on_retry),
        clock=SystemClock(),
        reach=partial(reach, on_retry=on_retry),
        authorized_keys=authorized_keys,
        troubles=troubles,
        on_retry=listeners,
        environ=environment(),
        api_base_url=read_settings().origin,
        hostname=socket.gethostname(),
        let_in=let_in,
    )
