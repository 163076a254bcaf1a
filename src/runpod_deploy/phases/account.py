"""The account that a run's pod belongs to. A key of another account sees no pod, and must not take that for its end."""

from __future__ import annotations

from ..cloud.pod_labels import bears, is_foreign, origin
from ..cloud.values import Pod
from ..errors import AuthRefused
from ..record.events import KeyChanged
from ..record.state import State
from ..run import Run


def same_account(run: Run) -> None:
    """The API key is the one that the pod was requested with, or sees the pod. Raises AuthRefused, CloudUnreachable.

    The API tells no account, so only a hash of the key is recorded. A key that was replaced has another hash. A folder
    that somebody may have sent proves nothing, and neither does a journal that names a pod and no key: the API says
    whose the pod is and where, before anything is sent to its address.
    """
    recorded, now = run.state.request.account, run.world.cloud.account
    run.prove = run.prove or (names_pod(run) and not recorded)
    if not (run.prove and names_pod(run)) and recorded in ("", now):
        return
    pod = own_pod(run)
    if pod is not None and pod.address is not None:
        run.told.add(pod.address)
    if not recorded or recorded == now:
        return
    if pod is None:
        raise other_account(run)
    run.record(KeyChanged(account=now))


def names_pod(run: Run) -> bool:
    """Whether the journal names a pod that may exist."""
    return bool(run.state.pod.id or run.state.pod.discarding)


def own_pod(run: Run) -> Pod | None:
    """The run's pod, if this key sees it. Raises AuthRefused if the pod that the journal names is somebody else's."""
    state, cloud = run.state, run.world.cloud
    pod_id = state.pod.id or state.pod.discarding
    if pod_id is None:
        return next(iter(cloud.find(run.spec.run_id, state.request.token)), None)
    pod = cloud.get(pod_id)
    if run.prove and (not is_proven(state, pod) if pod else not state.request.account):
        raise unproven(run, pod_id)
    return None if pod is None or is_foreign(pod, state.pod_token) else pod


def is_proven(state: State, pod: Pod) -> bool:
    """Whether the pod bears what only the run's own pod bears. One of an older version, without a token: its name."""
    tokens = {state.pod_token, *filter(None, (state.request.token, state.request.taken_token))}
    return origin(pod) is not None and any(bears(pod, name=state.pod.name, token=token) for token in tokens)


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


def unproven(run: Run, pod_id: str) -> AuthRefused:
    """The error for a pod in a run folder of which the API does not say that it is this run's."""
    return AuthRefused(
        f"{run.dir.path}: this API key sees no pod {pod_id} of this run: nothing was done, and if there is such a pod, "
        "it may still bill",
        hint="set RUNPOD_API_KEY to a key of the account that the run began with; if the console of that account shows "
        "no such pod, then the pod has ended and nothing is left to do",
    )
