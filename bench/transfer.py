"""How fast files go up and come home, against bare tar and bare rsync over the same SSH connection in the same run.

    .venv/bin/python bench/transfer.py [--files 10000] [--megabytes 2048] [--repeat 7]

The server is the machine's own sshd, else asyncssh, which is slower than any of what is compared. Ours and bare take
turns into fresh folders; the least time of each counts. TMPDIR says where: on a disk its own writes are most of it.

A push is judged: exit 1 if ours takes more than 1.1 times the bare way and a twentieth of a second, in which ours has
asked what is there already. A pull is shown: ours is read file by file and verified. Bare tar is followed by sha256sum
on both sides and a comparison, as one would do by hand to know as much; bare rsync is not.
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
        """What staging does."""
        self.host.push(Push(label="bench", source=source, contents=True, destination=str(target)))

    def pull(self, source: Path, target: Path) -> None:
        """What bringing an artifact home does."""
        self.host.pull(Pull(label="bench", remote_path=f"{source}/", local_path=target))

    def tar_up(self, source: Path, target: Path) -> None:
        """tar, a pipe and tar."""
        there = quote(f"mkdir -p {quote(str(target))} && tar -xf - -C {quote(str(target))}")
        shell(f"tar -cf - -C {quote(str(source))} . | {self.ssh} {there}")

    def tar_home(self, source: Path, target: Path) -> None:
        """The same in the other direction, with a comparison of checksums."""
        target.mkdir()
        sums, compare = "find . -type f -print0 | xargs -0 sha256sum", "sha256sum --check --quiet"
        shell(f"{self.ssh} {quote(f'tar -cf - -C {quote(str(source))} .')} | tar -xf - -C {quote(str(target))}")
        shell(f"cd {quote(str(target))} && {self.ssh} {quote(f'cd {quote(str(source))} && {sums}')} | {compare}")

    def rsync_up(self, source: Path, target: Path) -> None:
        """rsync as one would type it."""
        subprocess.run(["rsync", "-a", "-e", self.rsh, f"{source}/", f"pod:{target}/"], check=True)

    def rsync_home(self, source: Path, target: Path) -> None:
        """The same in the other direction."""
        subprocess.run(["rsync", "-a", "-e", self.rsh, f"pod:{source}/", f"{target}/"], check=True)

    @property
    def ssh(self) -> str:
        """The command that reaches the server, over the connection that is open."""
        return f"ssh -F {quote(str(self.place.ssh_dir / 'config'))} pod"

    @property
    def rsh(self) -> str:
        """The same as rsync reads it."""
        return f"ssh -F '{str(self.place.ssh_dir / 'config').replace(chr(39), chr(39) * 2)}'"


def main() -> int:
    """0 if every limit holds."""
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
    """The sizes."""
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
    """One server that is connected to, for as long as the caller is at it."""
    folder = root / way
    folder.mkdir()
    server = "openssh" if sshd.has_openssh() else "asyncssh"
    with ground(f"{server}-{way}", folder) as place:
        host = place.host()
        host.run("true", timeout_s=60)
        yield Sides(place, host)


def rows(sides: Sides, way: str, sources: dict[str, Path], repeat: int) -> Iterator[bool]:
    """Whether ours is fast enough for each source; the way home is shown."""
    up, home = (sides.tar_up, sides.tar_home) if way == "tar" else (sides.rsync_up, sides.rsync_home)
    for what, source in sources.items():
        yield compare(f"{way:6} push       {what}", (up, sides.push), (source, sides.place.remote / "target"), repeat)
        compare(f"{way:6} pull       {what}", (home, sides.pull), (source, sides.place.local / "target"), repeat)


def compare(title: str, ways: tuple[Act, Act], sides: tuple[Path, Path], repeat: int) -> bool:
    """Whether ours is fast enough; prints a row."""
    turns = [[timed(way, *sides) for way in ways] for _ in range(repeat)]
    bare, ours = (min(column) for column in zip(*turns, strict=True))
    print(f"{title:<41}{bare:7.2f} s {ours:7.2f} s {ours / bare:9.2f}", flush=True)
    return ours <= LIMIT * bare + ROUND_TRIPS_S


def timed(act: Act, source: Path, target: Path) -> float:
    """Seconds that a transfer into a fresh folder takes."""
    begun = time.perf_counter()
    act(source, target)
    seconds = time.perf_counter() - begun
    shutil.rmtree(target)
    return seconds


def shell(line: str) -> None:
    """The line has been run, all of its pipe without an error."""
    subprocess.run(["bash", "-o", "pipefail", "-c", line], check=True)


if __name__ == "__main__":
    sys.exit(main())
