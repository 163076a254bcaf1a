"""How fast a folder is staged, against bare tar and bare rsync over the same SSH connection in the same run.

    .venv/bin/python bench/transfer.py [--files 10000] [--megabytes 2048] [--repeat 3]

The server is the machine's own sshd, else asyncssh, which is slower than any of what is compared. Ours and bare
take turns into fresh folders; the least time of each counts. Exit 1 if ours takes more than 1.1 times the bare way.
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
from pathlib import Path
from shlex import quote

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests import sshd
from tests.contract.hosts import Ground, ground

from runpod_deploy import rsync
from runpod_deploy.transfers import Push

LIMIT = 1.1


def main() -> int:
    """0 if every limit holds."""
    args = arguments()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        sources = {
            f"{args.files:,} small files": many(root / "many", args.files),
            f"one file of {args.megabytes:,} MB": one(root / "one", args.megabytes),
        }
        held = [
            compare(place, way, what, source, args.repeat)
            for way in ("tar", *(("rsync",) if rsync.here() else ()))
            for place in grounds(root, way)
            for what, source in sources.items()
        ]
    return 0 if all(held) else 1


def arguments() -> argparse.Namespace:
    """The sizes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name, default in (("files", 10_000), ("megabytes", 2048), ("repeat", 3)):
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


def grounds(root: Path, way: str) -> Iterator[Ground]:
    """One server, for as long as the caller is at it."""
    folder = root / way
    folder.mkdir()
    server = "openssh" if sshd.has_openssh() else "asyncssh"
    with ground(f"{server}-{way}", folder) as made:
        yield made


def compare(place: Ground, way: str, what: str, source: Path, repeat: int) -> bool:
    """Whether ours is fast enough; prints a row."""
    host = place.host()
    host.run("true", timeout_s=60)
    bare = bare_tar if way == "tar" else bare_rsync
    times = [
        (timed(place, lambda to: bare(place, source, to)), timed(place, lambda to: ours(place, source, to)))
        for _ in range(repeat)
    ]
    theirs, mine = (min(column) for column in zip(*times, strict=True))
    print(f"{way:6} {what:24} bare {theirs:7.2f} s   ours {mine:7.2f} s   {mine / theirs:5.2f}", flush=True)
    host.close()
    return bool(mine <= LIMIT * theirs)


def timed(place: Ground, act: Callable[[Path], None]) -> float:
    """Seconds that a transfer into a fresh folder takes."""
    target = place.remote / "target"
    begun = time.perf_counter()
    act(target)
    seconds = time.perf_counter() - begun
    shutil.rmtree(target)
    return seconds


def ours(place: Ground, source: Path, target: Path) -> None:
    """What staging does."""
    host = place.host()
    host.push(Push(label="bench", source=source, contents=True, destination=str(target)))


def bare_tar(place: Ground, source: Path, target: Path) -> None:
    """tar, a pipe and tar."""
    there = quote(f"mkdir -p {quote(str(target))} && tar -xf - -C {quote(str(target))}")
    config = quote(str(place.ssh_dir / "config"))
    subprocess.run(f"tar -cf - -C {quote(str(source))} . | ssh -F {config} pod {there}", shell=True, check=True)


def bare_rsync(place: Ground, source: Path, target: Path) -> None:
    """rsync as one would type it."""
    shell = f"ssh -F '{str(place.ssh_dir / 'config').replace(chr(39), chr(39) * 2)}'"
    subprocess.run(["rsync", "-a", "-e", shell, f"{source}/", f"pod:{target}/"], check=True)


if __name__ == "__main__":
    sys.exit(main())
