"""Commands on the pod that take a stream of files or give one: how they are fed, and what their end means.

Knows connections and the words of tar and its like; knows nothing of what should be moved or why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...errors import StagingFailed
from ...machine.proc import STALL_S, Child
from ..ssh import Connection, Unreachable

END_S = 120.0
READ_BYTES = 1 << 18


class Flaky(StagingFailed):
    """The pod's disk failed for a moment, as network volumes do; trying again may help."""


def feed(connection: Connection, child: Child, write: Callable[[], None]) -> None:
    """All that is written is with the command, and it has ended well. Raises StagingFailed and Unreachable."""
    try:
        write()
        child.close_stdin()
    except BrokenPipeError:
        pass  # how it ended tells why
    except TimeoutError as error:
        raise Unreachable("dropped", str(error)) from error
    code = child.wait(END_S)
    connection.check(code, child.errors())
    if code:
        raise refusal(child.errors(), f"exit code {code}")


def hand(child: Child, names: bytes) -> None:
    """The command has its names; if it is gone already, its end tells why. Raises Unreachable."""
    try:
        child.write(names)
        child.close_stdin()
    except BrokenPipeError:
        pass
    except TimeoutError as error:
        raise Unreachable("dropped", str(error)) from error


def everything(connection: Connection, child: Child, stall_s: float = STALL_S) -> Iterator[bytes]:
    """All that the command prints, piece by piece, until it has ended. Raises Unreachable."""
    while data := child.read(READ_BYTES, stall_s):
        yield data
    if data is None:
        raise Unreachable("dropped", f"nothing came from the pod for {stall_s:.0f} s")
    connection.check(child.wait(END_S), child.errors())


def refusal(stderr: bytes, otherwise: str) -> StagingFailed:
    """The error for what the pod's tools said."""
    words = (stderr.decode(errors="replace").strip().splitlines() or [otherwise])[0]
    if any(sign in words for sign in ("Input/output error", "Stale file handle", "Resource temporarily")):
        return Flaky(f"the pod could not take it: {words}")
    full = "No space left" in words
    hint = "raise storage.volume_gb or pod.container_disk_gb, or stage less" if full else ""
    return StagingFailed(f"the pod could not take it: {words}", hint=hint)
