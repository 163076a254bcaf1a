"""Attacks of a pod on memory, played by a process of their own: `python -m tests.unit.pod.transfer.attacks`.

It prints the most memory in kB that it has had after each of them.
"""

from __future__ import annotations

import json
import re
import resource
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from runpod_deploy.errors import DeployError
from runpod_deploy.machine import limits, proc
from runpod_deploy.pod.job import FrameParser
from runpod_deploy.pod.transfer.excludes import Excludes
from runpod_deploy.pod.transfer.limits import MAX_ENTRIES
from runpod_deploy.pod.transfer.listing import END, parse, parse_sums
from runpod_deploy.record.log_markers import LogScanner
from runpod_deploy.spec import RunSpec
from tests.unit.pod.transfer.hostile import Row, Scene, archive, listing, member

MOST_BYTES = 400 << 20
PIECE = bytes(1 << 20)


def frame(begin: bytes, pieces: int = 100) -> None:
    """A frame that begins like this, and then so many megabytes."""
    parser = FrameParser()
    for piece in (begin, *[PIECE] * pieces):
        for _frame in parser.feed(piece):
            pass


def log(piece: bytes) -> None:
    """Many megabytes of a log like this."""
    scanner = LogScanner(RunSpec(script_path="/s", log_path="/l", body="x", success_marker="DONE"))
    for _ in range(len(PIECE) * 60 // len(piece)):
        for _event in scanner.feed(piece):
            pass


def long_listing(path: str, entries: int) -> None:
    """A listing of so many entries; a number in front of the path makes each unique."""
    said = bytearray(b"d - /workspace/out\0\0")
    for number in range(entries):
        said += Row(f"{number}{path}").text()
    parse(bytes(said + END), Excludes(()))


def download(stream: bytes) -> None:
    """A download of a small file that comes as this."""
    with tempfile.TemporaryDirectory() as folder:
        Scene(Path(folder)).pull(listing([Row("f", size=1500)]), stream)


def errors() -> None:
    """A command that fills stderr."""
    proc.run(("sh", "-c", "head -c 60000000 /dev/zero >&2"), timeout_s=60)


def header(kind: bytes) -> bytes:
    """The beginning of an archive with a header of 700 MB."""
    return archive(member("x", type=kind, size=700 << 20))


EVENT = json.dumps({"event": "x", "v": "y" * 60_000}).encode()
DEEP = b"[" * 100_000
ATTACKS: dict[str, Callable[[], object]] = {
    "a frame of -1 bytes": lambda: frame(b"L -1\n"),
    "a frame of 10^14 bytes": lambda: frame(b"L 100000000000000\n"),
    "a large frame": lambda: frame(b"L %d\n" % limits.FRAME_LOG_BYTES),
    "a header without end": lambda: frame(b"L 9"),
    "a deep sample": lambda: frame(b"S %d\n" % len(DEEP) + DEEP, 0),
    "a log of one line": lambda: log(PIECE),
    "a log of events": lambda: log(
        b"__RUNPOD_EVENT__ " + json.dumps({"event": "x", "v": "y" * 60_000}).encode() + b"\n"
    ),
    "a log of deep events": lambda: log(b"__RUNPOD_EVENT__ " + b'{"event":' + b"[" * 60_000 + b"\n"),
    "a listing of many names": lambda: parse(b"d - /x\0\0" + bytes(2 * MAX_ENTRIES + 2) + END, Excludes(())),
    "a listing of long names": lambda: long_listing("x" * 180, 110_000),
    "a listing of wide names": lambda: long_listing("\U0001f600" + "x" * 150, 120_000),
    "checksums of many names": lambda: parse_sums([b"%064d  ./%d\0" % (n, n) for n in range(200_000)], {"1"}),
    "a sparse file": lambda: download(archive(member("f", type=tarfile.GNUTYPE_SPARSE, size=3 << 30))),
    "a pax header": lambda: download(header(tarfile.XHDTYPE)),
    "a long name": lambda: download(header(tarfile.GNUTYPE_LONGNAME)),
    "stderr without end": errors,
}


def main() -> None:
    """Plays the attacks, and prints what they took. The process gets no more than MOST_BYTES of addresses."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    for name, attack in ATTACKS.items():
        with suppress(DeployError, ValueError):
            attack()
        print(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[0], name)


if __name__ == "__main__":
    main()
