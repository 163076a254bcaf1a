"""What every command that carries a run out shares: the manner, the last word. Must stay lean."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager
from typing import Any

from ..driver import Manner
from ..record.parts import Failure
from ..record.paths import RunDir
from ..record.state import State
from ..run import Run
from ..spec import Spec
from .options import INFO
from .output import utter


def manner(given: dict[str, Any]) -> Manner:
    """How to carry the run out, from the flags."""
    return Manner(
        detach=bool(given.get("detach")),
        quiet=given["verbosity"] > INFO,
        verbose=given["verbosity"] < INFO,
        wait_s=float(given.get("wait") or 0.0),
        screen=on_screen if given["verbosity"] == INFO and is_screen(plain=given["no_color"]) else None,
    )


def is_screen(*, plain: bool) -> bool:
    """Whether a person looks at stderr, on a terminal that can be drawn on and that nobody asked to keep plain."""
    plain = plain or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM", "dumb") == "dumb"
    return sys.stderr.isatty() and not plain


def on_screen(run: Run) -> AbstractContextManager[object]:
    """The run on this terminal. Loads what draws only now: a run that nobody looks at stays small."""
    from ..terminal.screen import Screen

    return Screen(run, sys.stderr)


def finish(state: State, spec: Spec, run_dir: RunDir) -> int:
    """The exit code, once the last word is on stderr: what went wrong, what to do, and loudest what still bills."""
    failure = state.failure
    if state.end.detached:
        utter(f"hint: go on with `runpod-deploy resume {run_dir.path}`")
    elif failure is not None and failure.kind != "release_unconfirmed":
        say(failure)
    if state.pod_may_exist and not state.end.detached:
        for unreleased in [f for f in state.end.closing_failures if f.phase == "release"][-1:]:
            utter(f"hint: {unreleased.hint}")
            utter(f"error: {unreleased.message}")
    return state.exit_code


def say(failure: Failure) -> None:
    """The failure, its hint and its heading in the manual are on stderr, a line each."""
    utter(f"error: {failure.message}")
    if failure.hint:
        utter(f"hint: {failure.hint}")
    utter(f"kind: {failure.kind}")
