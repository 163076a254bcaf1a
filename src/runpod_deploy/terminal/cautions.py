"""What a transfer did that its user may not expect, as text for people. Knows events; prints nothing."""

from __future__ import annotations

from ..record import events as e
from ..record.reported import rounded
from .amounts import files, size

MOST_NUMBERS = 8


def not_created(event: e.ArtifactPullCompleted) -> str:
    """The warning about entries that are not here; empty if there are none."""
    refused = some(event.refused_first, event.refused)
    lost = some(event.unresolved_first, event.unresolved)
    why = "a link to what is not fetched (a device, a system folder, a folder around it), or a file of the tool"
    return (f"; WARNING: {refused} not created here: {why}" if refused else "") + (
        f"; WARNING: {lost} not created here: the link leads nowhere on the pod" if lost else ""
    )


def links_out(event: e.StageFinished) -> str:
    """The warning about links that lead out of the source; empty if there are none."""
    names = some(event.links_out_first, event.links_out)
    return f"; WARNING: links that lead out of the source were sent as links: {names}" if names else ""


def some(first: tuple[str, ...], count: int) -> str:
    """The first three of the names, and how many more there are; empty if there are none."""
    more = f" and {count - 3} more" if count > 3 else ""
    return ", ".join(first[:3]) + more if count else ""


def removed(event: e.StageFinished) -> str:
    """The files that an upload removed from the pod; empty if there are none."""
    if not event.removed:
        return ""
    count = f"{files(event.removed)}, {size(event.removed_bytes)}"
    return f"; deleted on the pod, since not here: {count}; the largest: {', '.join(event.removed_largest)}"


def numbers(metrics: dict[str, float]) -> str:
    """The first numbers that a job has reported, and how many more there are."""
    shown = [f"{name}={rounded(value)}" for name, value in metrics.items()][:MOST_NUMBERS]
    more = len(metrics) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def empty(event: e.ArtifactEmpty) -> str:
    """The warning about a required artifact without a file."""
    return f"WARNING: artifact {event.label} has no files: {event.remote_path} is an empty folder on the pod"
