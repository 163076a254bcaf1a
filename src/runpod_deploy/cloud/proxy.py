"""RunPod's addresses for the `http` ports of a pod. Pure; knows the form of those addresses (2026-10)."""

from __future__ import annotations

from collections.abc import Iterable


def proxy_urls(pod_id: str, ports: Iterable[str]) -> tuple[str, ...]:
    """The address of each `http` port. Whoever knows it can open it: the server on the pod must ask for a password."""
    numbers = (port.partition("/")[0] for port in ports if port.endswith("/http"))
    return tuple(f"https://{pod_id}-{number}.proxy.runpod.net" for number in numbers)
