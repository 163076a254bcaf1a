from __future__ import annotations

from collections.abc import Callable

from .ssh import Connection
from .transfers import Moved, Pull, Push


def push(connection: Connection, push: Push, on_progress: Callable[[int], None] | None) -> Moved:
    raise NotImplementedError


def pull(connection: Connection, pull: Pull, on_progress: Callable[[int], None] | None) -> Moved | None:
    raise NotImplementedError
