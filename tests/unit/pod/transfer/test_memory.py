"""Whatever a pod sends, the memory of the process that receives it stays small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.unit.pod.transfer.attacks import ATTACKS

MOST_KB = 150_000


def test_no_attack_of_a_pod_takes_much_memory() -> None:
    argv = [sys.executable, "-m", "tests.unit.pod.transfer.attacks"]
    done = subprocess.run(argv, cwd=Path(__file__).parents[4], capture_output=True, text=True, check=False)
    taken = {name: int(kb) for kb, _, name in (line.partition(" ") for line in done.stdout.splitlines())}
    assert taken.keys() == ATTACKS.keys(), done.stderr
    assert max(taken.values()) < MOST_KB, taken
