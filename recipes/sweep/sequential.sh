#!/usr/bin/env bash
# Runs several configs one after another, after a check of all of them. Exits 1 if any did not succeed.
#
#   CAP_USD=2 TOTAL_CAP_USD=10 ./sequential.sh train.yaml evaluate.yaml
#
# After an interruption, the same command with LOGS=<its folder> continues. Runs that have ended cost nothing again.
set -uo pipefail # no -e: a config that fails must not hide the results of the others

(($#)) || { echo 'usage: sequential.sh CONFIG...' >&2; exit 2; }
export CAP_USD=${CAP_USD:-2.00}             # the most that one run may cost
export TOTAL_CAP_USD=${TOTAL_CAP_USD:-20}   # no run starts that could take the sum of this folder above this
minutes=${MINUTES:-60}                      # the longest time that one pod may exist
logs=${LOGS:-sweep-$(date -u +%Y%m%dT%H%M%SZ)-$$}
ledger() { python3 "$(dirname "${BASH_SOURCE[0]}")/ledger.py" "$@"; }
mkdir -p "$logs" && exec 9>>"$logs/lock" || exit 2
ledger lock "$logs" 9 || exit

# No pod of an earlier run may still cost money, unless it is one of this sweep.
[[ -e $logs/env.json ]] || runpod-deploy audit || exit

# Records the facts of this checkout once for all configs.
runpod-deploy capture-env >"$logs/env.json" || exit 2

# Shows every mistake of every config before anything costs money.
wrong=0
for config in "$@"; do runpod-deploy validate --config "$config" --all || wrong=1; done
((wrong)) && exit 2

failed=0 number=0 halt=0
for config in "$@"; do
  number=$((number + 1)) name=$number-$(basename "$config" .yaml)
  run_id=$(ledger begin "$logs" "$name" $$)
  case $? in
    0) ;;
    3) continue ;; # it has its result
    *) echo "$config: not started: the total cap of $TOTAL_CAP_USD USD leaves no room" >&2; continue ;;
  esac
  runpod-deploy run --config "$config" --cost-cap-usd "$CAP_USD" --max-runtime-minutes "$minutes" --run-id "$run_id" \
    --wait 30d --on-failure delete --print-run-dir 2>&1 9>&- | tee -i -a "$logs/$name.${run_id##*.}.log"
  code=${PIPESTATUS[0]} # the status of the run, even if tee could not write
  case $(ledger end "$logs" "$run_id" "$code") in
    halt | interrupted) halt=$code && break ;; # no money; a pod may still be billing; Ctrl-C
  esac
done

# Put the work after all runs here: tables, plots, one file of all metrics.
names=() number=0
for config in "$@"; do number=$((number + 1)) && names+=("$number-$(basename "$config" .yaml)"); done
ledger table "$logs" "${names[@]}" || failed=1
exit $((halt ? halt : failed))
