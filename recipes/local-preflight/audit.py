"""Checks the training data before a pod is rented. Exits 1 and prints one line for each problem."""

from __future__ import annotations

import csv
import gzip
import sys
from collections import Counter
from collections.abc import Iterator

PIXELS = 64
ROWS_AT_LEAST = 1000
SHARE_AT_LEAST = 0.05


def main() -> int:
    """Returns 0 if the file passes every check."""
    with gzip.open(sys.argv[1], "rt", newline="") as text:
        rows = list(csv.reader(text))[1:]
    wrong = list(reasons(rows))
    for reason in wrong:
        print(f"{sys.argv[1]}: {reason}", file=sys.stderr)
    print(f"{len(rows)} rows checked, {len(wrong)} problems")
    return 1 if wrong else 0


def reasons(rows: list[list[str]]) -> Iterator[str]:
    """Yields the reasons why training on these rows would waste money."""
    if len(rows) < ROWS_AT_LEAST:
        yield f"only {len(rows)} rows; at least {ROWS_AT_LEAST} are needed"
    for number, row in enumerate(rows, start=2):
        if len(row) != PIXELS + 1 or not all(0 <= int(cell) <= 16 for cell in row[:-1]):
            yield f"line {number}: not {PIXELS} pixels from 0 to 16 and a digit"
    shares = Counter(row[-1] for row in rows)
    for digit in "0123456789":
        if shares[digit] < SHARE_AT_LEAST * len(rows):
            yield f"digit {digit}: {shares[digit]} rows; the classes are out of balance"


if __name__ == "__main__":
    sys.exit(main())
