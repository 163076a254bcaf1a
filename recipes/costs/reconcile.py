"""Do the rates that configs assume fit what pods cost? One line a config, over all runs below a folder.

    python3 reconcile.py artifacts/runpod [--billed]

With --billed, RunPod's bill of the last twelve months beside our estimate. It may lag by days, so BILLS says how many
of the runs it holds. Exits 1 if some config assumes less than its pods cost: its cap then ends jobs before their time.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MANIFEST = "runpod_deploy_pull_manifest.json"
LAYOUT = "{:<20} {:>4} {:>7} {:>8} {:>8} {:>9} {:>9} {:>5}"
Bill = dict[str, float]


def main() -> int:
    """1 if some config assumes too little."""
    bill = billed() if "--billed" in sys.argv[2:] else {}
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for manifest in manifests(Path(sys.argv[1])):
        groups[Path(manifest["config_path"]).name].append(manifest)
    print(LAYOUT.format("CONFIG", "RUNS", "UNKNOWN", "ASSUMED", "REAL", "ESTIMATE", "BILLED", "BILLS"))
    too_low = [line(name, group, bill) for name, group in sorted(groups.items())]
    return 1 if any(too_low) else 0


def billed() -> Bill:
    """What RunPod has billed for each pod so far, in USD."""
    origin = os.environ.get("RUNPOD_API_BASE_URL", "https://api.runpod.io")
    # A generic User-Agent is refused.
    headers = {"Authorization": f"Bearer {os.environ['RUNPOD_API_KEY']}", "User-Agent": "reconcile"}
    request = urllib.request.Request(f"{origin}/v2/billing/pods?bucketSize=month&lastN=12", headers=headers)
    usd: Bill = defaultdict(float)
    with urllib.request.urlopen(request, timeout=60) as answer:
        for record in json.load(answer)["records"]:
            usd[record["podId"]] += record["totalAmount"]
    return dict(usd)


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


def line(name: str, group: list[dict[str, Any]], bill: Bill) -> bool:
    """Whether this config assumes too little; its line is printed. A run whose price nobody knows is counted apart."""
    rates = [one["gpu_price_per_hour_usd"] for one in group if one["gpu_price_source"] == "pod_describe"]
    assumed = max(one["assumed"] for one in group)
    real = statistics.median(rates) if rates else None
    estimate = sum(one["estimated_cost_usd"] or 0.0 for one in group)
    bills = [bill[one["pod_id"]] for one in group if one["pod_id"] in bill]
    shown = ["-" if real is None else f"{real:.2f}", f"{estimate:.4f}", f"{sum(bills):.4f}" if bills else "-"]
    print(LAYOUT.format(name, len(group), len(group) - len(rates), f"{assumed:.2f}", *shown, len(bills)))
    return real is not None and real > assumed


if __name__ == "__main__":
    sys.exit(main())
