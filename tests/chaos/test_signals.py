"""Real signals to real processes at random moments of a run: each ends it in order, with exit code 130."""

from __future__ import annotations

import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.harness import Ended, Simulator, Tool, job

RUNS = int(os.environ.get("SIGNALS", "6"))
"""How many runs get a signal. `make test` plays some; `SIGNALS=100 pytest tests/chaos/test_signals.py` more."""
AT_ONCE = 6
LATEST_S = 6.0
"""The job has begun by then; it never ends by itself."""


def interrupted(sim: Simulator, folder: Path, seed: int) -> Ended:
    """A run that got one signal, at any moment after its folder was named."""
    rng = random.Random(seed)
    body = 'while :; do python3 -c "print(1)" || echo 1; sleep 0.2; done\n'
    config = job(folder, body=body, lifecycle={"on_failure": "delete"})
    tool = Tool(sim, "run", "--config", str(config), "--print-run-dir")
    time.sleep(rng.random() * LATEST_S)
    tool.signal(rng.choice((signal.SIGINT, signal.SIGTERM, signal.SIGHUP)))
    return tool.end(within_s=150)


@pytest.mark.timeout(1800)
def test_a_real_signal_at_any_moment_is_never_lost(sim: Simulator, tmp_path: Path) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ended = list(pool.map(lambda seed: interrupted(sim, tmp_path / f"p{seed}", seed), range(RUNS)))
    assert [(seed, end.code, end.err) for seed, end in enumerate(ended) if end.code != 130] == []
    assert all("ignored" not in end.err for end in ended)
    assert sim.ledger["pods_left"] == 0
