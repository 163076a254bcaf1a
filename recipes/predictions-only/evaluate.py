"""Evaluates predictions on your machine instead of the pod: accuracy with a bootstrap interval, and the hardest digits.

    python3 evaluate.py predictions.csv [OTHER.csv]

With a second file, it prints the difference between the two on the rows that both held out, with its interval. A pod
costs money every minute, and resampling needs no GPU. With one row for each prediction, any question can be answered
later.
"""

from __future__ import annotations

import csv
import random
import sys
from pathlib import Path

RESAMPLES = 2000
SEED = 0
Hits = dict[str, bool]


def main() -> int:
    """Prints the figures and returns 0."""
    first = hits(Path(sys.argv[1]))
    low, high = interval(list(map(float, first.values())))
    print(f"accuracy {share(first):.4f}  95% interval {low:.4f} to {high:.4f}  rows {len(first)}")
    for digit, right in sorted(by_digit(Path(sys.argv[1])).items(), key=lambda item: item[1])[:3]:
        print(f"digit {digit}: {right:.3f} right")
    if len(sys.argv) > 2:
        compare(first, hits(Path(sys.argv[2])))
    return 0


def hits(path: Path) -> Hits:
    """Whether each row that was held out was predicted correctly."""
    with path.open(newline="") as text:
        rows = [row for row in csv.DictReader(text) if row["split"] == "test"]
    return {row["row"]: row["label"] == row["predicted"] for row in rows}


def share(right: Hits) -> float:
    """The share of correct predictions."""
    return sum(right.values()) / len(right)


def by_digit(path: Path) -> dict[str, float]:
    """The share of correct predictions for each digit."""
    right = hits(path)
    groups: dict[str, list[bool]] = {}
    with path.open(newline="") as text:
        for row in csv.DictReader(text):
            if row["row"] in right:
                groups.setdefault(row["label"], []).append(right[row["row"]])
    return {digit: sum(group) / len(group) for digit, group in groups.items()}


def interval(values: list[float]) -> tuple[float, float]:
    """The middle 95 % of the means of RESAMPLES resamples. Equal values always give an equal interval."""
    rng = random.Random(SEED)
    means = sorted(sum(rng.choices(values, k=len(values))) / len(values) for _ in range(RESAMPLES))
    return means[int(RESAMPLES * 0.025)], means[int(RESAMPLES * 0.975)]


def compare(first: Hits, second: Hits) -> None:
    """Prints the paired difference on the common rows, so that rows that are hard for both do not hide it."""
    common = sorted(first.keys() & second.keys(), key=int)
    differences = [float(second[row]) - float(first[row]) for row in common]
    low, high = interval(differences)
    mean = sum(differences) / len(differences)
    print(f"second minus first {mean:+.4f}  95% interval {low:+.4f} to {high:+.4f}  rows {len(common)}")


if __name__ == "__main__":
    sys.exit(main())
