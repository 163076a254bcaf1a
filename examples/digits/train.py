"""Softmax regression on hand-written digits. Standard library only, Python 3.9 or newer.

Knows the data file and its own two results; knows nothing about pods. One seed always gives the same predictions:
it decides which rows are held out and in which order the others are seen.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import math
import random
import sys
import time
from operator import mul
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
CLASSES = 10
PIXELS = 64
BRIGHTEST = 16.0
HELD_OUT = 0.25
FIRST_RATE = 0.5
# A step this small has no visible effect on the weights; skipping it saves half of the time.
NEGLIGIBLE = 1e-3


class Row(NamedTuple):
    """One image: pixels from 0 to 1 with a constant 1 behind them for the bias, and the digit it shows."""

    pixels: list[float]
    label: int


Weights = list[list[float]]


def main() -> int:
    """Writes predictions.csv and metrics.json to the output folder and returns 0."""
    options = parse_arguments()
    step("load", "START")
    rows = load(options.data)
    print(f"digits: {len(rows)} images of {PIXELS} pixels from {options.data.name}")
    step("load", "DONE")
    if options.check:
        return 0
    return learn_and_report(rows, options)


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train softmax regression on the UCI hand-written digits.")
    parser.add_argument("--seed", type=int, default=0, help="decides the split and the order of training")
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds to wait after each epoch")
    parser.add_argument("--data", type=Path, default=HERE / "digits.csv.gz")
    parser.add_argument("--out", type=Path, default=HERE / "out")
    parser.add_argument("--check", action="store_true", help="only load the data")
    return parser.parse_args()


def load(path: Path) -> list[Row]:
    """Every image of the file, in its order."""
    with gzip.open(path, "rt", newline="") as text:
        lines = csv.reader(text)
        next(lines)
        return [Row([*(int(cell) / BRIGHTEST for cell in cells[:-1]), 1.0], int(cells[-1])) for cells in lines]


def learn_and_report(rows: list[Row], options: argparse.Namespace) -> int:
    """Trains the model, writes its results and returns 0."""
    began = time.monotonic()
    order = list(range(len(rows)))
    rng = random.Random(options.seed)
    rng.shuffle(order)
    held_out = set(order[: int(len(rows) * HELD_OUT)])
    step("train", "START")
    weights = train([rows[i] for i in order if i not in held_out], rng, options)
    step("train", "DONE")
    report(rows, weights, held_out, options, train_sec=time.monotonic() - began)
    return 0


def train(rows: list[Row], rng: random.Random, options: argparse.Namespace) -> Weights:
    """Weights after so many passes of stochastic gradient descent, the rate falling as 1/(1 + epoch / 4)."""
    weights = [[0.0] * (PIXELS + 1) for _ in range(CLASSES)]
    for epoch in range(options.epochs):
        rng.shuffle(rows)
        rate = FIRST_RATE / (1 + epoch / 4)
        loss = sum(learn(weights, row, rate) for row in rows) / len(rows)
        print(f"epoch {epoch + 1:2d}/{options.epochs}  loss {loss:.4f}", flush=True)
        time.sleep(options.pause)
    return weights


def learn(weights: Weights, row: Row, rate: float) -> float:
    """The loss on one image before the weights took one step down its gradient."""
    odds = probabilities(weights, row.pixels)
    for digit, odd in enumerate(odds):
        push = rate * ((digit == row.label) - odd)
        if abs(push) > NEGLIGIBLE:
            weights[digit] = [weight + push * pixel for weight, pixel in zip(weights[digit], row.pixels)]
    return -math.log(max(odds[row.label], 1e-12))


def probabilities(weights: Weights, pixels: list[float]) -> list[float]:
    """The probability of each digit; the sum is 1."""
    scores = [sum(map(mul, of_digit, pixels)) for of_digit in weights]
    highest = max(scores)
    exponentials = [math.exp(score - highest) for score in scores]
    total = sum(exponentials)
    return [value / total for value in exponentials]


def report(
    rows: list[Row], weights: Weights, held_out: set[int], options: argparse.Namespace, *, train_sec: float
) -> None:
    """Predictions and metrics are in the output folder, and the log says so."""
    step("evaluate", "START")
    options.out.mkdir(parents=True, exist_ok=True)
    hits = write_predictions(options.out / "predictions.csv", rows, weights, held_out)
    metrics = summary(hits, held_out, options, train_sec)
    (options.out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    step("evaluate", "DONE")
    print("__RUNPOD_EVENT__ " + json.dumps({"event": "eval_done", "accuracy": metrics["accuracy"]}))
    print(f"DIGITS_DONE seed={options.seed} accuracy={metrics['accuracy']:.4f}", flush=True)


def write_predictions(path: Path, rows: list[Row], weights: Weights, held_out: set[int]) -> list[bool]:
    """Whether each row was predicted correctly; the file has one line a row, with the split it belongs to."""
    hits = []
    with path.open("w", newline="") as text:
        out = csv.writer(text, lineterminator="\n")
        out.writerow(["row", "split", "label", "predicted", "probability"])
        for number, row in enumerate(rows):
            odds = probabilities(weights, row.pixels)
            digit = max(range(CLASSES), key=odds.__getitem__)
            hits.append(digit == row.label)
            split = "test" if number in held_out else "train"
            out.writerow([number, split, row.label, digit, f"{odds[digit]:.6f}"])
    return hits


def summary(hits: list[bool], held_out: set[int], options: argparse.Namespace, train_sec: float) -> dict[str, object]:
    """The content of metrics.json; `accuracy` is that of the rows that were held out."""
    tested = [hit for number, hit in enumerate(hits) if number in held_out]
    trained = [hit for number, hit in enumerate(hits) if number not in held_out]
    return {
        "seed": options.seed,
        "epochs": options.epochs,
        "accuracy": round(sum(tested) / len(tested), 6),
        "train_accuracy": round(sum(trained) / len(trained), 6),
        "test_rows": len(tested),
        "train_rows": len(trained),
        "train_sec": round(train_sec, 3),
        "python": sys.version.split()[0],
    }


def step(name: str, state: str) -> None:
    """Prints one marker line that becomes an event of the run."""
    print(f"__RUNPOD_STEP_{state}__{name}__", flush=True)


if __name__ == "__main__":
    sys.exit(main())
