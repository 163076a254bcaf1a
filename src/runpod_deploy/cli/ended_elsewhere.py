"""What `run --run-id ID --journal PLACE` says of a run that another machine has finished. Knows no pod."""

from __future__ import annotations

from typing import Any

from ..config.draft import Draft
from ..errors import FAILURE_KINDS, UsageError
from ..record.paths import RUNS_DIR, RunDir
from ..record.shared_journal import SharedJournal, folder_of
from ..terminal.output import print_err


def journal_place(given: dict[str, Any]) -> str | None:
    """The place of `--journal`; a folder as an absolute path. Raises UsageError."""
    place = given["journal"]
    if place and not given["run_id"]:
        raise UsageError("--journal needs --run-id", hint="give the run an id by which other machines find it")
    folder = folder_of(place) if place else None
    return place if folder is None else str(folder.absolute())


def exit_code_elsewhere(draft: Draft, given: dict[str, Any]) -> int | None:
    """The exit code of the run, if another machine has finished it; None if it is to be carried out or continued here.

    A success elsewhere is no success here: its results are there. Raises ConfigError.
    """
    place, run_id = journal_place(given), given["run_id"]
    if place is None or RunDir(draft.project_root / RUNS_DIR / run_id).spec.exists():
        return None
    told = SharedJournal(place, run_id).manifest()
    if told.get("state") != "finished":
        return None
    code = told.get("exit_code")
    print_err(f"error: run {run_id} ended on {told.get('machine')}: {told.get('outcome')}, exit code {code}")
    print_err(f"hint: its results are there, in {told.get('run_dir')}; to carry it out again, use another --run-id")
    return code_here(code)


def code_here(told: object) -> int:
    """The exit code here: the one told if it names a failure, else that of results which are not here.

    A shell would take 256 for 0, and true is 1 for Python.
    """
    if isinstance(told, int) and not isinstance(told, bool) and 1 <= told <= 255:
        return told
    return FAILURE_KINDS["artifact_missing"].exit_code
