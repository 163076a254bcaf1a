"""The paths of a config: local files that must exist, and uploads and downloads that overwrite each other."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import combinations
from pathlib import Path, PurePosixPath

from ..config import Draft, Finding
from ..config.settings import environment
from ..errors import DeployError
from ..phases.check import problems_of, secret_problems
from ..pod.transfer.shipment import survey
from ..record.paths import EVENTS_NAME, LOG_NAME, MANIFEST_NAME, METRICS_NAME, SPEC_NAME
from ..spec import RsyncPushSpec
from ..spec.places import expanded

# Files in a run dir that only the tool writes.
OWN_FILES = (EVENTS_NAME, METRICS_NAME, SPEC_NAME, LOG_NAME, MANIFEST_NAME)


SET_HINT = "`run` needs its value in the environment: export it first"


def missing_here(draft: Draft) -> Iterator[Finding]:
    """Errors for local paths and secret files that do not exist or cannot be used, as the run itself would say them."""
    hint = f"looked in {draft.project_root}"
    for problem in problems_of(draft.trial):
        yield draft.document.finding(problem.loc, problem.message, hint=hint)
    environ = environment()
    for i, secret in enumerate(draft.trial.job.secrets):
        for loc, message in secret_problems(draft.trial, secret, environ):
            yield draft.document.finding(("secrets", i, *loc), message, hint=SET_HINT if secret.env else hint)


def overwritten(draft: Draft) -> Iterator[Finding]:
    """Warnings for staging entries whose files a later entry deletes, or uploads again."""
    job = draft.trial.job
    shipped = cache(lambda i: shipped_paths(draft, job.staging[i]))  # a large source is listed once, not for each pair
    for (i, first), (j, second) in combinations(enumerate(job.staging), 2):
        source = local(draft, second.source).absolute()
        if inside(second, first) and any(path.is_relative_to(source) for path in shipped(i)):
            message = f"its source is inside that of staging[{i}], which uploads it already"
            yield draft.document.finding(("staging", j, "source"), message, level="warning")
        lower, upper = PurePosixPath(first.destination), PurePosixPath(second.destination)
        if second.deletes(job.storage.volume_mount) and lower != upper and lower.is_relative_to(upper):
            message = f"deletes what staging[{i}] uploads to {first.destination}; list it first, or set delete: false"
            yield draft.document.finding(("staging", j, "destination"), message, level="warning")


def inside(second: RsyncPushSpec, first: RsyncPushSpec) -> bool:
    """Whether the second source is inside the first."""
    inner, outer = (PurePosixPath(entry.source) for entry in (second, first))
    return inner != outer and inner.is_relative_to(outer)


def shipped_paths(draft: Draft, entry: RsyncPushSpec) -> tuple[Path, ...]:
    """The files that an entry uploads: not those that it excludes or git ignores."""
    try:
        return tuple(file.path.absolute() for file in survey(entry, draft.project_root).files)
    except DeployError:
        return ()  # the run's own check says what is wrong


def colliding(draft: Draft) -> Iterator[Finding]:
    """Warnings for artifacts that overwrite each other or the run's own files."""
    artifacts = list(enumerate(draft.trial.job.artifacts))
    for (i, first), (j, second) in combinations(artifacts, 2):
        if first.delete or second.delete:
            continue  # config/transfers.py looks at these
        if first.landing(draft.project_root) == second.landing(draft.project_root):
            message = f"is downloaded to the same path as artifacts[{i}]: {second.landing(draft.project_root)}"
            yield draft.document.finding(("artifacts", j, "local_path"), message, level="warning")
    run_dir = draft.trial_run_dir
    for i, entry in artifacts:
        place = entry.landing(draft.project_root)
        if place == run_dir or run_dir.is_relative_to(place) or (place.parent == run_dir and place.name in OWN_FILES):
            message = "overwrites the run's own files; use a folder of its own, such as {run_dir}/" + entry.label
            yield draft.document.finding(("artifacts", i, "local_path"), message, level="warning")


def local(draft: Draft, path: str) -> Path:
    """The absolute form of a local path of a config."""
    return draft.project_root / expanded(path)


def landings(draft: Draft) -> Iterator[Finding]:
    """A note for each artifact, with the path that it is downloaded to."""
    for i, entry in enumerate(draft.trial.job.artifacts):
        what = "the contents of " if entry.remote_path.endswith("/") else ""
        message = f"{what}{entry.remote_path} will be downloaded to {entry.landing(draft.project_root)}"
        yield draft.document.finding(("artifacts", i), message, level="note")
