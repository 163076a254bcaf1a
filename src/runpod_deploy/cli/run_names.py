"""RUN on the command line: the parameter of each command that works on a run. Knows click; the search is in history."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from ..history.names import find_run, is_path, latest_run, project_runs
from ..record.index import indexed_runs
from ..record.paths import RUNS_DIR, project_of
from ..terminal.output import info

Function = TypeVar("Function", bound=Callable[..., Any])


class RunName(click.ParamType[Path]):
    """A run: a path, a run id, its time stamp, the beginning of either, `last`, or `last:NAME`. Its value is a path."""

    name = "run"

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ARG002
        """The run dir. Raises UsageError."""
        if isinstance(value, Path):
            return value
        return Path(value) if is_path(value) else find_run(value, Path.cwd())

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        """The ids of this project's runs, or else of all runs of this machine, the newest first."""
        runs = project_runs(Path.cwd()) or indexed_runs()
        names = ["last", *(run.run_id for run in reversed(runs)), *dict.fromkeys(f"last:{run.job}" for run in runs)]
        found = [CompletionItem(name) for name in names if name.startswith(incomplete)]
        return found or [CompletionItem(incomplete, type="dir")]


def run_argument(function: Function) -> Function:
    """The argument RUN, passed as `run_dir: Path`."""
    return click.argument("run_dir", metavar="RUN", type=RunName())(function)


def optional_run_argument(function: Function) -> Function:
    """The argument RUN, which may be left out, passed as `run_dir: Path | None`; see `or_latest`."""
    return click.argument("run_dir", metavar="[RUN]", type=RunName(), required=False)(function)


def or_latest(run_dir: Path | None) -> Path:
    """The named run, or else the latest of this project, which stderr then names. Raises UsageError."""
    if run_dir is not None:
        return run_dir
    found = latest_run(Path.cwd())
    info(f"the latest run: {found}")
    return found


def here() -> Path:
    """The project around the working directory, or else the working directory, as a path from there."""
    project, now = project_of(Path.cwd()), Path.cwd()
    return Path() if project is None or project == now else project


def project_option(help_text: str) -> Callable[[Function], Function]:
    """`--project-root DIR`, passed as `project_root: Path`: by default the project around the working directory."""
    return click.option(
        "--project-root", type=click.Path(path_type=Path), metavar="DIR", default=here,
        help=f"{help_text} [default: the project around the working directory]",
    )  # fmt: skip


RUNS_HERE = "[default: artifacts/runpod of the project around the working directory]"


def runs_folder() -> str:
    """The folder that holds the runs of the project around the working directory."""
    return str(here() / RUNS_DIR)
