#!/usr/bin/env bash
# Runs a config twice and says whether the predictions are the same bytes. Exits 1 if they differ.
#
#   ./twice.sh job.yaml --var seed=7
set -euo pipefail

config=${1:?usage: twice.sh CONFIG [FLAG...]}
shift

run_once() {
  runpod-deploy run --config "$config" "$@" --print-run-dir | sed -n 's/^RUN_DIR=//p'
}

# Where an artifact of a run has landed.
artifact() {
  python3 -c '
import json, sys
rows = json.load(open(sys.argv[1] + "/runpod_deploy_pull_manifest.json"))["artifacts"]
print(next(row["local_path"] for row in rows if row["label"] == sys.argv[2]))
' "$1" "$2"
}

first=$(run_once "$@")
second=$(run_once "$@")
runpod-deploy compare-runs "$first" "$second"
cmp "$(artifact "$first" predictions)" "$(artifact "$second" predictions)" && echo 'the predictions are the same'
