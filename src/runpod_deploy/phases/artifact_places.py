"""Local paths that no artifact may touch: the run's own files, other runs, the config. Knows names; knows no pod."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ..machine.files import real
from ..record.manifest import TELEMETRY_FILES
from ..record.paths import RUNS_DIR, RunDir
from ..run import Run
from ..spec import ArtifactPullSpec
from .check import local_path


def protected(run: Run, place: Path) -> tuple[Path, ...]:
    """The places that an artifact for this place may not write, replace, delete or link to."""
    state_file = run.spec.job.resolved_state_file
    own = [] if state_file is None else [state_file, state_file.with_name(state_file.name + ".lock")]
    return (*configs(run), *own, *files_of_run(run.dir), *other_runs(run, place))


def configs(run: Run) -> Iterator[Path]:
    """The config of the run and its base, as far as the values of the run name them."""
    yield run.spec.config_path
    for origin in run.spec.origins.values():
        name, _, line = origin.rpartition(":")
        if line.isdigit() and (path := run.spec.config_path.parent / name) != run.spec.config_path:
            yield path


def other_runs(run: Run, place: Path) -> Iterator[Path]:
    """The folder of all runs, if the place is above it; the files of the other runs that the place is in or above."""
    all_runs, place = real(run.spec.project_root / RUNS_DIR), real(place)
    if all_runs != place and all_runs.is_relative_to(place):
        yield all_runs
    elif place.is_relative_to(all_runs) and not place.is_relative_to(real(run.dir.path)):
        name = "*" if place == all_runs else place.relative_to(all_runs).parts[0]
        for path in all_runs.glob(name):
            yield from files_of_run(RunDir(path))


def files_of_run(run_dir: RunDir) -> tuple[Path, ...]:
    """The files and folders in a run folder that only the tool writes."""
    snapshots = (run_dir.path / name for name in TELEMETRY_FILES)
    return (*run_dir.files, run_dir.ssh, *snapshots)


def other_artifacts(run: Run, entry: ArtifactPullSpec) -> tuple[Path, ...]:
    """Where the other artifacts of the run go, whether they turn out to be files or folders."""
    others = [other for other in run.spec.job.artifacts if other.label != entry.label]
    places = [(local_path(run.spec, other.local_path), PurePosixPath(other.remote_path).name) for other in others]
    return tuple(path for place, name in places for path in (place, place / name))
