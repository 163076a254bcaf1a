"""The cost of a project's runs on each GPU: `spend.py PROJECT_ROOT`. Runs of unknown cost are counted, too."""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from runpod_deploy import load_manifest, walk_run_dirs


def main() -> int:
    """Prints the table and returns 0."""
    costs: dict[str, list[float | None]] = defaultdict(list)
    for run_dir in walk_run_dirs(Path(sys.argv[1])):
        manifest = load_manifest(run_dir)
        if manifest is not None:
            costs[manifest.get("gpu_id") or "none"].append(manifest.get("estimated_cost_usd"))
    for gpu, each in sorted(costs.items()):
        known = [cost for cost in each if isinstance(cost, int | float)]
        print(f"{gpu}: {len(each)} runs, ${sum(known):.4f}, {len(each) - len(known)} of unknown cost")
    return 0


if __name__ == "__main__":
    sys.exit(main())
