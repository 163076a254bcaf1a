#!/usr/bin/env bash
# Runs one config for many seeds, a few at a time, and prints a table. Exits 1 if any seed did not succeed.
#
#   AT_ONCE=3 TOTAL_CAP_USD=10 METRIC=accuracy ./parallel.sh job.yaml 1 2 3 4 5 6
#
# After an interruption, the same command with LOGS=<its folder> continues the sweep. Runs that have ended cost nothing again.
((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)) || {
  echo "parallel.sh: needs bash 4.4 or newer; this is $BASH_VERSION (macOS: brew install bash)" >&2
  exit 2
}
set -uo pipefail # no -e: a failed seed is a result, not the end of this script
set -m           # each run has its own process group, so that an interrupt reaches it once, from this script

(($# > 1)) || { echo 'usage: parallel.sh CONFIG SEED...' >&2; exit 2; }
config=$1
shift
at_once=${AT_ONCE:-3}              # runs at the same time
attempts=${ATTEMPTS:-3}            # requests for one seed
retry_after_s=${RETRY_AFTER_S:-10} # pause before its second request; twice as long before the third
stop_after=${STOP_AFTER:-0}        # no seed starts after so many have finally failed; 0: however many fail
export CAP_USD=${CAP_USD:-1.00}    # the most that one run may cost
export TOTAL_CAP_USD=${TOTAL_CAP_USD:-20} # no run starts that could take the sum of this folder above this
logs=${LOGS:-sweep-$(date -u +%Y%m%dT%H%M%SZ)-$$}
ledger=(python3 "$(dirname "$0")/ledger.py")

mkdir -p "$logs" && exec 9>>"$logs/lock" || exit 2
"${ledger[@]}" lock "$logs" 9 || exit
ordered=$("${ledger[@]}" order "$logs" "$@") || exit
mapfile -t queue <<<"$ordered" # seeds to start
seeds=("${queue[@]}")
declare -A requests=() # seed -> how often its run was requested in this call
declare -A flying=()   # run id -> process
declare -A seed_of=()  # run id -> seed
halt=0                 # the exit code that ends the sweep early
failures=0

main() {
  trap interrupt INT TERM HUP
  while ((${#flying[@]} || (${#queue[@]} && !halt))); do
    if ((${#queue[@]} && !halt && ${#flying[@]} < at_once)) && launch; then
      continue
    elif ((${#flying[@]})); then
      collect
    else
      echo "the total cap of $TOTAL_CAP_USD USD leaves no room for: ${queue[*]}" >&2
      break
    fi
  done
  report
}

# Starts a run for the first seed of the queue, unless the seed has its result. Fails if there is no room for another run.
launch() {
  local seed=${queue[0]} run_id
  run_id=$("${ledger[@]}" begin "$logs" "$seed" $$)
  case $? in
    0) ;;
    3) queue=("${queue[@]:1}") && return ;;
    *) return 1 ;;
  esac
  queue=("${queue[@]:1}")
  run_once "$seed" "$run_id" "${requests[$seed]:-0}" </dev/null 9>&- &
  requests[$seed]=$((${requests[$seed]:-0} + 1)) flying[$run_id]=$! seed_of[$run_id]=$seed
}

# The ledger names the run, so that a second request continues it, or returns its old result.
run_once() {
  local seed=$1 run_id=$2 before=$3
  ((before)) && sleep $((before * retry_after_s))
  runpod-deploy run --config "$config" --var "seed=$seed" --run-id "$run_id" --wait 30d --print-run-dir \
    --cost-cap-usd "$CAP_USD" --on-failure delete 2>&1 | tee -i -a "$logs/$seed.${run_id##*.}.log"
  return "${PIPESTATUS[0]}" # the status of the run, even if tee could not write
}

# Records every run that has ended, and waits for at least one. Queues its seed again if another try may help.
collect() {
  local run_id seed code
  wait -n
  for run_id in "${!flying[@]}"; do
    kill -0 "${flying[$run_id]}" 2>/dev/null && continue
    wait "${flying[$run_id]}"
    code=$? seed=${seed_of[$run_id]}
    unset "flying[$run_id]"
    case $("${ledger[@]}" end "$logs" "$run_id" "$code") in
      again) if ((requests[$seed] < attempts)); then queue+=("$seed"); else failures=$((failures + 1)); fi ;;
      failed) failures=$((failures + 1)) ;;
      halt) halt=$code ;; # no key or no money; a pod that may still be billing: look first
    esac
    ((stop_after && failures >= stop_after && !halt)) && halt=1 && echo "stopped after $failures failures" >&2
  done
}

# Each run downloads its results so far and releases its pod before it ends.
# shellcheck disable=SC2329  # called by the trap
interrupt() {
  local run_id
  halt=130
  for run_id in "${!flying[@]}"; do kill -INT -- "-${flying[$run_id]}"; done
}

# Prints the table and exits with the code of the sweep.
report() {
  local failed=0
  "${ledger[@]}" table "$logs" "${seeds[@]}" || failed=1
  exit $((halt ? halt : failed))
}

main
