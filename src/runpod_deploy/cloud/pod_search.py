"""The search for the pods of a run among all pods of the account: by its token, or by name for older runs. Pure.

A run id that was asked for with `--run-id` may also have been begun on another machine, with another token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .pod_labels import RUN_ID_LABEL, bears, is_token, token_of
from .values import Pod


def pods_of_run(listed: Iterable[Pod], get: Callable[[str], Pod | None], *, name: str, token: str = "") -> list[Pod]:
    """The pods that bear this token, or that have this name and no token, in the order of the list.

    A listing that leaves out a pod's environment hides its token. `get` then asks for the pod itself.
    """
    whole = [(get(pod.id) or pod) if token and not pod.env and pod.name == name else pod for pod in listed]
    return [pod for pod in whole if bears(pod, name=name, token=token)]


def pods_with_id(listed: Iterable[Pod], get: Callable[[str], Pod | None], run_id: str) -> list[Pod]:
    """The pods that bear this run id and a token, whichever it is, in the order of the list."""
    whole = [(get(pod.id) or pod) if not pod.env and pod.name == run_id else pod for pod in listed]
    return [pod for pod in whole if pod.env.get(RUN_ID_LABEL) == run_id and is_token(token_of(pod))]
