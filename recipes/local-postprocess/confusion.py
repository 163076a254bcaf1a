"""The confusion matrix of a file of predictions, on the rows that were held out."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path


def main() -> int:
    """Prints the matrix and the most frequent mistake, and returns 0."""
    with Path(sys.argv[1]).open(newline="") as text:
        rows = [row for row in csv.DictReader(text) if row["split"] == "test"]
    pairs = Counter((row["label"], row["predicted"]) for row in rows)
    print("true \\ predicted " + "".join(f"{digit:>5}" for digit in range(10)))
    for label in map(str, range(10)):
        print(f"{label:>16} " + "".join(f"{pairs[label, str(digit)] or '.':>5}" for digit in range(10)))
    mixed = Counter({pair: count for pair, count in pairs.items() if pair[0] != pair[1]})
    for (label, predicted), count in mixed.most_common(1):
        print(f"most often mixed up: {label} taken for {predicted}, {count} times")
    return 0


if __name__ == "__main__":
    sys.exit(main())
