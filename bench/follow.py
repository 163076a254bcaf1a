"""How fast a job's log is followed, and how soon its end is known, against `ssh pod cat` in the same run.

    .venv/bin/python bench/follow.py [--megabytes 1024]

The server is the machine's own sshd, else asyncssh. The log is there already, so that reading is all that is
measured. Exit 1 if following takes in less than 100 MB/s where bare ssh takes in more, if memory grows with the
log, or if the end of a job is known later than a second after it.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.contract.hosts import Ground, ground
from tests.support import sshd

from runpod_deploy.pod.openssh import PodHost
from runpod_deploy.pod.protocol import JobEnd, LogChunk

LEAST_MB_PER_S = 100.0
MOST_GROWTH_MB = 16.0


def main() -> int:
    """The exit status: 0 if every limit holds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=1024)
    megabytes = parser.parse_args().megabytes
    server = "openssh" if sshd.has_openssh() else "asyncssh"
    with tempfile.TemporaryDirectory() as folder, ground(f"{server}-tar", Path(folder)) as place:
        return 0 if all((throughput(place, megabytes), latency(place))) else 1


def throughput(place: Ground, megabytes: int) -> bool:
    """Whether a log of this size is followed fast enough, in flat memory."""
    host = place.host()
    host.launch(f"head -c {megabytes}M /dev/urandom".encode())
    whole = megabytes << 20
    while Path(place.paths().log).stat().st_size < whole:
        time.sleep(0.2)
    bare = rate(whole, lambda: bare_cat(place))
    before = peak_mb()
    ours = rate(whole, lambda: followed(host))
    grown = peak_mb() - before
    print(f"ssh pod cat  {bare:7.0f} MB/s")
    print(f"follow       {ours:7.0f} MB/s   (at least {LEAST_MB_PER_S:.0f})   memory grew by {grown:.1f} MB")
    return ours >= min(LEAST_MB_PER_S, 0.8 * bare) and grown <= MOST_GROWTH_MB


def latency(place: Ground) -> bool:
    """Whether the end of a job is known soon enough."""
    host = place.host(run_id="run-2")
    host.launch(b"sleep 2; date +%s.%N")
    _, log = followed(host)
    late_s = time.time() - float(log)
    print(f"the end of a job was known after {late_s:.2f} s   (at most 1)")
    return late_s <= 1.0


def followed(host: PodHost) -> tuple[int, bytes]:
    """The number of bytes of the log, and its first bytes."""
    size, first = 0, b""
    with host.follow(0) as channel:
        while True:
            frame = channel.read(5.0)
            if isinstance(frame, LogChunk):
                size += len(frame.data)
                first = first or frame.data[:100]
            if isinstance(frame, JobEnd):
                return size, first


def bare_cat(place: Ground) -> None:
    """The log as plain ssh reads it, without any code of this tool."""
    argv = ("ssh", "-F", str(place.ssh_dir / "config"), "pod", f"cat '{place.paths().log}'")
    subprocess.run(argv, stdout=subprocess.DEVNULL, check=True)


def rate(size: int, act: object) -> float:
    """The speed of reading this many bytes, in MB/s."""
    begun = time.perf_counter()
    assert callable(act)
    act()
    return size / 1e6 / (time.perf_counter() - begun)


def peak_mb() -> float:
    """The peak memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
