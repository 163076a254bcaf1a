"""Writes text files as shards of JSON lines, each line once, with the checksums of the shards."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--shards", type=int, default=4)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rows = list(dict.fromkeys(lines(options.raw)))
    sums = {}
    for number in range(options.shards):
        path = options.out / f"shard-{number:04}.jsonl"
        path.write_text("".join(json.dumps({"text": row}) + "\n" for row in rows[number :: options.shards]))
        sums[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    (options.out / "shards.json").write_text(json.dumps({"rows": len(rows), "sha256": sums}, indent=1) + "\n")
    print(f"{len(rows)} rows in {options.shards} shards")


def lines(folder: Path) -> Iterator[str]:
    """The lines of all text files that are not empty, in the order of the files' names."""
    for path in sorted(folder.rglob("*.txt")):
        yield from (line.strip() for line in path.read_text().splitlines() if line.strip())


if __name__ == "__main__":
    main()
