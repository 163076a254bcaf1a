#!/usr/bin/env bash
# Lists stopped pods that cost money, with their price per month. Exits 1 if there are any. Made for cron and CI.
#
#   ./audit.sh [MAX_AGE_HOURS]     the default, 0, counts all pods
set -euo pipefail

runpod-deploy ls-stale --json | python3 -c '
import json, sys
oldest = float(sys.argv[1])
# A pod of unknown age counts as old, because a needless look is better than a forgotten pod.
pods = [pod for pod in json.load(sys.stdin) if pod["age_hours"] is None or pod["age_hours"] >= oldest]
for pod in pods:
    usd = pod["estimated_daily_cost_usd"] or 0.0
    print("{pod_id}  {name}  {volume_in_gb} GB".format(**pod), f"{30 * usd:.2f} USD a month", sep="  ")
sys.exit(1 if pods else 0)
' "${1:-0}"
