"""Commands on the pod that read or write a stream of files: their input, their output, and what their exit means.

Knows connections and the error messages of tools; knows nothing of which files move, or why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...errors import ArtifactMissing, StagingFailed
from ...machine.proc import STALL_S, Child
from ..ssh import Connection, Unreachable

END_S = 120.0
READ_BYTES = 1 << 18


class Flaky(StagingFailed):
    """The pod's disk failed briefly, as network volumes sometimes do, or somebody there killed our command.

    Another try may succeed.
    """


def feed(connection: Connection, child: Child, write: Callable[[], None]) -> None:
    """The command has read everything that `write` writes, and has succeeded. Raises StagingFailed and Unreachable."""
    try:
        write()
        child.close_stdin()
    except BrokenPipeError:
        pass  # the exit status says why
    except TimeoutError as error:
        raise Unreachable("dropped", str(error)) from error
    code = child.wait(END_S)
    connection.check(code, child.errors())
    if code:
        raise refusal(child.errors(), f"exit code {code}")


def send_names(child: Child, names: bytes | bytearray) -> None:
    """The command has the list of names. If it has ended already, its exit status says why. Raises Unreachable."""
    try:
        child.write(names)
        child.close_stdin()
    except BrokenPipeError:
        pass
    except TimeoutError as error:
        raise Unreachable("dropped", str(error)) from error


def output_of(connection: Connection, child: Child, stall_s: float = STALL_S) -> Iterator[bytes]:
    """All output of the command, piece by piece, until it has ended. Raises Unreachable."""
    while data := child.read(READ_BYTES, stall_s):
        yield data
    if data is None:
        raise Unreachable("dropped", f"nothing came from the pod for {stall_s:.0f} s")
    connection.check(child.wait(END_S), child.errors())


def at_most(limit: int, pieces: Iterator[bytes], what: str) -> Iterator[bytes]:
    """The pieces. Raises ArtifactMissing if they are larger than the limit together."""
    received = 0
    for piece in pieces:
        received += len(piece)
        if received > limit:
            raise ArtifactMissing(f"the pod sends more than {limit} bytes of {what}")
        yield piece


def refusal(stderr: bytes, otherwise: str) -> StagingFailed:
    """The error for a message of the pod's tools."""
    words = (stderr.decode(errors="replace").strip().splitlines() or [otherwise])[0]
    if any(sign in words for sign in ("Input/output error", "Stale file handle", "Resource temporarily")):
        return Flaky(f"the pod could not take it: {words}")
    full = "No space left" in words
    hint = "raise storage.volume_gb or pod.container_disk_gb, or stage less" if full else ""
    return StagingFailed(f"the pod could not take it: {words}", hint=hint)
