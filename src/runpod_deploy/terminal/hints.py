"""Commands as hints name them, ready to paste into a shell. Knows paths and quoting; knows no run's state."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

from ..record.paths import RUNS_DIR, project_of

OTHER_MEANING = ("last",)
"""Names of folders by which a command would look for another run."""


def seen_from_here(path: Path) -> str:
    """The path, relative if it is below the current folder."""
    try:
        here = Path.cwd()
    except OSError:  # the folder was removed while the run went on
        return str(path)
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def about(words: str, run_dir: Path) -> str:
    """The command about the run: `about("logs", …)` is `runpod-deploy logs 20261128T020516Z`."""
    return f"runpod-deploy {words} {quote(name_of(run_dir))}"


def name_of(run_dir: Path) -> str:
    """The name of the run's folder, if that names the run from here, or else its path."""
    short = is_of_this_project(run_dir) and run_dir.name not in OTHER_MEANING and not Path(run_dir.name).exists()
    return run_dir.name if short else seen_from_here(run_dir)


def is_of_this_project(run_dir: Path) -> bool:
    """Whether the run is in the nearest folder of runs from here upwards, in which commands look first."""
    try:
        nearest = project_of(Path.cwd())
    except OSError:  # the folder was removed
        return False
    return nearest is not None and (nearest / RUNS_DIR) == run_dir.absolute().parent
