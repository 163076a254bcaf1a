"""From a pod that exists to a pod that answers."""

from __future__ import annotations

from ..errors import BootTimeout, DeployError, ImageRefused, ReleaseUnconfirmed, StockOut
from ..machine.clock import wait_until
from ..money import guard_deadline
from ..pod.protocol import GuardTerms
from ..record.events import GuardArmed, GuardMissing, PodAbandoned, PodDiscarded
from ..run import Run
from . import snapshots
from .booting import await_ssh
from .candidates import untried
from .guard_terms import guard_terms
from .limits import enforce, run_limit
from .pod_note import hold
from .provision import provision
from .reconnect import with_reconnects
from .release import confirm_deleted

# A call of the guard to the API may take 30 s, and may have to be made twice.
PROOF_WITHIN_S = 45.0


def connect(run: Run) -> None:
    """The pod answers over SSH with the pinned key, no other machine has the run, and the guard is armed.

    A pod that does not boot is deleted and the next candidate is tried once. Raises BootTimeout, LimitReached.
    """
    if run.state.pod.address is None:
        boot(run)
    hold(run)
    if run.state.pod.guard_deadline_at is None:
        with_reconnects(run, "arming the guard", lambda: arm(run), run_limit(run))
    snapshots.at_start(run)


def boot(run: Run) -> None:
    """A pod of this run answers over SSH. Raises BootTimeout, ImageRefused, StockOut, LimitReached."""
    failed = bool(run.state.pod.abandoned)
    while True:
        discard(run)
        provision(run)
        try:
            return await_ssh(run)
        except (BootTimeout, ImageRefused, StockOut) as error:
            if run.state.job.pid is not None:
                raise  # a pod that may hold results is not abandoned
            run.record(PodAbandoned(pod_id=run.state.pod.id or "", reason=error.message))
            discard(run)
            if is_final(run, error, failed=failed):
                raise
            failed = failed or isinstance(error, BootTimeout)


def is_final(run: Run, error: DeployError, *, failed: bool) -> bool:
    """Whether no other pod is to be tried: no host can run the image, it is the second that did not boot, or the last.

    A recycled pod was no candidate: after it, a fresh one is asked for.
    """
    if isinstance(error, ImageRefused) or (failed and isinstance(error, BootTimeout)):
        return True
    return bool(run.state.request.candidates) and not untried(run)


def discard(run: Run) -> None:
    """The abandoned pod, if there is one, is gone. Raises BootTimeout if the API does not confirm that."""
    pod_id = run.state.pod.discarding
    if pod_id is None:
        return
    try:
        confirm_deleted(run, pod_id)
    except ReleaseUnconfirmed as error:
        raise BootTimeout(f"the pod never booted, and then: {error.message}", hint=error.hint) from error
    run.record(PodDiscarded(pod_id=pod_id))


def arm(run: Run) -> None:
    """The guard has its terms and runs. Raises BootTimeout if it does not run and the config requires it."""
    assert run.state.cost.stop_at
    deadline = guard_deadline(run.state.cost.stop_at, run.spec.job.budget)
    problem = missing_proof(run, guard_terms(run, deadline))
    if not problem:
        run.record(GuardArmed(deadline_at=deadline))
    elif run.spec.job.guard.required:
        raise BootTimeout(
            f"the guard on the pod did not prove that it can end the pod: {problem}",
            hint="to reach the API the image needs curl, wget or python3, and CA certificates; "
            "to run without a guard, write guard: {required: false} in the config",
        )
    else:
        run.record(GuardMissing(reason=problem))


def missing_proof(run: Run, terms: GuardTerms) -> str:
    """Empty once the guard has its terms and has proved that it runs, else why not. Raises LimitReached."""
    problem = [""]

    def look() -> bool | None:
        enforce(run)
        problem[0] = run.host.arm(terms)
        return None if problem[0] else True

    try:
        wait_until(run.world.clock, look, every_s=1.0, within_s=PROOF_WITHIN_S, what="the guard's proof of life")
    except TimeoutError:
        return problem[0]
    return ""
