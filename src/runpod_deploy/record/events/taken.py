"""What a machine knows of a run that it takes over from another one: a value in two events. No event itself.

Most of it is the word of a pod: `phases/pod_note.py` checks it and compares it with the spec.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneCommand:
    """A command of setup or preflight that has succeeded."""

    section: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver:
    """The machine that had the run, and what is done on the pod already."""

    holder: str
    """The machine, as it named itself; empty if none was ever in touch with the pod."""
    token: str
    """The token that the pod bears: that of the run folder on the machine that requested it."""
    account: str = ""  # as in PodRequested
    job_pid: int | None = None
    """The job's process, if the job was started."""
    commands: tuple[DoneCommand, ...] = ()
    staged: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    """The names of the secrets that are on the pod."""
    python_version: str | None = None
    elsewhere_usd: float = 0.0
    """What the run has cost on earlier pods that only the other machine knows."""
