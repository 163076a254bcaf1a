"""Runs of every fate on a simulated cloud, then every command that reads, against independent counts.

    .venv/bin/python -m tests.acceptance [--runs 200] [--at-once 4] [--keep FOLDER]

Exit 1 if anything does not add up. Needs jq.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.acceptance.checks import failures
from tests.acceptance.fates import AT_ONCE, FATES
from tests.acceptance.growing import Tree, grow
from tests.support.harness import Simulator


def main() -> int:
    """0 if all adds up."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=AT_ONCE)
    parser.add_argument("--keep", type=Path, help="Keep the tree there.")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="runs-") as folder:
        root = args.keep or Path(folder)
        (root / "home").mkdir(parents=True)
        sim = Simulator(root / "home")
        try:
            began = time.monotonic()
            tree = grow(sim, root, FATES, count=args.runs, at_once=args.at_once)
            tell(tree, time.monotonic() - began)
            return 1 if failures(tree, print) else 0
        finally:
            sim.stop()


def tell(tree: Tree, took_s: float) -> None:
    """What the tree holds."""
    print(f"{len(tree.runs)} runs in {took_s:.0f} s")
    for (outcome, kind, code), count in sorted(Counter(map(ending, tree.runs)).items()):
        print(f"  {count:4} {outcome:<12} {kind:<22} {code}")


def ending(lived: object) -> tuple[str, str, str]:
    """How it ended, in words."""
    outcome, kind, code = (getattr(lived, name) for name in ("outcome", "kind", "code"))
    return outcome or "(not ended)", kind or "", "killed" if code is None else f"exit {code}"


if __name__ == "__main__":
    sys.exit(main())
