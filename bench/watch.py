"""The memory and time that watching a job takes, and the delay until its end is known, beside two simple drivers.

    .venv/bin/python bench/watch.py [--job-s 40]

One pod of the simulator runs three jobs of the same length at once: one under `runpod-deploy run`, one under a driver
that logs in every 60 s to look for a file, one under plain ssh. Memory and processor time are the kernel's, taken over
the watched job; "with ssh" adds the OpenSSH processes of each. Exit 1 if a limit is missed.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

BIN = Path(sys.executable).parent
POLL_S = 60.0
LIMIT_MB, LIMIT_CPU, LIMIT_S = 35.0, 0.005, 1.0
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
CONFIG = """\
schema_version: 2
name: watch
pod: {image: "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404", gpu_order: [NVIDIA L40S], datacenters: [EU-SE-1]}
storage: {mode: ephemeral, volume_gb: 10}
budget: {cost_cap_usd: 5.0}
run:
  script_path: /workspace/job.sh
  log_path: /workspace/job.log
  body: |
    for i in $(seq JOB_S); do echo step $i; sleep 1; done
    date +%s.%N > /workspace/ended
artifacts: [{label: ended, remote_path: /workspace/ended, local_path: "{run_dir}/ended"}]
lifecycle: {on_success: preserve, on_failure: delete}   # the other drivers still need the pod
"""

POLLER = """\
import subprocess, sys, time
ssh = ["ssh", "-F", sys.argv[1], "-o", "ControlPath=none", "pod"]
subprocess.run([*ssh, f"setsid sh -c 'sleep {sys.argv[2]}; date +%s.%N > /tmp/polled' >/dev/null 2>&1 </dev/null &"])
for _ in range(9):
    time.sleep(float(sys.argv[3]))
    done = subprocess.run([*ssh, "cat /tmp/polled"], capture_output=True, text=True)
    if done.returncode == 0:
        print(done.stdout.strip(), time.time())
        break
"""


@dataclass
class Watched:
    """One driver: memory in MB, processor seconds alone and with ssh, and the seconds until it knew the end."""

    own_mb: float = 0.0
    all_mb: float = 0.0
    own_cpu_s: float = 0.0
    latency_s: float = 0.0


def main() -> int:
    """The exit status: 0 if every limit holds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--job-s", type=int, default=40)
    job_s = parser.parse_args().job_s
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [BIN / "runpod-sim", "serve"], stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as simulator,
    ):
        try:
            return compared(Path(folder), environment(simulator), job_s)
        finally:
            simulator.terminate()


def environment(simulator: subprocess.Popen[str]) -> dict[str, str]:
    """The environment of this tool, pointed at the simulator."""
    assert simulator.stdout
    told = dict(re.findall(r"export (\w+)=['\"]?([^'\"\s]*)", "".join(simulator.stdout.readline() for _ in range(4))))
    return {**os.environ, **told}


def compared(folder: Path, env: dict[str, str], job_s: int) -> int:
    """Prints the table; the exit status is 0 if every limit holds."""
    config = folder / "job.yaml"
    config.write_text(CONFIG.replace("JOB_S", str(job_s)))
    with subprocess.Popen(
        [BIN / "runpod-deploy", "run", "--config", config, "--print-run-dir", "-q"],
        env=env, stdout=subprocess.PIPE, text=True,
    ) as tool:  # fmt: skip
        assert tool.stdout
        run_dir = Path(tool.stdout.readline().strip().removeprefix("RUN_DIR="))
        await_row(run_dir, "job_launched")
        rows = measure_all(run_dir, tool, job_s)
        tool.wait()
    return told(rows, job_s)


def measure_all(run_dir: Path, tool: subprocess.Popen[str], job_s: int) -> dict[str, Watched]:
    """The three drivers, each over a job of the same length on the same pod."""
    config = str(run_dir / "ssh" / "config")
    polling = [sys.executable, "-c", POLLER, config, str(job_s), str(POLL_S)]
    plain = ["ssh", "-F", config, "-o", "ControlPath=none", "pod", f"sleep {job_s}; date +%s.%N"]
    rows = {"runpod-deploy run": Watched(), f"polls every {POLL_S:.0f} s": Watched(), "plain ssh": Watched()}
    ours, polled, direct = rows.values()
    threads = [
        threading.Thread(target=lambda: watch_child(polling, polled, job_s)),
        threading.Thread(target=lambda: watch_child(plain, direct, job_s)),
        threading.Thread(target=lambda: watch(tool.pid, ours, job_s)),
    ]
    for thread in threads:
        thread.start()
    ended = await_row(run_dir, "job_ended")
    for thread in threads:
        thread.join()
    tool.wait()
    ours.latency_s = ended - float((run_dir / "ended").read_text())
    return rows


def watch_child(argv: list[str], row: Watched, job_s: int) -> None:
    """Fills the row, from the last lines that the driver prints: the end of its job, and when it knew of it."""
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as child:
        watch(child.pid, row, job_s)
        assert child.stdout
        words = child.stdout.read().split()
        knew = float(words[1]) if len(words) > 1 else time.time()
    row.latency_s = knew - float(words[0])


def watch(pid: int, row: Watched, job_s: int) -> None:
    """Memory in the middle of the job, and processor time over its middle half."""
    time.sleep(job_s / 4)
    before_s = cpu_s(pid)
    time.sleep(job_s / 2)
    row.own_cpu_s = (cpu_s(pid) - before_s) / (job_s / 2)
    row.own_mb = resident_mb(pid)
    row.all_mb = sum(resident_mb(one) for one in family(pid))


def family(pid: int) -> list[int]:
    """The process and all that descends from it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in family(int(child)))]


def resident_mb(pid: int) -> float:
    """Resident memory."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def cpu_s(pid: int) -> float:
    """Processor time so far, of the process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / TICKS_A_SECOND


def await_row(run_dir: Path, name: str) -> float:
    """The time of this event in the journal, in seconds since the epoch."""
    pattern = re.compile(rf'"ts_utc": "([^"]+)", "event": "{name}"')
    while True:
        text = (run_dir / "events.jsonl").read_text() if (run_dir / "events.jsonl").exists() else ""
        if found := pattern.search(text):
            return datetime.fromisoformat(found[1]).timestamp()
        time.sleep(0.2)


def told(rows: dict[str, Watched], job_s: int) -> int:
    """Prints every limit; the exit status is 0 if all of them hold."""
    print(f"a job of {job_s} s        memory   with ssh   of a core   end known after")
    for name, row in rows.items():
        memory = f"{row.own_mb:6.1f} MB {row.all_mb:7.1f} MB"
        print(f"  {name:<20}{memory} {100 * row.own_cpu_s:9.2f} % {row.latency_s:12.2f} s")
    ours = next(iter(rows.values()))
    held = [
        verdict(f"memory {ours.own_mb:.1f} MB, limit {LIMIT_MB:.0f}", ours.own_mb <= LIMIT_MB),
        verdict(f"{100 * ours.own_cpu_s:.2f} % of a core, limit {100 * LIMIT_CPU}", ours.own_cpu_s <= LIMIT_CPU),
        verdict(f"end known after {ours.latency_s:.2f} s, limit {LIMIT_S:.0f}", ours.latency_s <= LIMIT_S),
    ]
    return 0 if all(held) else 1


def verdict(text: str, held: bool) -> bool:
    """Prints whether the limit holds, and returns it."""
    print(f"  {'ok    ' if held else 'MISSED'} {text}")
    return held


if __name__ == "__main__":
    sys.exit(main())
