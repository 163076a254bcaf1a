#!/usr/bin/env bash
# Shows what happened in a failed run, without starting anything. Look first, release the pod afterwards.
#
#   ./look.sh RUN_DIR
set -euo pipefail

run_dir=${1:?usage: look.sh RUN_DIR}
manifest=$run_dir/runpod_deploy_pull_manifest.json

runpod-deploy manifest-summary "$manifest"

printf '\n== why\n'
python3 - "$manifest" <<'PYTHON'
import json, sys

manifest = json.load(open(sys.argv[1]))
failure = manifest["failure"] or {"kind": "nothing", "phase": "any", "message": "the run did not fail"}
print("{kind} in phase {phase}: {message}".format(**failure), end=" ")
print(f"(status of the job: {manifest['job_exit_code']})")
PYTHON

printf '\n== the last events\n'
runpod-deploy events "$run_dir" | tail -n 8

printf '\n== the last lines of the job\n'
if [[ -s $run_dir/run.log ]]; then tail -n 8 "$run_dir/run.log"; else echo 'it printed nothing'; fi
