"""A call that its caller can leave: at a signal, or when its time is over. Only here does the product start threads.

Some calls cannot be interrupted: a name that no server resolves, a TLS handshake or an answer that never ends. Such a
call is made in a thread of its own, while the main thread waits for its result, for signals and for the end of its
time. The two share nothing but the result.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from .signals import await_ready

T = TypeVar("T")

STACK_BYTES = 1 << 20
"""The stack of such a thread. The usual 8 MB would count against a limit on this process's memory."""


def call(action: Callable[[], T], *, within_s: float, leave: Callable[[], None]) -> T:
    """The result of the action, or its exception.

    Raises TimeoutError when its time is over, and Interrupt as `signals.checkpoint` does; in both cases, `leave` was
    called, which makes the action end soon. Raises OSError if there can be no more threads.
    """
    reader, writer = os.pipe()
    background = _Background(action, writer)
    try:
        background.start()
        try:
            if not await_ready(reader, select.POLLIN, within_s):
                raise TimeoutError(f"not within {within_s:.0f} s")
        except BaseException:
            leave()
            raise
    finally:
        os.close(reader)
    return background.result()


class _Background(Generic[T]):
    """One action in a thread that does not keep the process alive. The pipe is closed when the action has ended."""

    def __init__(self, action: Callable[[], T], writer: int) -> None:
        self._action, self._writer = action, writer
        self._results: list[T] = []
        self._error: BaseException | None = None

    def start(self) -> None:
        """The action has begun. Raises OSError if it could not."""
        earlier = threading.stack_size(STACK_BYTES)
        try:
            threading.Thread(target=self._carry_out, daemon=True).start()
        except RuntimeError as error:
            os.close(self._writer)
            raise OSError(str(error)) from error
        finally:
            threading.stack_size(earlier)

    def _carry_out(self) -> None:
        try:
            self._results.append(self._action())
        except BaseException as error:
            self._error = error
        finally:
            os.close(self._writer)

    def result(self) -> T:
        """What the action has returned; raises what it has raised."""
        if self._error is not None:
            raise self._error
        return self._results[0]
