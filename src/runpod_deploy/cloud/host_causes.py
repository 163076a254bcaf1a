"""Why a container does not start, from the words of its host's log. Pure; knows the texts of Docker and NVIDIA.

Docker tries again after an error, so that the last line that names a cause or some progress decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from .values import LogLine

PROGRESS_TEXTS = ("pulling from", "pull complete", "downloading", "extracting", "start container", "started container")
DONE_TEXTS = ("downloaded newer image", "image is up to date")
"""With these the image is there, whatever was wrong before."""
OFTEN = 3
"""A cause that a log names this many times is not overcome by another try that has just begun."""


@dataclass(frozen=True, slots=True)
class CauseKind:
    """One kind of cause, and the parts of log lines that name it."""

    meaning: str
    permanent: bool
    """Whether no other host can help: the image or its credentials are wrong."""
    texts: tuple[str, ...]


CAUSE_KINDS = (
    CauseKind(
        "the registry limits our pulls",
        False,
        ("toomanyrequests", "too many requests", "pull rate limit"),
    ),
    CauseKind("the host's disk is full", False, ("no space left on device", "disk quota exceeded")),
    CauseKind(
        "the host's driver is too old for the image's CUDA",
        False,
        ("unsatisfied condition: cuda", "update your driver", "driver/library version mismatch"),
    ),
    CauseKind(
        "the host has no memory left for the container",
        False,
        ("out of memory", "oomkilled", "oom-kill", "cannot allocate memory"),
    ),
    CauseKind(
        "the registry refuses our credentials for the image",
        True,
        (
            "unauthorized",
            "authentication required",
            "no basic auth credentials",
            "may require 'docker login'",
            "pull access denied",
            "incorrect username or password",
            "requested access to the resource is denied",
        ),
    ),
    CauseKind(
        "there is no such image",
        True,
        (
            "manifest unknown",
            "manifest for",
            "repository does not exist",
            "name unknown",
            "invalid reference format",
            "no matching manifest",
        ),
    ),
    CauseKind(
        "the image cannot run its command",
        True,
        ("executable file not found", "exec format error", "oci runtime create failed: exec"),
    ),
    CauseKind(
        "the host cannot pull the image",
        False,
        ("error pulling image", "failed to register layer", "failed to pull", "error creating container"),
    ),
)


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause, as the host's log names it."""

    kind: CauseKind
    line: str

    def __str__(self) -> str:
        return f"{self.kind.meaning}: {self.line}"


def cause_in(lines: Iterable[LogLine]) -> Cause | None:
    """The cause that keeps the container from starting; None if the log names none, or has shown progress since."""
    counts: Counter[CauseKind] = Counter()
    last: Cause | None = None
    for line in lines:
        if line.source != "system":
            continue
        if (kind := kind_of(line.text)) is not None:
            counts[kind] += 1
            last = Cause(kind, line.text)
        elif names(line.text, DONE_TEXTS):
            counts.clear()
            last = None
        elif last is not None and counts[last.kind] < OFTEN and names(line.text, PROGRESS_TEXTS):
            last = None
    return last


def kind_of(text: str) -> CauseKind | None:
    """The kind of cause that the line names, if it names one."""
    return next((kind for kind in CAUSE_KINDS if names(text, kind.texts)), None)


def names(text: str, parts: Iterable[str]) -> bool:
    """Whether one of the parts is in the line, in any letter case."""
    lowered = text.lower()
    return any(part in lowered for part in parts)
