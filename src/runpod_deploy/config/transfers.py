"""Rules of uploads and downloads that need the rendered paths. Knows the spec and the lines of a document."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from ..spec import RunpodJobSpec
from .document import Document
from .finding import Finding, Loc

UNEXPANDED = re.compile(r"[*$]")


def of_rendered(job: RunpodJobSpec, project_root: Path, document: Document) -> Iterator[Finding]:
    """Mistakes in what is uploaded and downloaded."""
    yield from unexpanded(job, document)
    yield from erasing_each_other(job, project_root, document)
    yield from kept_at_mount(job, document)
    yield from outside(job, project_root, document)


def outside(job: RunpodJobSpec, project_root: Path, document: Document) -> Iterator[Finding]:
    """Warnings for files that the run would write outside of the project: nobody looks for them there."""
    written: dict[Loc, Path] = {
        ("artifacts", i, "local_path"): entry.landing(project_root) for i, entry in enumerate(job.artifacts)
    }
    if job.resolved_state_file is not None:
        written[("state_file",)] = job.resolved_state_file
    root = os.path.normpath(project_root.absolute())
    for loc, path in written.items():
        place = os.path.normpath(path.absolute())
        if os.path.commonpath([root, place]) != root:
            replaced = loc[0] == "artifacts" and path.is_file()
            message = f"is outside of the project: {place} is " + ("replaced" if replaced else "written there")
            yield document.finding(loc, message, level="warning")


def unexpanded(job: RunpodJobSpec, document: Document) -> Iterator[Finding]:
    """Errors for artifacts whose path looks as if a shell would expand it: there would be no such file."""
    for i, entry in enumerate(job.artifacts):
        if found := UNEXPANDED.search(entry.remote_path):
            hint = "name the folder, and choose files with excludes" if found[0] == "*" else "write the whole path"
            message = f"`{found[0]}` is not expanded in {entry.remote_path!r}"
            yield document.finding(("artifacts", i, "remote_path"), message, hint=hint)


def erasing_each_other(job: RunpodJobSpec, project_root: Path, document: Document) -> Iterator[Finding]:
    """Errors for artifacts that go to the same place, of which one deletes what it does not know."""
    places = [entry.places(project_root) for entry in job.artifacts]
    for (i, first), (j, second) in combinations(enumerate(job.artifacts), 2):
        shared = sorted(places[i] & places[j])
        if shared and (first.delete or second.delete):
            eraser = i if first.delete else j
            message = f"goes to the same place as artifacts[{i}], {shared[0]}, and artifacts[{eraser}] has delete: true"
            hint = "give each a folder of its own, or delete nothing"
            yield document.finding(("artifacts", j, "local_path"), message, hint=hint)


def kept_at_mount(job: RunpodJobSpec, document: Document) -> Iterator[Finding]:
    """Warnings for uploads to the root of a volume, or above it, which may delete everything on the volume."""
    mount = job.storage.volume_mount
    for i, entry in enumerate(job.staging):
        if not entry.reaches(mount) or entry.delete is False:
            continue
        loc = ("staging", i, "destination" if entry.delete is None else "delete")
        if entry.delete is None:
            message = f"{entry.destination} is, or is above, the mount point of the volume: nothing is deleted there"
            hint = "stage to a folder below it; or write delete: false to say that you know, delete: true to delete"
        else:
            message = f"deletes all of the volume at {mount} that is not in {entry.source}, such as models and results"
            hint = "stage to a folder below it; the run says how many files it has deleted, and names the five largest"
        yield document.finding(loc, message, hint=hint, level="warning")
