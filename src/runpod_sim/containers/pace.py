"""Times that pods take to boot, restart and end: the choices of `--pace`. Knows durations; knows no pods."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The duration of each step in a pod's life, in seconds."""

    placing_s: float
    """In the status PROVISIONING."""
    starting_s: float
    """In the status STARTING: the image is pulled and the container is made."""
    mapping_s: float
    """In the status RUNNING without a runtime, before the ports are mapped."""
    sshd_s: float
    """From the mapped port to an sshd that answers."""
    restart_s: float
    """From the container's exit to its next start."""
    grace_s: float
    """From SIGTERM to SIGKILL when a pod is stopped."""
    leaving_s: float
    """From a deletion to the 404."""
    stale_s: float
    """From a resume until the API shows the new SSH port."""
    charge_every_s: float
    """Between two checks of the balance."""


FAST = Pace(
    placing_s=0.03,
    starting_s=0.05,
    mapping_s=0.03,
    sshd_s=0.0,
    restart_s=0.3,
    grace_s=0.1,
    leaving_s=0.0,
    stale_s=0.0,
    charge_every_s=0.1,
)
# Cached image on a good host, as measured on the live service in August 2026 and rounded.
SPEC = Pace(
    placing_s=4.0,
    starting_s=18.0,
    mapping_s=4.0,
    sshd_s=6.0,
    restart_s=16.0,
    grace_s=5.0,
    leaving_s=2.0,
    stale_s=30.0,
    charge_every_s=300.0,
)
PACES = {"fast": FAST, "spec": SPEC}
