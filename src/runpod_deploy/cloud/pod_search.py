"""The search for the pods of a run among all pods of the account: by its token, or by name for older runs. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .pod_labels import bears
from .values import Pod


def pods_of_run(listed: Iterable[Pod], get: Callable[[str], Pod | None], *, name: str, token: str = "") -> list[Pod]:
    """The pods that bear this token, or that have this name and no token, in the order of the list.

    A listing that leaves out a pod's environment hides its token. `get` then asks for the pod itself.
    """
    whole = [(get(pod.id) or pod) if token and not pod.env and pod.name == name else pod for pod in listed]
    return [pod for pod in whole if bears(pod, name=name, token=token)]
