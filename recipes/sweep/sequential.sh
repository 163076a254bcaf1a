#!/usr/bin/env bash
# Runs several configs one after another, after a check of all of them. Exits 1 if any did not succeed.
#
#   CAP_USD=2 TOTAL_CAP_USD=10 ./sequential.sh train.yaml evaluate.yaml
set -uo pipefail # no -e: a config that fails must not hide the results of the others

(($#)) || { echo 'usage: sequential.sh CONFIG...' >&2; exit 2; }
cap_usd=${CAP_USD:-2.00}           # the most that one run may cost
total_cap_usd=${TOTAL_CAP_USD:-20} # no run starts that could take the sum above this
minutes=${MINUTES:-60}             # the longest time that one pod may exist
logs=${LOGS:-sweep-$(date -u +%Y%m%dT%H%M%SZ)-$$}
mkdir -p "$logs" || exit 2

# No pod of an earlier run may still cost money.
runpod-deploy audit || exit

# Records the facts of this checkout once for all configs.
runpod-deploy capture-env >"$logs/env.json" || exit 2

# Shows every mistake of every config before anything costs money.
wrong=0
for config in "$@"; do runpod-deploy validate --config "$config" --all || wrong=1; done
((wrong)) && exit 2

# Prints the cost of the runs so far; a run of unknown cost counts with its cap.
spent_usd() {
  cat "$logs"/*.json | sed -n 's/^  "estimated_cost_usd": \(.*\),$/\1/p' |
    awk -v cap="$cap_usd" '{ usd += $1 == "null" ? cap : $1 } END { print usd + 0 }'
}

failed=0 number=0 halt=0
for config in "$@"; do
  if awk "BEGIN { exit !($(spent_usd) + $cap_usd > $total_cap_usd) }"; then
    echo "$config: not started: the total cap of $total_cap_usd USD leaves no room" >&2
    failed=$((failed + 1))
    continue
  fi
  number=$((number + 1)) name=$logs/$number-$(basename "$config" .yaml)
  runpod-deploy run --config "$config" --cost-cap-usd "$cap_usd" --max-runtime-minutes "$minutes" \
    --on-failure delete --print-run-dir 2>&1 | tee -i "$name.log"
  code=${PIPESTATUS[0]} # the status of the run, even if tee could not write
  run_dir=$(sed -n 's/^RUN_DIR=//p' "$name.log")
  [[ $run_dir ]] && cp "$run_dir/runpod_deploy_pull_manifest.json" "$name.json"
  ((code)) && failed=$((failed + 1)) && echo "$config: exit $code" >&2
  case $code in 4 | 9 | 130) halt=$code && break ;; esac # no money; a pod may still be billing; interrupted
done

# Put the work after all runs here: tables, plots, one file of all metrics.
for manifest in "$logs"/*-*.json; do
  [[ -e $manifest ]] && runpod-deploy manifest-summary "$manifest" && echo
done
exit $((halt ? halt : failed > 0))
