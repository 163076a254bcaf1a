"""The digits job learns, and gives the same result twice. It runs in its own process, as on a pod."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.workshop import REPOSITORY

TRAIN = REPOSITORY / "examples" / "digits" / "train.py"


def train(out_dir: Path, seed: int) -> tuple[str, dict[str, Any]]:
    """The log and the metrics of one training."""
    command = [sys.executable, str(TRAIN), "--seed", str(seed), "--out", str(out_dir)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout, json.loads((out_dir / "metrics.json").read_text())


def test_it_learns_and_says_so(tmp_path: Path) -> None:
    log, metrics = train(tmp_path, seed=7)
    with (tmp_path / "predictions.csv").open(newline="") as text:
        rows = list(csv.DictReader(text))
    held_out = [row for row in rows if row["split"] == "test"]
    assert len(rows) == 1797
    assert metrics["accuracy"] >= 0.93
    assert metrics["accuracy"] == round(sum(r["label"] == r["predicted"] for r in held_out) / len(held_out), 6)
    assert log.endswith(f"DIGITS_DONE seed=7 accuracy={metrics['accuracy']:.4f}\n")


def test_the_seed_decides_and_nothing_else(tmp_path: Path) -> None:
    for name, seed in (("first", 3), ("again", 3), ("other", 4)):
        train(tmp_path / name, seed)
    first, again, other = ((tmp_path / name / "predictions.csv").read_bytes() for name in ("first", "again", "other"))
    assert first == again != other
