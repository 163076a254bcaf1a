"""Why a job ended, and whether it succeeded. Knows exit statuses and markers; knows nothing of their source."""

from __future__ import annotations


def verdict(exit_code: int | None, why: str, *, marker: str | None, marker_seen: bool) -> str | None:
    """The kind of the job's failure; None if it succeeded.

    `why` is `exited`, or the kind of failure that ended the job from outside. The exit status decides first; a
    missing marker can only turn a success into a failure.
    """
    if why != "exited":
        return why
    if exit_code != 0:
        return "job_failed"
    return "marker_missing" if marker and not marker_seen else None


def cause_of_end(*, stopped: bool, asked: str | None, limit: str, flaw: str = "") -> str:
    """`exited`, or the kind of failure that ended the job, from the pod's answer and from the stop that we asked for.

    `flaw` is the kind of failure that the pod itself saw in the end.

    A request to stop may come too late: then the job ended by itself, and only a failure marker still counts. A job
    that was stopped without a request of ours was stopped by the guard, at the limit.
    """
    if asked == "failure_marker":
        return asked
    return (asked or limit) if stopped else flaw or "exited"
