"""A pod that lies: it lists and sends what a test wants, to the real code of downloads."""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from runpod_deploy.machine import proc
from runpod_deploy.pod.ssh import Connection
from runpod_deploy.pod.transfer.listing import END, NO_SUMS
from runpod_deploy.pod.transfer.pull import pull
from runpod_deploy.pod.transfer.values import Moved, Pull

MTIME = 1_000_000_000


@dataclass(frozen=True)
class Row:
    """One record of a listing."""

    path: str
    kind: str = "f"
    size: int | str = 0
    mode: str = "644"
    mtime: int | str = MTIME
    target: str = ""

    def text(self) -> bytes:
        """The record as `find` prints it."""
        row = f"{self.kind} {self.mode} {self.size} {self.mtime} {self.path}\0{self.target}\0"
        return row.encode("utf-8", "surrogateescape")


class LyingPod(Connection):
    """A connection whose other end answers as a test wants. Commands are real local processes."""

    def __init__(
        self,
        folder: Path,
        listing: bytes,
        archive: bytes,
        sums: bytes = NO_SUMS.encode(),
        *,
        ends: bytes = END,
        below: bytes = END,
    ) -> None:
        """`ends` says where links end, and `below` what is in the folders that they lead to."""
        self._said = {"rsync=rsync": listing, "stat -L": ends, 'list "$f/"': below}
        self._archive, self._sums = folder / "archive.tar", folder / "sums"
        self._archive.write_bytes(archive)
        self._sums.write_bytes(sums)

    def run(self, command: str, **how: object) -> proc.Completed:
        """The listing, or nothing."""
        output = next((said for sign, said in self._said.items() if sign in command), b"")
        told: Callable[[bytes], None] | None = how.get("on_output")  # type: ignore[assignment]
        if told:
            told(output)
        return proc.Completed(0, output, b"")

    def spawn(self, command: str) -> proc.Child:
        """A process that prints the archive or the checksums."""
        return proc.Child(("cat", str(self._archive if "tar -chf" in command else self._sums)))

    def check(self, exit_code: int, stderr: bytes) -> None:
        """The connection never breaks."""


def listing(entries: Iterable[Row], kind: str = "d", path: str = "/workspace/out") -> bytes:
    """A whole listing."""
    return f"{kind} - {path}\0\0".encode() + rows(entries)


def rows(entries: Iterable[Row]) -> bytes:
    """Records without what begins a listing."""
    return b"".join(row.text() for row in entries) + END


def archive(*members: tuple[tarfile.TarInfo, bytes], style: Literal[0, 1, 2] = tarfile.GNU_FORMAT) -> bytes:
    """A tar stream; the content need not be as long as the header says."""
    parts = []
    for member, content in members:
        parts.append(member.tobuf(style, "utf-8", "surrogateescape"))
        parts.append(content + bytes(-len(content) % 512))
    return b"".join(parts) + bytes(1024)


def member(path: str, content: bytes = b"", **more: object) -> tuple[tarfile.TarInfo, bytes]:
    """A member of an archive."""
    info = tarfile.TarInfo(path)
    info.size, info.mtime = len(content), MTIME
    for name, value in more.items():
        setattr(info, name, value)
    return info, content


def sent(files: dict[str, bytes]) -> bytes:
    """An honest archive of these files."""
    return archive(*(member(path, content) for path, content in files.items()))


def sums(files: dict[str, bytes]) -> bytes:
    """The checksums of these files."""
    rows = (f"{hashlib.sha256(content).hexdigest()}  ./{path}\0" for path, content in files.items())
    return "".join(rows).encode("utf-8", "surrogateescape")


def snapshot(root: Path, without: Path | None = None) -> dict[str, tuple[object, ...]]:
    """Everything in a folder but what is below another one: kinds, modes, contents and link targets."""
    seen: dict[str, tuple[object, ...]] = {}
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        folders[:] = [name for name in folders if here / name != without]
        for path in [here / name for name in (*folders, *files)]:
            found = path.lstat()
            content = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else ""
            seen[str(path.relative_to(root))] = (stat.S_IFMT(found.st_mode), stat.S_IMODE(found.st_mode), content)
    return seen


@dataclass
class Scene:
    """A machine with things worth attacking."""

    root: Path
    place: Path = field(init=False)

    def __post_init__(self) -> None:
        self.place = self.root / "project" / "results"
        for name, text in {
            "home/.ssh/authorized_keys": "mine",
            "secret/file": "secret",
            "project/.git/hooks/post-checkout": "hook",
            "project/job.yaml": "job",
            "project/run/ssh/config": "Host pod",
            "project/run/events.jsonl": "{}",
            "project/results/mine": "mine",
        }.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)
        (self.root / "wire").mkdir()

    @property
    def run_dir(self) -> Path:
        """The folder of the run."""
        return self.root / "project" / "run"

    def pull(self, listed: bytes, stream: bytes = bytes(1024), **more: object) -> Moved | None:
        """The download of the folder /workspace/out from a pod that lists and sends this."""
        sums_sent = more.pop("sums", NO_SUMS.encode())
        assert isinstance(sums_sent, bytes)
        links = {name: rows(more.pop(name, ())) for name in ("ends", "below")}  # type: ignore[arg-type]
        pod = LyingPod(self.root / "wire", listed, stream, sums_sent, **links)
        asked: dict[str, object] = {"label": "x", "remote_path": "/workspace/out/", "local_path": self.place}
        return pull(pod, Pull(**{**asked, **more}))  # type: ignore[arg-type]

    def around(self, place: Path | None = None) -> dict[str, tuple[object, ...]]:
        """Everything outside the artifact's place."""
        whole = snapshot(self.root, without=place or self.place)
        return {name: what for name, what in whole.items() if not name.startswith("wire/")}
