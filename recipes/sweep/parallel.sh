#!/usr/bin/env bash
# Runs one config for many seeds, a few at a time, and prints a table. Exits 1 if any seed did not succeed.
#
#   AT_ONCE=3 TOTAL_CAP_USD=10 ./parallel.sh job.yaml 1 2 3 4 5 6
#
# Needs bash 5.1 or newer, and python3 for the table.
set -uo pipefail # no -e: a seed that failed is a result, not the end of this script
set -m           # each run gets a process group of its own, so that an interrupt can be passed on

config=${1:?usage: parallel.sh CONFIG SEED...}
shift
at_once=${AT_ONCE:-3}              # runs at the same time
attempts=${ATTEMPTS:-3}            # tries for one seed
cap_usd=${CAP_USD:-1.00}           # the most that one run may cost
total_cap_usd=${TOTAL_CAP_USD:-20} # nothing is launched that could take the sum past this
logs=${LOGS:-sweep-$(date -u +%Y%m%dT%H%M%SZ)-$$}
mkdir -p "$logs" || exit 2

queue=("$@")       # seeds to launch
launched=()        # tries as SEED.TRY, in order
declare -A tries=()   # seed -> how many tries were launched
declare -A flying=()  # pid -> SEED.TRY
declare -A code_of=() # SEED.TRY -> exit code, once ended

main() {
  trap stop INT TERM
  while ((${#queue[@]} + ${#flying[@]})); do
    if ((${#queue[@]} && ${#flying[@]} < at_once)) && affordable; then
      launch "${queue[0]}"
      queue=("${queue[@]:1}")
    elif ((${#flying[@]})); then
      collect
    else
      echo "the total cap of $total_cap_usd USD leaves no room for: ${queue[*]}" >&2
      break
    fi
  done
  report "$@"
}

launch() {
  local seed=$1 try=$((${tries[$1]:-0} + 1))
  tries[$seed]=$try
  launched+=("$seed.$try")
  run_once "$seed" "$try" &
  flying[$!]=$seed.$try
}

run_once() {
  local seed=$1 try=$2
  sleep $(((try - 1) * ${RETRY_AFTER_S:-10}))
  runpod-deploy run --config "$config" --var "seed=$seed" --cost-cap-usd "$cap_usd" --on-failure delete \
    --print-run-dir 2>&1 | tee -i "$logs/$seed.$try.log"
}

# Notes how the next run to end has ended; its seed goes back into the queue if trying again may help.
collect() {
  local pid='' code key seed
  wait -n -p pid "${!flying[@]}"
  code=$?
  key=${flying[$pid]} seed=${flying[$pid]%.*}
  code_of[$key]=$code
  unset "flying[$pid]"
  case $code in # no stock, API down, pod lost, run held by another process, pod killed
    3 | 5 | 6 | 8 | 22) ((tries[$seed] < attempts)) && queue+=("$seed") ;;
  esac
}

# One line a try: seed, try, exit code, reason, cost or "-", run dir.
rows() {
  local key
  for key in "${launched[@]}"; do
    printf '%s\t%s\t%s\n' "$key" "${code_of[$key]:--}" "$(sed -n 's/^RUN_DIR=//p' "$logs/$key.log" 2>/dev/null)"
  done | python3 -c '
import json, pathlib, sys
for line in sys.stdin:
    key, code, run_dir = line.rstrip("\n").split("\t")
    try:
        manifest = json.loads(pathlib.Path(run_dir, "runpod_deploy_pull_manifest.json").read_text())
    except (OSError, ValueError):
        manifest = {}
    events = pathlib.Path(run_dir, "events.jsonl")
    killed = events.is_file() and "\"event\": \"pod_killed_unexpected\"" in events.read_text()
    reason = "pod_killed" if killed else (manifest.get("failure") or {}).get("kind") or manifest.get("outcome")
    usd = manifest.get("estimated_cost_usd") if code != "-" else None
    print(*key.rsplit(".", 1), code, reason or "-", "-" if usd is None else usd, run_dir or "-", sep="\t")
'
}

# Whether one more run fits under the total. A run in flight, or one whose cost nobody knows, counts with its cap.
affordable() {
  rows | awk -F'\t' -v cap="$cap_usd" -v total="$total_cap_usd" \
    '{ spent += $5 == "-" ? cap : $5 } END { exit !(spent + cap <= total) }'
}

# An interrupt goes on to every run; each brings home what there is and releases its pod before it ends.
# shellcheck disable=SC2329  # called by the trap
stop() {
  trap '' INT TERM
  for pid in "${!flying[@]}"; do kill -INT -- "-$pid"; done
  while ((${#flying[@]})); do collect; done
  exit 130
}

# The table, and the exit code of the whole.
report() {
  local seed code failed=0
  { printf 'SEED\tTRY\tEXIT\tREASON\tUSD\tRUN_DIR\n' && rows; } | column -t -s $'\t'
  for seed in "$@"; do
    code=${code_of[$seed.${tries[$seed]:-0}]:-not started}
    [[ $code == 0 ]] || { echo "seed $seed: ${code/#[0-9]/exit &}" >&2 && failed=1; }
  done
  return "$failed"
}

main "$@"
