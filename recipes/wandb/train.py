"""Fits a line to noisy points, logs each epoch to Weights & Biases, and tells the run here where its page is."""

from __future__ import annotations

import argparse
import json
import random
from typing import Any

import wandb

POINTS = [(x / 50, 3 * x / 50 + 1 + random.Random(x).gauss(0, 0.1)) for x in range(100)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=5)
    options = parser.parse_args()
    with wandb.init(config=vars(options), resume="allow") as run:
        announce(run)
        slope = offset = 0.0
        for epoch in range(options.epochs):
            for x, y in POINTS:
                error = slope * x + offset - y
                slope, offset = slope - 0.05 * error * x, offset - 0.05 * error
            loss = sum((slope * x + offset - y) ** 2 for x, y in POINTS) / len(POINTS)
            run.log({"epoch": epoch, "loss": loss})


def announce(run: Any) -> None:
    """The record of the run here has the address of the page, if there is one: offline there is none."""
    if run.url:
        print("__RUNPOD_EVENT__ " + json.dumps({"event": "wandb_run", "url": run.url}), flush=True)


if __name__ == "__main__":
    main()
