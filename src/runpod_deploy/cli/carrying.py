"""Parts that `run`, `resume`, `attach` and `pull` share: the options of a run, and the last messages.

This module is loaded by the process that watches, so it must not import a heavy library.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from ..driver import RunOptions
from ..record.begun_here import require_known
from ..record.parts import Failure
from ..record.paths import RunDir
from ..record.state import State
from ..run import Run
from ..spec import Spec
from ..terminal.failure import failure_lines
from ..terminal.hints import about
from ..terminal.output import can_draw, print_err
from .options import INFO

NO_WAIT = timedelta()


def manner(given: dict[str, Any]) -> RunOptions:
    """The options of the run, from the flags."""
    return RunOptions(
        detach=bool(given.get("detach")),
        quiet=given["verbosity"] > INFO,
        verbose=given["verbosity"] < INFO,
        wait_s=given.get("wait", NO_WAIT).total_seconds(),
        adopt_key=given.get("adopt_key"),
        screen=on_screen if given["verbosity"] == INFO and can_draw(sys.stderr, plain=given["no_color"]) else None,
    )


def proving(how: RunOptions, spec: Spec, folder: RunDir, *, trust: bool) -> RunOptions:
    """The options, by which a run that was not begun here needs the API's proof. Raises UsageError without --trust."""
    return replace(how, prove=not require_known(spec.token, folder, trust=trust))


def on_screen(run: Run) -> AbstractContextManager[object]:
    """The run, drawn on this terminal. Only now is the library that draws loaded: other runs stay small."""
    from ..terminal.screen import Screen

    return Screen(run, sys.stderr)


def finish(state: State, run_dir: RunDir) -> int:
    """The exit code, after stderr says what went wrong, what to do, and in the last line what may still bill."""
    failure = state.failure
    if state.end.elsewhere and state.end.detached:
        print_failure(state.end.elsewhere)
    elif state.end.detached:
        print_err(f"hint: follow the run again with `{about('attach', run_dir.path)}`")
    elif failure is not None and failure.kind != "release_unconfirmed":
        print_end(failure, state, run_dir)
    if state.pod_may_exist and not state.end.detached:
        for unreleased in [f for f in state.end.closing_failures if f.phase == "release"][-1:]:
            print_err(f"hint: {unreleased.hint}")
            print_err(f"error: {unreleased.message}")
    return state.exit_code


def print_end(failure: Failure, state: State, run_dir: RunDir) -> None:
    """stderr says what failed, how the log ends, and what to type next."""
    for line in failure_lines(failure, state, run_dir):
        print_err(line)


def print_failure(failure: Failure) -> None:
    """stderr has the failure, its hint, and its kind, which is its heading in the troubleshooting page."""
    print_err(f"error: {failure.message}")
    if failure.hint:
        print_err(f"hint: {failure.hint}")
    print_err(f"kind: {failure.kind}")
