"""Why a job ended and whether it succeeded. Knows exit statuses and markers; knows nothing of how they were learned."""

from __future__ import annotations


def verdict(exit_code: int | None, why: str, *, marker: str | None, marker_seen: bool) -> str | None:
    """None for a job that succeeded, else the kind of its failure.

    `why` is `exited`, or the kind of failure that ended the job from outside. The exit status speaks first; the
    marker can only take success away.
    """
    if why != "exited":
        return why
    if exit_code != 0:
        return "job_failed"
    return "marker_missing" if marker and not marker_seen else None


def cause_of_end(*, stopped: bool, asked: str | None, limit: str) -> str:
    """`exited`, or the kind of failure that ended the job: what the pod says of its end, and what we asked for.

    Who asked for a stop and came too late has ended nothing: the job had ended by itself, and only a failure marker
    counts all the same. A job that was stopped though nobody asked was stopped by the guard, at the limit.
    """
    if asked == "failure_marker":
        return asked
    return (asked or limit) if stopped else "exited"
