"""Moves a list of paths over an SSH connection: by rsync where both sides have it, by tar everywhere.

Knows argv and streams; what to move and what to remove is decided elsewhere, so that both ways end the same.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from . import proc
from .errors import StagingFailed
from .shell import quoted_path
from .ssh import ALIAS, Connection

CHUNK_BYTES = 1 << 18
STALL_S = 120.0
# tar says 1 when a file changed while it was read: the rest has been moved, and the next look sees the difference.
TAR_CHANGED = 1
RSYNC_CHANGED = (0, 23, 24)
RSYNC_BYTES = re.compile(rb"\r?\s*([\d,.]+)\s+\d+%")

Progress = Callable[[int], None]


def nothing(_bytes: int) -> None:
    """Progress that nobody watches."""


@contextmanager
def listed(paths: Iterable[str]) -> Iterator[Path]:
    """A file that holds the paths, each ended by NUL."""
    with tempfile.NamedTemporaryFile(prefix="runpod-deploy-") as file:
        file.write(b"".join(os.fsencode(f"./{path}") + b"\0" for path in paths))
        file.flush()
        yield Path(file.name)


def tar_out_argv(root: Path, names: Path) -> tuple[str, ...]:
    """Packs the listed paths below root to stdout."""
    return ("tar", "-C", str(root), "--no-recursion", "--null", "-T", str(names), "-cf", "-")


def tar_in_argv(root: Path) -> tuple[str, ...]:
    """Unpacks stdin below root, as ourselves."""
    return ("tar", "-C", str(root), "-xopf", "-")


def rsync_argv(shell: str, names: Path, source: str, target: str, *, follow: bool = False) -> tuple[str, ...]:
    """Moves the listed paths from source to target; `follow` as in `fetch`."""
    flags = ("-Lpt" if follow else "-lpt", "-s", "--from0", "--partial", "--no-human-readable", "--info=progress2")
    return ("rsync", *flags, f"--files-from={names}", "-e", shell, source, target)


def send(connection: Connection, root: Path, paths: list[str], target: str, on_progress: Progress) -> None:
    """The paths below the local root are below the target on the pod, by tar. Raises StagingFailed, SshLost."""
    unpack = f"mkdir -p -- {quoted_path(target)} && tar -C {quoted_path(target)} -xopf -"
    with (
        listed(paths) as names,
        proc.Child(tar_out_argv(root, names)) as packer,
        connection.spawn(unpack) as unpacker,
    ):
        packer.close_stdin()
        pump(packer, unpacker, on_progress)
        check_tar(packer, "packing here")
        check_remote(connection, unpacker, "unpacking on the pod")


def fetch(
    connection: Connection, root: str, paths: list[str], target: Path, on_progress: Progress, *, follow: bool = False
) -> None:
    """The paths below the pod's root are below the local target, by tar. Raises StagingFailed, SshLost.

    With `follow`, what a symbolic link leads to is fetched instead of the link.
    """
    flags = "-h --no-recursion" if follow else "--no-recursion"
    pack = (
        f'n=$(mktemp) && cat >"$n" && tar -C {quoted_path(root)} {flags} --null -T "$n" -cf -; '
        's=$?; rm -f "$n"; exit "$s"'
    )
    with connection.spawn(pack) as packer, proc.Child(tar_in_argv(target)) as unpacker:
        packer.write(b"".join(os.fsencode(f"./{path}") + b"\0" for path in paths))
        packer.close_stdin()
        pump(packer, unpacker, on_progress)
        check_remote(connection, packer, "packing on the pod")
        check_tar(unpacker, "unpacking here")


def pump(source: proc.Child, sink: proc.Child, on_progress: Progress) -> None:
    """All that the source says is with the sink. A sink that closes early is looked into by the caller."""
    moved = 0
    try:
        while data := next_chunk(source):
            moved += sink.write(data, STALL_S)
            on_progress(moved)
    except BrokenPipeError:
        pass
    sink.close_stdin()
    # What a packer's peer still says (nothing, as a rule) must not block its end.
    while sink.read(CHUNK_BYTES, STALL_S):
        pass


def next_chunk(source: proc.Child) -> bytes:
    """The next bytes, b"" at the end. Raises StagingFailed if none come for too long."""
    data = source.read(CHUNK_BYTES, STALL_S)
    if data is None and source.poll() is None:
        raise StagingFailed(f"nothing moved for {STALL_S:.0f} s", hint="the disk or the network hangs; resume the run")
    return data or b""


def check_tar(child: proc.Child, what: str) -> None:
    """The local tar ended well. Raises StagingFailed with its words."""
    code = child.wait(STALL_S)
    if code not in (0, TAR_CHANGED):
        raise StagingFailed(f"{what}: {words(child)}")


def check_remote(connection: Connection, child: proc.Child, what: str) -> None:
    """The remote tar ended well. Raises SshLost if the connection did not, StagingFailed otherwise."""
    code = child.wait(STALL_S)
    connection.check(code, child.errors())
    if code not in (0, TAR_CHANGED):
        raise StagingFailed(f"{what}: {words(child)}")


def words(child: proc.Child) -> str:
    """The last words of a child."""
    return " | ".join(child.errors().decode(errors="replace").strip().splitlines()[-3:]) or "it failed without a word"


def rsync(
    connection: Connection, paths: list[str], source: str, target: str, on_progress: Progress, *, follow: bool = False
) -> None:
    """The paths are moved by rsync; one side is `pod:…`. Raises StagingFailed, SshLost."""
    with (
        listed(paths) as names,
        proc.Child(rsync_argv(connection.remote_shell(), names, source, target, follow=follow)) as child,
    ):
        child.close_stdin()
        while data := next_chunk(child):
            if found := RSYNC_BYTES.findall(data):
                on_progress(int(re.sub(rb"\D", b"", found[-1])))
        code = child.wait(STALL_S)
        connection.check(code, child.errors())
        if code not in RSYNC_CHANGED:
            raise StagingFailed(f"rsync: {words(child)}")


def on_pod(path: str) -> str:
    """The path as rsync names it; a relative one starts at the home folder, where `~/` leads as well."""
    return f"{ALIAS}:{path.removeprefix('~/')}/"


def whole_output(connection: Connection, command: str, stdin: bytes = b"", *, timeout_s: float) -> bytes:
    """All that a command says, however much; it should keep its errors to itself. Raises SshLost, TimeoutError."""
    said = bytearray()
    connection.run(command, stdin=stdin, timeout_s=timeout_s, on_output=said.extend)
    return bytes(said)
