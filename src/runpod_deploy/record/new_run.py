"""A new run: its folder, and the spec that is rendered for it. Knows configs and paths; knows no pod."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ..config.draft import Draft
from ..machine.clock import SystemClock
from ..machine.files import write_atomically
from ..machine.git import deploy_metadata, is_tracked
from ..spec import Spec
from .paths import RunDir, claim, reserve, time_stamp

IGNORE_ALL = "*\n"


def keep_out_of_git(runs: Path) -> None:
    """Git ignores the folder of all runs, which holds private keys, unless the user tracks files in it."""
    path = runs / ".gitignore"
    with suppress(OSError):
        if not os.path.lexists(path) and not is_tracked(runs):
            write_atomically(path, IGNORE_ALL)


def begin(draft: Draft, *, run_id: str = "") -> tuple[Spec, RunDir]:
    """The spec and the folder of a new run; with an id, the folder of the run that has this id.

    Raises ConfigError, and then no folder was made for a config that cannot be rendered.
    """
    now = SystemClock().now()
    draft.trial  # noqa: B018 - every mistake is found before a folder is made
    if run_id:
        run_dir, stamp = claim(draft.project_root, run_id), run_id
    else:
        run_dir, stamp = reserve(draft.project_root, time_stamp(now))
    keep_out_of_git(run_dir.path.parent)
    spec = draft.render(stamp=stamp, run_dir=run_dir.path, created_at=now, run_id=run_id)
    return replace(spec, metadata=deploy_metadata(spec.project_root, spec.job.telemetry)), run_dir
