"""A new run: its folder, and the spec that is rendered for it. Knows configs and paths; knows no pod."""

from __future__ import annotations

from dataclasses import replace

from ..config.draft import Draft
from ..machine.clock import SystemClock
from ..machine.git import deploy_metadata
from ..spec import Spec
from .paths import RunDir, claim, reserve, time_stamp


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
    spec = draft.render(stamp=stamp, run_dir=run_dir.path, created_at=now, run_id=run_id)
    return replace(spec, metadata=deploy_metadata(spec.project_root, spec.job.telemetry)), run_dir
