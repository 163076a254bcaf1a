"""The local disk is full during a run: the run ends in order and reports it, and no file is half-written."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.harness import TOOL, WORK, Ended, Simulator, Tool, job

LINES = 20_000
LOUD = WORK + f"sleep 2; seq {LINES}; sleep 2; echo over\n"
LOG = "".join(f"{n}\n" for n in range(1, LINES + 1)) + "over\n"
# A disk of one megabyte in a mount namespace: a filler takes all but 100 kB of it once the run has begun.
SCRIPT = """
mount -t tmpfs -o size=1m tmpfs "$1" && cp "$2" "$1/job.yaml" && cd "$1" || exit 99
{ while ! grep -qs '"job_launched"' artifacts/runpod/*/events.jsonl; do sleep 0.1; done
  free=$(df -k --output=avail . | tail -n 1)
  head -c $((free - LEAVE_KB))k /dev/zero >filler; MAKE_ROOM; } &
"$3" run --config job.yaml; code=$?
wait; rm -f filler
cp -a artifacts "$4"; exit $code
"""


def on_a_small_disk(sim: Simulator, tmp_path: Path, *, leave_kb: int, make_room: str = ":") -> Ended:
    """One run on a disk of one megabyte."""
    places = [tmp_path / name for name in ("small", "kept")]
    for place in places:
        place.mkdir()
    config = job(tmp_path / "p", body=LOUD, lifecycle={"on_failure": "delete"})
    script = SCRIPT.replace("LEAVE_KB", str(leave_kb)).replace("MAKE_ROOM", make_room)
    words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
    words += [str(places[0]), str(config), TOOL, str(places[1])]
    done = subprocess.run(words, env=sim.env, capture_output=True, text=True)
    assert done.returncode != 99, done.stderr
    run_dir = next((places[1] / "artifacts/runpod").glob("[!.]*"))
    return Ended(done.returncode, done.stdout, done.stderr, run_dir)


def test_room_that_comes_back_in_time_is_all_that_a_run_needs(sim: Simulator, tmp_path: Path) -> None:
    ended = on_a_small_disk(sim, tmp_path, leave_kb=40, make_room="sleep 3; rm -f filler")
    assert ended.code == 0, ended.err
    assert ended.run_dir and (ended.run_dir / "run.log").read_text() == LOG
    assert ended.manifest["outcome"] == "succeeded" and (ended.run_dir / "out/result.txt").exists()
    assert sim.ledger["pods_left"] == 0


@pytest.mark.parametrize("leave_kb", [0, 40])
def test_a_disk_that_stays_full_ends_the_run_in_order(sim: Simulator, tmp_path: Path, leave_kb: int) -> None:
    ended = on_a_small_disk(sim, tmp_path, leave_kb=leave_kb)
    assert ended.run_dir
    assert sim.ledger["pods_left"] == 0 and sim.ledger["pods_created"] == 1
    assert "Traceback" not in ended.err and "No space left" in ended.err
    assert LOG.startswith((ended.run_dir / "run.log").read_text())
    for line in (ended.run_dir / "events.jsonl").read_text().splitlines():
        json.loads(line)
    assert ended.code == 7 and json.loads((ended.run_dir / "spec.json").read_text())


def test_a_full_disk_does_not_keep_a_pod_from_its_release(sim: Simulator, tmp_path: Path) -> None:
    config = job(tmp_path / "p", body="sleep 60", lifecycle={"on_failure": "delete"}, artifacts=[])
    tool = Tool(sim, "run", "--config", str(config), "--print-run-dir")
    tool.await_event(lambda row: row["event"] == "job_launched")
    tool.signal(signal.SIGKILL)
    tool.process.communicate()
    limited = ["prlimit", "--fsize=0", TOOL, "resume", str(tool.run_dir)]
    resumed = subprocess.Popen(limited, env=sim.env, stderr=subprocess.PIPE, text=True)
    assert resumed.stderr
    first = resumed.stderr.readline()
    time.sleep(3)
    resumed.send_signal(signal.SIGTERM)
    _, words = resumed.communicate()
    assert resumed.returncode == 130 and "Traceback" not in words, first + words
    assert sim.ledger["pods_left"] == 0


def test_a_disk_without_room_for_a_run_is_said_before_anything_is_paid(sim: Simulator, tmp_path: Path) -> None:
    config = job(tmp_path / "p", body=WORK)
    limited = ["prlimit", "--fsize=0", TOOL, "run", "--config", str(config)]
    done = subprocess.run(limited, env=sim.env, capture_output=True, text=True)
    assert done.returncode == 2 and "Traceback" not in done.stderr and "hint: " in done.stderr, done.stderr
    assert sim.ledger["pods_created"] == 0
