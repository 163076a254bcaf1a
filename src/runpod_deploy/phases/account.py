"""The account that a run's pod belongs to. A key of another account sees no pod, and must not take that for its end."""

from __future__ import annotations

from ..cloud.pod_labels import bears, is_foreign
from ..cloud.values import Pod
from ..errors import AuthRefused
from ..record.events import KeyChanged
from ..run import Run


def same_account(run: Run) -> None:
    """The API key is the one that the pod was requested with, or sees the pod. Raises AuthRefused, CloudUnreachable.

    The API tells no account, so only a hash of the key is recorded. A key that was replaced has another hash. A journal
    that names a pod and no key proves nothing: the API says whose the pod is, before anything is sent to its address.
    """
    recorded, now = run.state.request.account, run.world.cloud.account
    names_pod = run.state.pod.id is not None or run.state.pod.address is not None
    if recorded == now or not (recorded or names_pod):
        return
    if own_pod(run) is None:
        raise other_account(run) if recorded else unproven(run)
    run.record(KeyChanged(account=now))


def own_pod(run: Run) -> Pod | None:
    """The run's pod, if this key sees it."""
    state, cloud = run.state, run.world.cloud
    pod_id = state.pod.id or state.pod.discarding
    if pod_id is None:
        return next(iter(cloud.find(run.spec.run_id, state.request.token)), None)
    pod = cloud.get(pod_id)
    if pod is not None and not state.request.account:
        return pod if bears(pod, name=state.pod.name, token=state.pod_token) else None
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


def unproven(run: Run) -> AuthRefused:
    """The error for a journal that names a pod, but not the key that it was requested with, and this key sees none."""
    return AuthRefused(
        f"{run.dir.path}: this API key sees no pod {run.state.pod.id or run.spec.run_id} of this run, and the run "
        "folder does not tell which key requested it: nothing was done, and the pod may still bill",
        hint="set RUNPOD_API_KEY to a key of the account that the run began with; if the console of that account shows "
        "no such pod, then the pod has ended and nothing is left to do",
    )
