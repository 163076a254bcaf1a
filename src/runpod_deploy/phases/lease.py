"""The lease on the pod of a run that any machine may carry out: who has it, and when this process must leave the run.

All of it is the pod's word, but for the proof in a claim, which nobody makes without the account's key: a job that
writes a lease of its own makes no process leave a pod that bills.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import NoReturn

from ..errors import DeployError, Interrupt, LimitReached
from ..machine.clock import wait_until, within
from ..money import cents
from ..pod.protocol import Lease
from ..run import Run
from ..spec.visible import visible
from .leaving import Detach, elsewhere
from .limits import guard_overdue_s, not_ended_by_guard

ALONE_S = 60.0
"""A pod that no client was in touch with for that long is alone: a follower touches it once a second, and other work
every 30 s."""
LOOK_WITHIN_S = 30.0
STAND_BY_S = 30.0
OWNER_DIGITS = 16
UNKNOWN = "an unknown machine"


def claim_of(run: Run, pod_id: str, number: int) -> str:
    """The claim of this run folder to the pod's lease of this number. It does not tell the token."""
    return proven(run, pod_id, number, hashlib.sha256(f"lease\n{run.spec.token}".encode()).hexdigest()[:OWNER_DIGITS])


def proven(run: Run, pod_id: str, number: int, owner: str) -> str:
    """The claim of that owner, with its proof."""
    return owner + run.world.cloud.proof(f"lease {number} of {pod_id} for {run.spec.run_id} by {owner}")


def is_own(run: Run, pod_id: str, lease: Lease) -> bool:
    """Whether this run folder has the lease."""
    return lease.claim == claim_of(run, pod_id, lease.number)


def is_theirs(run: Run, lease: Lease) -> bool:
    """Whether another machine with this account's key has the lease of the run's pod: then this process must leave."""
    pod_id = run.state.pod.id or ""
    claimed = lease.number > 0 and lease.claim == proven(run, pod_id, lease.number, lease.claim[:OWNER_DIGITS])
    return claimed and not is_own(run, pod_id, lease)


def is_alone(lease: Lease) -> bool:
    """Whether nobody has been in touch with the pod for long."""
    return lease.silent_s is None or lease.silent_s >= ALONE_S


def still_held(run: Run) -> None:
    """No other machine has taken the run. Raises Detach if one had it, SshLost, LimitReached."""
    if run.spec.any_machine:
        lease = run.host.lease()
        if is_theirs(run, lease):
            stand_by(run, lease)


def left_if_taken(run: Run) -> None:
    """Before the pod is ended: no other machine has it, as far as the pod tells. Raises Detach if one had it."""
    if not run.spec.any_machine or not run.state.pod_answers or run.state.end.wish in ("stop", "delete"):
        return  # whoever asks for an end of the pod by `stop --keep` or `stop --delete` means it
    lease = Lease()
    with suppress(DeployError, TimeoutError), within(run.world.clock, LOOK_WITHIN_S, "looking who has the run"):
        lease = run.host.lease()
    if is_theirs(run, lease):
        with suppress(LimitReached):
            stand_by(run, lease)


def stand_by(run: Run, lease: Lease) -> NoReturn:
    """The end of this process, once the pod that another machine has is gone, or somebody wants this one to end.

    A pod can keep a proof of a machine that it did not let in, so its word alone makes nobody leave a pod that bills.
    Raises Detach, also if the other machine may have kept the pod as the policy says, and LimitReached once the guard
    of a pod that anybody watches would have ended it.
    """
    signals, error = run.signals.count, held(run, lease)
    run.show("tool", f"{error.message}: waiting until its pod is gone\n".encode())

    def look() -> bool | None:
        with suppress(DeployError):
            return True if run.world.cloud.get(run.state.pod.id or "") is None else None
        return None

    try:
        while run.signals.count == signals and guard_overdue_s(run) < 0:
            with suppress(TimeoutError):
                wait_until(run.world.clock, look, every_s=STAND_BY_S, within_s=STAND_BY_S, what="the other machine")
                raise error
    except Interrupt:
        raise error from None
    policy = run.spec.job.lifecycle
    kept = "preserve" in (policy.on_success, policy.on_failure)
    raise error if kept or run.signals.count != signals else not_ended_by_guard(run)


def held(run: Run, lease: Lease) -> Detach:
    """The end of this process, since another machine has the run."""
    return elsewhere(
        f"run {run.spec.run_id} is held by {holder_of(lease)}, which was in touch with its pod "
        f"{run.state.pod.id or ''} less than {ALONE_S:.0f} s ago".replace("  ", " "),
        hint="wait for it with --wait, or ask again; if that machine is gone for good, ask again in a minute; "
        f"the pod bills{per_hour(run)}, and `runpod-deploy stop {run.dir.path} --delete` ends it",
    )


def per_hour(run: Run) -> str:
    """The price of the pod, as far as it is known."""
    rate = run.state.cost.usd_per_hour
    return f" ${cents(rate)} per hour" if rate else ""


def holder_of(lease: Lease) -> str:
    """The machine that has the lease, as it named itself, safe to show."""
    return visible(lease.holder) or UNKNOWN
