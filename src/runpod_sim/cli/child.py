"""The command that `runpod-sim exec` runs. Knows processes, signals and the terminal; knows no simulator."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
EXIT_NOT_STARTED = 127


def collect_signals() -> list[int]:
    """From now on these signals end nothing; the list gets each one that arrives before the command runs."""
    arrived: list[int] = []
    for number in FORWARDED:
        asyncio.get_running_loop().add_signal_handler(number, arrived.append, number)
    return arrived


async def run_child(command: Sequence[str], env: Mapping[str, str], arrived: Sequence[int]) -> int:
    """The command's exit code, 128 + n after a signal; each signal that we get is forwarded to it once.

    It has a process group of its own. Otherwise a Ctrl-C would reach it twice: from the terminal and from us.
    """
    try:
        child = await asyncio.create_subprocess_exec(*command, env=dict(env), process_group=0)
    except OSError as error:
        sys.stderr.write(f"runpod-sim: {command[0]}: {error.strerror}\n")
        return EXIT_NOT_STARTED
    for number in FORWARDED:
        asyncio.get_running_loop().add_signal_handler(number, _forward, child.pid, number)
    for early in arrived:
        _forward(child.pid, early)
    owned = _give_terminal(child.pid)
    if owned:
        # A shell that asked for the terminal before it was given to it has been stopped.
        _forward(child.pid, signal.SIGCONT)
    code = await child.wait()
    if owned:
        _give_terminal(os.getpgrp())
    return code if code >= 0 else 128 - code


def _forward(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        pass


def _give_terminal(group: int) -> bool:
    """Whether that process group now reads from the terminal and is interrupted by it."""
    if not sys.stdin.isatty():
        return False
    # A background group that changes the terminal's owner is stopped, unless it ignores that signal.
    previous = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        os.tcsetpgrp(sys.stdin.fileno(), group)
    except OSError:
        return False
    finally:
        signal.signal(signal.SIGTTOU, previous)
    return True
