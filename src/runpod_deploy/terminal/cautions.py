"""What a transfer did that its user may not expect, as text for people. Knows events; prints nothing."""

from __future__ import annotations

from ..record import events as e
from .amounts import files, size


def not_created(event: e.ArtifactPullCompleted) -> str:
    """The warning about entries that were refused; empty if there are none."""
    if not event.refused:
        return ""
    more = f" and {event.refused - 3} more" if event.refused > 3 else ""
    first = ", ".join(event.refused_first[:3])
    return f"; WARNING: {first}{more} not created here: a link that leads out of the artifact, or a file of the tool"


def removed(event: e.StageFinished) -> str:
    """The files that an upload removed from the pod; empty if there are none."""
    if not event.removed:
        return ""
    count = f"{files(event.removed)}, {size(event.removed_bytes)}"
    return f"; deleted on the pod, since not here: {count}; the largest: {', '.join(event.removed_largest)}"


def empty(event: e.ArtifactEmpty) -> str:
    """The warning about a required artifact without a file."""
    return f"WARNING: artifact {event.label} has no files: {event.remote_path} is an empty folder on the pod"
