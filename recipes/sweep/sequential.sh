#!/usr/bin/env bash
# Runs several configs one after another, each checked before the first is paid. Exits 1 if any did not succeed.
#
#   ./sequential.sh train.yaml evaluate.yaml
set -uo pipefail # no -e: one config that fails must not hide the results of the others

(($#)) || { echo 'usage: sequential.sh CONFIG...' >&2; exit 2; }
cap_usd=${CAP_USD:-2.00}   # the most that one run may cost
minutes=${MINUTES:-60}     # the longest that one pod may live
logs=${LOGS:-sweep-$(date -u +%Y%m%dT%H%M%SZ)-$$}
mkdir -p "$logs" || exit 2

# Nothing of an earlier day may still be billing.
runpod-deploy audit || exit

# The facts of this checkout, once, so that all configs share them.
runpod-deploy capture-env >"$logs/env.json" || exit 2

# Every mistake of every config, before anything costs money.
wrong=0
for config in "$@"; do runpod-deploy validate --config "$config" --all || wrong=1; done
((wrong)) && exit 2

manifests=() failed=()
for config in "$@"; do
  log=$logs/$(basename "$config" .yaml).log
  runpod-deploy run --config "$config" --cost-cap-usd "$cap_usd" --max-runtime-minutes "$minutes" \
    --on-failure delete --print-run-dir 2>&1 | tee -i "$log"
  code=$?
  run_dir=$(sed -n 's/^RUN_DIR=//p' "$log")
  [[ -n $run_dir ]] && manifests+=("$run_dir/runpod_deploy_pull_manifest.json")
  ((code)) && failed+=("$config: exit $code")
  ((code == 130 || code == 9)) && break # interrupted; or a pod may still be billing: look first
done

# What belongs after all runs goes here: tables, plots, one file of all metrics.
for manifest in "${manifests[@]}"; do
  runpod-deploy manifest-summary "$manifest"
  echo
done
for line in "${failed[@]}"; do echo "failed: $line" >&2; done
((${#failed[@]} == 0))
