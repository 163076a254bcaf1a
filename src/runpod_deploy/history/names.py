"""Names for runs: what a user calls a run, as the folder of that run. Knows folders and the index; opens no journal.

`RUN` is a path, a run id, the time stamp of one, the beginning of either, `last`, or `last:NAME`. The project's own
runs come first, then all runs that began on this machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ..errors import UsageError
from ..record.index import indexed_runs, lines
from ..record.named import NamedRun, read_name
from ..record.paths import EVENTS_NAME, MANIFEST_NAME, SPEC_NAME, project_of
from ..spec.spelling import closest
from .folders import run_dirs

LAST = "last"
MOST_NAMED = 8
RECORDS = (SPEC_NAME, EVENTS_NAME, MANIFEST_NAME)


def find_run(name: str, here: Path) -> Path:
    """The run dir that the user calls so from this folder; a path stays as it is. Raises UsageError."""
    if is_path(name):
        return Path(name)
    if name == LAST or name.startswith(f"{LAST}:"):
        return latest_run(here, job=name[len(LAST) + 1 :])
    for fits in (NamedRun.is_named, NamedRun.begins_with):
        for runs in (project_runs(here), indexed_runs()):
            if found := [run for run in runs if fits(run, name)]:
                return shown_path(the_one(name, found), here)
    if os.path.lexists(name):
        return Path(name)
    raise not_found(name, here)


def is_path(name: str) -> bool:
    """Whether the user means a path: a text with a slash, or the folder or file of a run."""
    path = Path(name)
    try:
        return "/" in name or name in ("", ".", "..") or path.is_file() or any((path / one).exists() for one in RECORDS)
    except (OSError, ValueError):
        return False


def latest_run(here: Path, *, job: str = "") -> Path:
    """The run that began last in this project, or else on this machine; with a job, the last one of that job.

    Raises UsageError if there is none.
    """
    for runs in (project_runs(here), indexed_runs()):
        if found := [run for run in runs if job in ("", run.job)]:
            return shown_path(found[-1], here)
    if job:
        raise not_found(f"{LAST}:{job}", here)
    raise UsageError("no run has begun here yet", hint="name one, or start one with `runpod-deploy run FILE`")


def project_runs(here: Path) -> list[NamedRun]:
    """The runs of the project around this folder, oldest first; none outside of a project."""
    project = project_of(here)
    return named_runs(run_dirs(project, unreported)) if project else []


def unreported(_path: str, _why: str) -> None:
    """Reports nothing: the command that was asked for says what it cannot read."""


def named_runs(paths: Iterable[Path]) -> list[NamedRun]:
    """The runs in these folders, oldest first. A folder without a record of a run is left out."""
    known = lines()
    found = (known.get(path.absolute()) or read_name(path) for path in paths)
    return sorted((run for run in found if run is not None), key=lambda run: run.begun_at)


def shown_path(run: NamedRun, here: Path) -> Path:
    """The run's path, from here if it is below this folder: messages then show the short one."""
    return run.path.relative_to(here) if run.path.is_relative_to(here) else run.path


def the_one(name: str, found: list[NamedRun]) -> NamedRun:
    """The only run. Raises UsageError that names the newest ones if there are several."""
    if len(found) == 1:
        return found[0]
    newest = [run.run_id for run in reversed(found)]
    if len(set(newest)) == 1:
        newest = [str(run.path) for run in reversed(found)]
    more = f" and {len(newest) - MOST_NAMED} more" if len(newest) > MOST_NAMED else ""
    raise UsageError(
        f"{name!r} fits {len(found)} runs: {', '.join(newest[:MOST_NAMED])}{more}", hint="give more of the id"
    )


def not_found(name: str, here: Path) -> UsageError:
    """The error for a name that no run has, with the name that was probably meant."""
    runs = {run.path: run for run in (*project_runs(here), *indexed_runs())}.values()
    jobs = dict.fromkeys(run.job for run in runs)
    near = closest(name, [*(run.run_id for run in runs), *(f"{LAST}:{job}" for job in jobs), *jobs])
    asked = f"did you mean {near}? " if near else ""
    return UsageError(
        f"no run is called {name!r}",
        hint=f"{asked}`runpod-deploy ls-runs` lists the runs of this project; a path to a run folder works too",
    )
