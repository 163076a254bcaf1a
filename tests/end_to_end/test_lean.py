"""The process that watches: small, the same process all along, and never deaf to a signal."""

from __future__ import annotations

import re
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.support.harness import WORK, Simulator, Tool, job

LIMIT_KB = 38 * 1024


def test_watching_takes_little_memory_and_the_end_is_seen_at_once(sim: Simulator, tmp_path: Path) -> None:
    config = job(tmp_path / "p", body=WORK + "seq 20000\nsleep 3\ndate -u +%s.%N > /workspace/out/ended")
    tool = Tool(sim, "run", "--config", str(config), "--print-run-dir", "-q")
    tool.await_event(lambda row: row["event"] == "job_launched")
    time.sleep(1.5)
    status = Path(f"/proc/{tool.process.pid}/status").read_text()
    ended = tool.end()
    assert ended.code == 0 and ended.run_dir, ended.err
    resident = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert resident and int(resident[1]) <= LIMIT_KB, status
    over = datetime.fromtimestamp(float((ended.run_dir / "out/ended").read_text()), UTC)
    seen = datetime.fromisoformat(ended.named("job_ended")[0]["ts_utc"])
    assert (seen - over).total_seconds() <= 1.0


def test_a_signal_before_the_run_can_bear_one_is_not_lost(sim: Simulator, tmp_path: Path) -> None:
    tool = Tool(sim, "run", "--config", str(job(tmp_path / "p")), "--print-run-dir")
    tool.signal(signal.SIGTERM)
    ended = tool.end()
    assert ended.code == 130, ended.err
    assert ended.manifest["outcome"] == "interrupted" and sim.ledger["pods_left"] == 0
