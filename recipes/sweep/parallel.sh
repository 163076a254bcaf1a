#!/usr/bin/env bash
# Runs one config for many seeds, a few at a time, and prints a table. Exits 1 if any seed did not succeed.
#
#   AT_ONCE=3 TOTAL_CAP_USD=10 ./parallel.sh job.yaml 1 2 3 4 5 6
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
attempts=${ATTEMPTS:-3}            # tries for one seed
retry_after_s=${RETRY_AFTER_S:-10} # pause before its second try; twice as long before the third
cap_usd=${CAP_USD:-1.00}           # the most that one run may cost
total_cap_usd=${TOTAL_CAP_USD:-20} # no run starts that could take the sum above this
stamp=sweep-$(date -u +%Y%m%dT%H%M%SZ)-$$
logs=${LOGS:-$stamp}
mkdir -p "$logs" || exit 2
[[ -s $logs/id ]] || echo "$stamp" >"$logs/id"
sweep=$(<"$logs/id") # with seed and try, the id of a run

mapfile -t seeds < <(printf '%s\n' "$@" | awk '!seen[$0]++')
for seed in "${seeds[@]}"; do
  [[ $seed =~ ^[A-Za-z0-9._-]+$ ]] || { echo "$seed: a seed is letters, digits, dots, dashes, underscores" >&2; exit 2; }
done
queue=("${seeds[@]}") # seeds to start
declare -A tries=()   # seed -> the number of its last try
declare -A flying=()  # SEED.NUMBER -> process
halt=0                # the exit code that ends the sweep early

main() {
  local seed number reason
  trap interrupt INT TERM HUP
  while IFS=$'\t' read -r seed number _ reason _; do # from an earlier call: a seed that Ctrl-C ended gets another try
    [[ $reason == interrupted ]] && tries[$seed]=$number
  done < <(rows)
  while ((${#flying[@]} || (${#queue[@]} && !halt))); do
    if ((${#queue[@]} && !halt && ${#flying[@]} < at_once)) && affordable; then
      launch
    elif ((${#flying[@]})); then
      collect
    else
      echo "the total cap of $total_cap_usd USD leaves no room for: ${queue[*]}" >&2
      break
    fi
  done
  report
}

# Starts one run for the first seed of the queue.
launch() {
  local seed=${queue[0]} pause_s=0 wait_s=0 number log
  queue=("${queue[@]:1}")
  number=$((${tries[$seed]:-0} + 1))
  log=$logs/$seed.$number.log
  if [[ -e $log ]]; then wait_s=86400; else pause_s=$(((number - 1) * retry_after_s)); fi
  : >>"$log" # from now on it counts
  rm -f "$logs/$seed.$number.code"
  run_once </dev/null &
  tries[$seed]=$number flying[$seed.$number]=$!
}

# The id stays the same, so that a second request continues the run, or returns its old result.
run_once() {
  sleep "$pause_s"
  runpod-deploy run --config "$config" --var "seed=$seed" --run-id "$sweep-$seed.$number" --wait "$wait_s" \
    --cost-cap-usd "$cap_usd" --on-failure delete --print-run-dir 2>&1 | tee -i -a "$log"
  return "${PIPESTATUS[0]}" # the status of the run, even if tee could not write
}

# Records every run that has ended, and waits for at least one. Queues its seed again if another try may help.
collect() {
  local key seed code
  wait -n
  for key in "${!flying[@]}"; do
    kill -0 "${flying[$key]}" 2>/dev/null && continue
    wait "${flying[$key]}"
    code=$? seed=${key%.*}
    echo "$code" >"$logs/$key.code"
    unset "flying[$key]"
    case $code in
      3 | 5 | 6 | 8 | 22) # no stock, API down, pod lost, run held by another process, pod killed
        ((tries[$seed] < attempts)) && queue+=("$seed") ;;
      4 | 9) # no key or no money; a pod that may still be billing: look first
        halt=$code ;;
    esac
  done
}

# Prints one line for each try: seed, number, exit code, reason, USD, run dir; "-" if a value is not known (yet).
rows() {
  python3 - "$logs" "${seeds[@]}" <<'PYTHON'
import json, pathlib, sys

def text(path):
    return path.read_text(errors="replace") if path.is_file() else ""

for seed in sys.argv[2:]:
    number = 1
    while (log := pathlib.Path(sys.argv[1], f"{seed}.{number}.log")).is_file():
        code = text(log.with_suffix(".code")).strip()
        named = [line[8:] for line in text(log).splitlines() if line.startswith("RUN_DIR=")]
        run_dir = pathlib.Path(named[0] if named else "/dev/null")
        manifest = json.loads(text(run_dir / "runpod_deploy_pull_manifest.json") or "{}")
        reason = (manifest.get("failure") or {}).get("kind") or manifest.get("outcome")
        if '"event": "pod_killed_unexpected"' in text(run_dir / "events.jsonl"):
            reason = "pod_killed_unexpected"
        usd = manifest.get("estimated_cost_usd") if code else None
        print(seed, number, code or "-", reason or "-", "-" if usd is None else usd, *named[:1] or "-", sep="\t")
        number += 1
PYTHON
}

# Succeeds if one more run fits under the total. An active run, or a run of unknown cost, counts with its cap.
affordable() {
  rows | awk -F'\t' -v cap="$cap_usd" -v total="$total_cap_usd" \
    '{ spent += $5 == "-" ? cap : $5 } END { exit !(spent + cap <= total) }'
}

# Each run downloads its results so far and releases its pod before it ends.
# shellcheck disable=SC2329  # called by the trap
interrupt() {
  local key
  halt=130
  for key in "${!flying[@]}"; do kill -INT -- "-${flying[$key]}"; done
}

# Prints the table and exits with the code of the sweep.
report() {
  local seed code failed=0
  { printf 'SEED\tTRY\tEXIT\tREASON\tUSD\tRUN_DIR\n' && rows; } |
    awk -F'\t' '{ printf "%-8s %-3s %-4s %-21s %-8s %s\n", $1, $2, $3, $4, $5, $6 }'
  for seed in "${seeds[@]}"; do
    code=$(cat "$logs/$seed.${tries[$seed]:-0}.code" 2>/dev/null)
    [[ $code == 0 ]] && continue
    failed=1
    echo "seed $seed: ${code:+exit }${code:-not started}" >&2
  done
  exit $((halt ? halt : failed))
}

main
