#!/usr/bin/env bash
# What happened in a run that failed, without starting anything: look first, release the pod afterwards.
#
#   ./look.sh RUN_DIR
set -euo pipefail

run_dir=${1:?usage: look.sh RUN_DIR}
manifest=$run_dir/runpod_deploy_pull_manifest.json

runpod-deploy manifest-summary "$manifest"
echo
echo '== why'
python3 -c '
import json, sys
manifest = json.load(open(sys.argv[1]))
failure = manifest["failure"] or {"kind": "none", "phase": "-", "message": "the run did not fail"}
kind, phase, message = failure["kind"], failure["phase"], failure["message"]
print(f"{kind} in phase {phase}: {message} (status of the job: {manifest['"'job_exit_code'"']})")
' "$manifest"
echo
echo '== the last that happened'
runpod-deploy events "$run_dir" | tail -n 8
echo
echo '== the last lines of the job'
[[ -s $run_dir/run.log ]] && tail -n 8 "$run_dir/run.log"
