"""The end of a process that leaves a run which goes on without it. Knows the reasons; knows no phase."""

from __future__ import annotations


class Detach(Exception):
    """This process leaves the run. The job goes on, and the pod's guard holds the limits."""

    def __init__(self, why: str, message: str = "", hint: str = "") -> None:
        super().__init__(why)
        self.why, self.message, self.hint = why, message, hint


def elsewhere(message: str, hint: str = "") -> Detach:
    """The end of a process whose run belongs to another machine: nothing was done to its pod."""
    return Detach("elsewhere", message, hint)
