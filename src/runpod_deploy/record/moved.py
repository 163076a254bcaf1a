"""The spec of a run whose project was moved or renamed since it began: its local paths lead to the present place.

Rendered paths are absolute, so those below the old place would be made anew there. Knows paths; writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from ..spec import RunpodJobSpec, SecretSpec, Spec
from .paths import RUNS_DIR

Swap = Callable[[str], str]


def at_present(spec: Spec, run_dir: Path) -> Spec:
    """The spec, with local paths of the present place if the run is not any more where it began."""
    former = [spec.project_root / RUNS_DIR / name for name in dict.fromkeys(names_of(spec, run_dir))]
    if any(path.exists() for path in former):
        return spec
    root = run_dir.parents[1].parent if run_dir.parts[-3:-1] == RUNS_DIR.parts else spec.project_root
    moves = [(path, run_dir) for path in former] + [(spec.project_root, root)]
    swap = partial(moved, moves=moves)
    return replace(
        spec,
        project_root=root,
        config_path=Path(swap(str(spec.config_path))),
        job=with_paths(spec.job, swap),
        moved_from=spec.project_root,
    )


def names_of(spec: Spec, run_dir: Path) -> list[str]:
    """The names that the run's folder may have had: its time stamp, or the id that was asked for."""
    return [run_dir.name, spec.run_id, spec.run_id.removeprefix(f"{spec.job.run_id_prefix or spec.job.name}-")]


def moved(path: str, *, moves: list[tuple[Path, Path]]) -> str:
    """The path, below the new place if it was below the old one. A trailing slash stays."""
    for old, new in moves:
        if path == str(old) or path.startswith(f"{old}/"):
            return f"{new}{path[len(str(old)) :]}"
    return path


def with_sources(secret: SecretSpec, swap: Swap) -> SecretSpec:
    """The secret with its local file swapped, if it has one."""
    file, env_file = (swap(path) if path else path for path in (secret.file, secret.env_file))
    return replace(secret, file=file, env_file=env_file)


def with_paths(job: RunpodJobSpec, swap: Swap) -> RunpodJobSpec:
    """The job with each of its local paths swapped."""
    return replace(
        job,
        state_file=swap(job.state_file) if job.state_file else job.state_file,
        local=replace(job.local, required_paths=tuple(map(swap, job.local.required_paths))),
        staging=tuple(replace(entry, source=swap(entry.source)) for entry in job.staging),
        secrets=tuple(with_sources(secret, swap) for secret in job.secrets),
        artifacts=tuple(replace(entry, local_path=swap(entry.local_path)) for entry in job.artifacts),
    )
