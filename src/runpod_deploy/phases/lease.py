"""The lease on the pod of a run that any machine may carry out: who has it, and when this process must leave the run.

All of it is the pod's word. Knows no API.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress

from ..errors import DeployError
from ..pod.protocol import Lease
from ..run import Run
from ..spec import Spec
from ..spec.visible import visible
from .leaving import Detach, elsewhere

ALONE_S = 60.0
"""A pod that no client was in touch with for that long is alone: a follower touches it once a second, and other work
every 30 s."""
CLAIM_DIGITS = 16
UNKNOWN = "an unknown machine"


def claim_of(spec: Spec) -> str:
    """The text that stands for this run folder in a lease. It does not tell the token."""
    return hashlib.sha256(f"lease\n{spec.token}".encode()).hexdigest()[:CLAIM_DIGITS]


def is_alone(lease: Lease) -> bool:
    """Whether nobody has been in touch with the pod for long."""
    return lease.silent_s is None or lease.silent_s >= ALONE_S


def still_held(run: Run) -> None:
    """No other machine has taken the run. Raises Detach if one has, SshLost."""
    if run.spec.any_machine:
        lease = run.host.lease()
        if lease.number and lease.claim != claim_of(run.spec):
            raise held(run, lease)


def left_if_taken(run: Run) -> None:
    """Before the pod is ended: no other machine is known to have it. Raises Detach if one has."""
    if run.state.pod_answers:
        with suppress(DeployError, TimeoutError):
            still_held(run)


def held(run: Run, lease: Lease) -> Detach:
    """The end of this process, since another machine has the run."""
    return elsewhere(
        f"run {run.spec.run_id} is held by {holder_of(lease)}, which was in touch with its pod "
        f"{run.state.pod.id or ''} less than {ALONE_S:.0f} s ago".replace("  ", " "),
        hint="wait for it with --wait, or ask again; if that machine is gone for good, ask again in a minute",
    )


def holder_of(lease: Lease) -> str:
    """The machine that has the lease, as it named itself, safe to show."""
    return visible(lease.holder) or UNKNOWN
