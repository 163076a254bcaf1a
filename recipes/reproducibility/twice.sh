#!/usr/bin/env bash
# Runs a config twice and compares the predictions byte by byte. Exits 1 if they differ.
#
#   ./twice.sh job.yaml --var seed=7
set -euo pipefail

config=${1:?usage: twice.sh CONFIG [FLAG...]}
shift

run_once() {
  runpod-deploy run --config "$config" "$@" --print-run-dir | sed -n 's/^RUN_DIR=//p'
}

# The local path of a run's predictions. Paths in the manifest start at the project root, three folders above the run dir.
predictions() {
  python3 -c '
import json, sys
run_dir = sys.argv[1]
rows = json.load(open(run_dir + "/runpod_deploy_pull_manifest.json"))["artifacts"]
print(run_dir, "../../..", next(row["local_path"] for row in rows if row["label"] == "predictions"), sep="/")
' "$1"
}

first=$(run_once "$@")
second=$(run_once "$@")
runpod-deploy compare-runs "$first" "$second"
cmp "$(predictions "$first")" "$(predictions "$second")" && echo 'the predictions are the same'
