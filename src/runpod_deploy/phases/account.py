"""The account that a run's pod belongs to. A key of another account sees no pod, and must not take that for its end."""

from __future__ import annotations

from ..cloud.pod_labels import is_foreign
from ..cloud.values import Pod
from ..errors import AuthRefused
from ..record.events import KeyChanged
from ..run import Run


def same_account(run: Run) -> None:
    """The API key is the one that the pod was requested with, or sees the pod. Raises AuthRefused.

    The API tells no account, so only a hash of the key is recorded. A key that was replaced has another hash.
    """
    recorded, now = run.state.request.account, run.world.cloud.account
    if not recorded or recorded == now:
        return
    if own_pod(run) is None:
        raise other_account(run)
    run.record(KeyChanged(account=now))


def own_pod(run: Run) -> Pod | None:
    """The run's pod, if this key sees it."""
    state, cloud = run.state, run.world.cloud
    pod_id = state.pod.id or state.pod.discarding
    if pod_id is None:
        return next(iter(cloud.find(run.spec.run_id, state.request.token)), None)
    pod = cloud.get(pod_id)
    return None if pod is None or is_foreign(pod, state.pod_token) else pod


def other_account(run: Run) -> AuthRefused:
    """The error for a key that does not see the pod that was requested with another key."""
    pod_id = run.state.pod.id or run.state.pod.discarding
    what = f"pod {pod_id}" if pod_id else f"a pod named {run.spec.run_id}"
    return AuthRefused(
        f"{run.dir.path}: {what} was requested with another API key than this one, which does not see it: nothing was "
        "done, and the pod may still bill",
        hint="set RUNPOD_API_KEY to a key of the account that the run began with; if its key was replaced, and the "
        "console of that account shows no such pod, then the pod has ended and nothing is left to do",
    )
