"""Files through a tar stream over the connection: the way that needs nothing but tar on the pod.

Knows tar and streams; knows nothing of what should be moved or why.
"""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path
from shlex import quote

from .errors import StagingFailed
from .proc import Child
from .ssh import Connection, Unreachable
from .tree import Entry, Tree, nul_list

BUFFER_BYTES = 1 << 18
COPY_BYTES = 1 << 20
END_S = 120.0

Progress = Callable[[int], None]


def unpack_command(folder: str) -> str:
    """Unpacks the tar on stdin into a folder on the pod."""
    return f"cd {quote(folder)} && tar -xpof -"


def pack_command(folder: str) -> str:
    """Packs the files of the NUL list on stdin, all of which is read first. Many files make several archives."""
    return f't=$(mktemp) && cat >"$t" && cd {quote(folder)} && xargs -0 tar -cf - -- <"$t"; rm -f "$t"'


def send(connection: Connection, source: Path, entries: Tree, folder: str, progress: Progress) -> None:
    """The entries are in a folder on the pod; `source` is the folder they are in, or the one file itself.

    Raises StagingFailed and Unreachable.
    """
    with connection.spawn(unpack_command(folder)) as child:
        try:
            _pack(source, entries, ToPod(child, progress))
            child.close_stdin()
        except BrokenPipeError:
            pass
        except TimeoutError as error:
            raise Unreachable("dropped", str(error)) from error
        _check_end(connection, child)


def fetch(connection: Connection, folder: str, entries: Tree, into: Path, progress: Progress) -> None:
    """The files among the entries are below a local folder, as far as they could be read. Raises Unreachable."""
    with connection.spawn(pack_command(folder)) as child:
        names = nul_list(path for path, entry in entries.items() if entry.kind == "f")
        try:
            child.write(names)
            child.close_stdin()
            _unpack(FromPod(child), entries, into, progress)
        except (BrokenPipeError, tarfile.ReadError):
            pass  # the exit code and the checksums tell the rest
        except TimeoutError as error:
            raise Unreachable("dropped", str(error)) from error
        code = child.wait(END_S)
        connection.check(code, child.errors())


class ToPod:
    """The stream to the pod: gathers the small pieces, counts the bytes of files."""

    def __init__(self, child: Child, progress: Progress) -> None:
        self._child, self._progress = child, progress
        self._gathered = bytearray()
        self.sent = 0

    def write(self, data: bytes) -> None:
        """The data is on its way, or will be with the next flush."""
        if len(data) >= BUFFER_BYTES:
            self.flush()
            self._child.write(data)
        else:
            self._gathered += data
            if len(self._gathered) >= BUFFER_BYTES:
                self.flush()

    def flush(self) -> None:
        """Nothing is held back."""
        self._child.write(self._gathered)
        self._gathered.clear()
        self._progress(self.sent)


class FromPod:
    """What tarfile reads from."""

    def __init__(self, child: Child) -> None:
        self._child = child

    def read(self, size: int) -> bytes:
        """Up to so many bytes. Raises Unreachable if none come."""
        data = self._child.read(size)
        if data is None:
            raise Unreachable("dropped", "nothing came from the pod for minutes")
        return data


def _pack(source: Path, entries: Tree, out: ToPod) -> None:
    one_file = source.is_file()
    for path, entry in entries.items():
        if entry.kind == "f":
            _pack_file(str(source) if one_file else f"{source}/{path}", path, out)
        else:
            out.write(_header(path, entry))
    out.write(bytes(2 * tarfile.BLOCKSIZE))
    out.flush()


def _header(path: str, entry: Entry) -> bytes:
    member = tarfile.TarInfo(path)
    member.type = {"d": tarfile.DIRTYPE, "l": tarfile.SYMTYPE, "f": tarfile.REGTYPE}[entry.kind]
    member.mode, member.size, member.mtime = entry.mode or 0o777, entry.size, entry.mtime
    member.linkname = entry.target
    return member.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def _pack_file(source: str, path: str, out: ToPod) -> None:
    """One file as it is right now; one that vanished meanwhile is left out."""
    try:
        handle = os.open(source, os.O_RDONLY)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StagingFailed(f"cannot read {source}: {error.strerror}") from error
    try:
        found = os.fstat(handle)
        entry = Entry("f", stat.S_IMODE(found.st_mode), found.st_size, int(found.st_mtime))
        out.write(_header(path, entry))
        _pack_content(handle, found.st_size, out, source)
    finally:
        os.close(handle)


def _pack_content(handle: int, size: int, out: ToPod, source: str) -> None:
    left = size
    while left:
        data = os.read(handle, min(left, COPY_BYTES))
        if not data:
            raise StagingFailed(f"{source} became shorter while it was sent", hint="stage it when it rests")
        out.write(data)
        left -= len(data)
        out.sent += len(data)
    out.write(bytes(-size % tarfile.BLOCKSIZE))


def _unpack(source: FromPod, entries: Tree, into: Path, progress: Progress) -> None:
    received = 0
    with tarfile.open(fileobj=source, mode="r|", ignore_zeros=True, bufsize=COPY_BYTES) as tar:  # type: ignore[call-overload]
        for member in tar:
            path = member.name.removeprefix("./")
            if path in entries and entries[path].kind == "f":
                _unpack_file(tar, member, into / path, into)
                os.utime(into / path, (entries[path].mtime, entries[path].mtime))
                (into / path).chmod(entries[path].mode)
                received += member.size
                progress(received)


def _unpack_file(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path, into: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    if member.islnk():
        shutil.copyfile(into / member.linkname.removeprefix("./"), target)
    elif (content := tar.extractfile(member)) is not None:
        with target.open("wb") as file:
            shutil.copyfileobj(content, file, COPY_BYTES)


def _check_end(connection: Connection, child: Child) -> None:
    code = child.wait(END_S)
    connection.check(code, child.errors())
    if code:
        raise refusal(child.errors(), f"tar: exit code {code}")


class Flaky(StagingFailed):
    """The pod's disk failed for a moment, as network volumes do; trying again may help."""


def refusal(stderr: bytes, otherwise: str) -> StagingFailed:
    """The error for what tar or rsync said."""
    words = (stderr.decode(errors="replace").strip().splitlines() or [otherwise])[0]
    if any(sign in words for sign in ("Input/output error", "Stale file handle", "Resource temporarily")):
        return Flaky(f"the pod could not take it: {words}")
    full = "No space left" in words
    hint = "raise storage.volume_gb or pod.container_disk_gb, or stage less" if full else ""
    return StagingFailed(f"the pod could not take it: {words}", hint=hint)
