"""Do the rates that configs assume fit what pods really cost? One line a config, over all runs below a folder.

python3 reconcile.py artifacts/runpod
"""

from __future__ import annotations

import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MANIFEST = "runpod_deploy_pull_manifest.json"


def main() -> int:
    """1 if some config assumes less than its pods cost: its cap then ends jobs before their planned time."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for manifest in manifests(Path(sys.argv[1])):
        groups[Path(manifest["config_path"]).name].append(manifest)
    print(f"{'CONFIG':<24} {'RUNS':>4} {'UNKNOWN':>7} {'ASSUMED':>8} {'REAL':>8} {'SPENT':>9}")
    too_low = [line(name, group) for name, group in sorted(groups.items())]
    return 1 if any(too_low) else 0


def manifests(root: Path) -> Iterator[dict[str, Any]]:
    """Every readable manifest, with the rate that its run assumed."""
    for path in sorted(root.rglob(MANIFEST)):
        try:
            manifest = json.loads(path.read_text())
            job = json.loads((path.parent / "spec.json").read_text())["job"]
        except (OSError, ValueError, KeyError) as error:
            print(f"{path}: left out: {error}", file=sys.stderr)
            continue
        yield {**manifest, "assumed": job["budget"]["assumed_hourly_rate_usd"]}


def line(name: str, group: list[dict[str, Any]]) -> bool:
    """Whether this config assumes too little; its line is printed. A run whose price nobody knows is counted apart."""
    rates = [one["gpu_price_per_hour_usd"] for one in group if one["gpu_price_source"] == "pod_describe"]
    assumed = max(one["assumed"] for one in group)
    spent = sum(one["estimated_cost_usd"] or 0.0 for one in group)
    real = statistics.median(rates) if rates else None
    shown = "-" if real is None else f"{real:.2f}"
    print(f"{name:<24} {len(group):>4} {len(group) - len(rates):>7} {assumed:>8.2f} {shown:>8} {spent:>9.4f}")
    return real is not None and real > assumed


if __name__ == "__main__":
    sys.exit(main())
