#!/usr/bin/env bash
# Runs a job. If it succeeds, makes the report on this machine, from the files of exactly that run.
#
#   ./run-and-report.sh job.yaml --var seed=7
set -euo pipefail

here=$(dirname "$0")
config=${1:?usage: run-and-report.sh CONFIG [FLAG...]}
shift

# stdout of `run` contains only data, and its first line names the run dir. Progress goes to stderr, so it stays visible.
run_dir=$(runpod-deploy run --config "$config" "$@" --print-run-dir | sed -n 's/^RUN_DIR=//p')

manifest=$run_dir/runpod_deploy_pull_manifest.json
runpod-deploy manifest-summary "$manifest" | tee "$run_dir/summary.txt"
# The local path of the artifact. Paths in the manifest start at the project root, three folders above the run dir.
predictions=$(python3 -c '
import json, sys
rows = json.load(open(sys.argv[1]))["artifacts"]
print(next(row["local_path"] for row in rows if row["label"] == "predictions"))
' "$manifest")
python3 "$here/confusion.py" "$run_dir/../../../$predictions" | tee "$run_dir/confusion.txt"
