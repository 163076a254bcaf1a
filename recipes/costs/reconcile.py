"""Compares the rates that configs assume with the real rates of their pods, for all runs below a folder.

    python3 reconcile.py artifacts/runpod

BILLED is the amount that `runpod-deploy billing` has recorded so far, and BILLS is the number of runs in it. Exits 1 if
a config assumes less than its pods cost, because its cap then stops jobs too early.
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
LAYOUT = "{:<20} {:>4} {:>7} {:>8} {:>8} {:>9} {:>9} {:>5}"


def main() -> int:
    """Returns 1 if a config assumes too little."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for manifest in manifests(Path(sys.argv[1])):
        groups[Path(manifest["config_path"]).name].append(manifest)
    print(LAYOUT.format("CONFIG", "RUNS", "UNKNOWN", "ASSUMED", "REAL", "ESTIMATE", "BILLED", "BILLS"))
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
    """Prints the line of this config and returns whether it assumes too little. Unknown prices are counted apart."""
    rates = [one["gpu_price_per_hour_usd"] for one in group if one["gpu_price_source"] == "pod_describe"]
    assumed = max(one["assumed"] for one in group)
    real = statistics.median(rates) if rates else None
    estimate = sum(one["estimated_cost_usd"] or 0.0 for one in group)
    bills = [one["billed_usd"] for one in group if one.get("billed_usd") is not None]
    shown = ["-" if real is None else f"{real:.2f}", f"{estimate:.4f}", f"{sum(bills):.4f}" if bills else "-"]
    print(LAYOUT.format(name, len(group), len(group) - len(rates), f"{assumed:.2f}", *shown, len(bills)))
    return real is not None and real > assumed


if __name__ == "__main__":
    sys.exit(main())
