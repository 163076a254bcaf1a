"""The speed of uploads and downloads, against plain tar and plain rsync over the same SSH connection in the same run.

    .venv/bin/python bench/transfer.py [--files 10000] [--megabytes 2048] [--repeat 7]

The server is the machine's own sshd, or asyncssh, which is slower than everything that is compared. This tool and the
plain program take turns into new folders, and the shortest time of each counts. TMPDIR is the place of the folders: on
a slow disk, its own writes take most of the time.

An upload has a limit: exit status 1 if the tool takes more than 1.1 times as long as the plain program and a twentieth
of a second, in which it lists what the pod has. A download has none: the tool verifies each file. Plain tar is followed
by sha256sum on both sides and a comparison, which is how to verify by hand; plain rsync is not.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.contract.hosts import Ground, ground
from tests.support import sshd

from runpod_deploy.pod.openssh import PodHost
from runpod_deploy.pod.transfer import rsync
from runpod_deploy.pod.transfer.values import Pull, Push

LIMIT, ROUND_TRIPS_S = 1.1, 0.05
Act = Callable[[Path, Path], object]
"""Moves the contents of one folder into another, on the other side."""


@dataclass
class Sides:
    """One server, and the ways to move something to it and back."""

    place: Ground
    host: PodHost

    def push(self, source: Path, target: Path) -> None:
        """Upload as staging does it."""
        self.host.push(Push(label="bench", source=source, contents=True, destination=str(target)))

    def pull(self, source: Path, target: Path) -> None:
        """Download as the collection of an artifact does it."""
        self.host.pull(Pull(label="bench", remote_path=f"{source}/", local_path=target))

    def tar_up(self, source: Path, target: Path) -> None:
        """Upload by tar, a pipe and tar."""
        there = quote(f"mkdir -p {quote(str(target))} && tar -xf - -C {quote(str(target))}")
        shell(f"tar -cf - -C {quote(str(source))} . | {self.ssh} {there}")

    def tar_down(self, source: Path, target: Path) -> None:
        """Download by tar, with a comparison of checksums."""
        target.mkdir()
        sums, compare = "find . -type f -print0 | xargs -0 sha256sum", "sha256sum --check --quiet"
        shell(f"{self.ssh} {quote(f'tar -cf - -C {quote(str(source))} .')} | tar -xf - -C {quote(str(target))}")
        shell(f"cd {quote(str(target))} && {self.ssh} {quote(f'cd {quote(str(source))} && {sums}')} | {compare}")

    def rsync_up(self, source: Path, target: Path) -> None:
        """Upload by rsync with its usual options."""
        subprocess.run(["rsync", "-a", "-e", self.rsh, f"{source}/", f"pod:{target}/"], check=True)

    def rsync_down(self, source: Path, target: Path) -> None:
        """Download by rsync with its usual options."""
        subprocess.run(["rsync", "-a", "-e", self.rsh, f"pod:{source}/", f"{target}/"], check=True)

    @property
    def ssh(self) -> str:
        """The command that reaches the server, over the connection that is open."""
        return f"ssh -F {quote(str(self.place.ssh_dir / 'config'))} pod"

    @property
    def rsh(self) -> str:
        """The same command for rsync's -e option."""
        return f"ssh -F '{str(self.place.ssh_dir / 'config').replace(chr(39), chr(39) * 2)}'"


def main() -> int:
    """The exit status: 0 if every limit holds."""
    args = arguments()
    print("way    direction  what                       bare      ours   ours / bare")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        sources = {
            f"{args.files:,} small files": many(root / "many", args.files),
            f"one file of {args.megabytes:,} MB": one(root / "one", args.megabytes),
        }
        ways = ("tar", *(("rsync",) if rsync.here() else ()))
        held = [row for way in ways for sides in reached(root, way) for row in rows(sides, way, sources, args.repeat)]
    return 0 if all(held) else 1


def arguments() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name, default in (("files", 10_000), ("megabytes", 2048), ("repeat", 7)):
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser.parse_args()


def many(folder: Path, files: int) -> Path:
    """A folder of small files, a hundred to a folder."""
    for number in range(files):
        path = folder / f"{number // 100:03}" / f"file {number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(500 + number % 1000))
    return folder


def one(folder: Path, megabytes: int) -> Path:
    """A folder of one large file that cannot be compressed."""
    folder.mkdir()
    with (folder / "checkpoint.bin").open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1 << 20))
    return folder


def reached(root: Path, way: str) -> Iterator[Sides]:
    """One server with an open connection, until the caller has taken the next item."""
    folder = root / way
    folder.mkdir()
    server = "openssh" if sshd.has_openssh() else "asyncssh"
    with ground(f"{server}-{way}", folder) as place:
        host = place.host()
        host.run("true", timeout_s=60)
        yield Sides(place, host)


def rows(sides: Sides, way: str, sources: dict[str, Path], repeat: int) -> Iterator[bool]:
    """Whether uploads of each source are fast enough; downloads are only shown."""
    up, down = (sides.tar_up, sides.tar_down) if way == "tar" else (sides.rsync_up, sides.rsync_down)
    for what, source in sources.items():
        yield compare(f"{way:6} push       {what}", (up, sides.push), (source, sides.place.remote / "target"), repeat)
        compare(f"{way:6} pull       {what}", (down, sides.pull), (source, sides.place.local / "target"), repeat)


def compare(title: str, ways: tuple[Act, Act], sides: tuple[Path, Path], repeat: int) -> bool:
    """Whether this tool is fast enough; prints a row."""
    turns = [[timed(way, *sides) for way in ways] for _ in range(repeat)]
    bare, ours = (min(column) for column in zip(*turns, strict=True))
    print(f"{title:<41}{bare:7.2f} s {ours:7.2f} s {ours / bare:9.2f}", flush=True)
    return bool(ours <= LIMIT * bare + ROUND_TRIPS_S)


def timed(act: Act, source: Path, target: Path) -> float:
    """Seconds that a transfer into a new folder takes."""
    begun = time.perf_counter()
    act(source, target)
    seconds = time.perf_counter() - begun
    shutil.rmtree(target)
    return seconds


def shell(line: str) -> None:
    """Runs a shell command. Raises CalledProcessError if any part of a pipe fails."""
    subprocess.run(["bash", "-o", "pipefail", "-c", line], check=True)


if __name__ == "__main__":
    sys.exit(main())
