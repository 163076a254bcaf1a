"""Pods that RunPod has moved: the run's pod under a new id, with the same environment and perhaps the results.

RunPod tells nobody of the new id: only the token in the environment shows whose the pod is.
"""

from __future__ import annotations

from ..cloud.removal import CONSOLE_URL, LOOKS_APART_S
from ..cloud.values import Pod
from ..errors import CloudUnreachable, DeployError, ReleaseUnconfirmed
from ..money import cents
from ..run import Run
from .late import Looks, end_pod, unknown_pods


def end_migrated(run: Run) -> None:
    """No pod of this run bills under an id that the run does not know. Raises ReleaseUnconfirmed.

    A pod that may hold results of a job is only named. One look is enough unless the pod vanished while it was in use.
    """
    missing = run.state.pod.lost and run.state.pod.final_state is None
    try:
        pods = migrated_pods(run, LOOKS_APART_S if missing else 0.0)
    except DeployError as error:
        if missing:
            raise unknown_whether(run, error.message) from error
        return
    for pod in pods:
        if run.state.job.pid is not None:
            raise named(run, pod)
        end_pod(run, pod)


def end_before_another(run: Run) -> None:
    """No pod that vanished while it booted goes on under a new id beside the next one. Raises CloudUnreachable."""
    if not run.state.pod.abandoned:
        return
    try:
        end_migrated(run)
    except ReleaseUnconfirmed as error:
        raise CloudUnreachable(error.message, hint=error.hint) from error


def migrated_pods(run: Run, agreed_s: float) -> list[Pod]:
    """The pods that bear the run's token, or that of the pod that it has recycled, and that its journal does not name.

    Looks that are answered for so many seconds must agree that there is none: a loss was looked at twice before, so a
    new pod is listed by then. Raises CloudUnreachable.
    """
    tokens = {run.state.request.token, run.state.request.taken_token or run.state.request.token}
    looks = Looks(run, lambda: [pod for token in tokens for pod in unknown_pods(run, token)], agreed_s, agreed_s)
    return looks.until_over("a pod that was moved to a new id")


def named(run: Run, pod: Pod) -> ReleaseUnconfirmed:
    """The error that names a pod with our token and a new id, what it costs, and the command that deletes it."""
    price = f" at ${cents(pod.usd_per_hour)} per hour" if pod.usd_per_hour else ""
    former = run.state.pod.id or "of this run"
    return ReleaseUnconfirmed(
        f"POD {pod.id} MAY STILL BE BILLING{price} (RunPod has moved pod {former} to it, perhaps with its results, so "
        f"it was not deleted): look at it at {CONSOLE_URL}",
        hint=f"`runpod-deploy audit --reap --pod {pod.id}` deletes it, and then `runpod-deploy resume {run.dir.path}` "
        "ends the run",
    )


def unknown_whether(run: Run, reason: str) -> ReleaseUnconfirmed:
    """The error for a pod of which nobody can tell whether it ended or was moved."""
    return ReleaseUnconfirmed(
        f"POD {run.state.pod.id} MAY STILL BE BILLING UNDER A NEW ID ({reason}): look for {run.spec.run_id} at "
        f"{CONSOLE_URL}",
        hint=f"`runpod-deploy resume {run.dir.path}` looks for it again",
    )
