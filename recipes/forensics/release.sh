#!/usr/bin/env bash
# Ends the pod of a run for good, once you have seen enough. Its disk goes with it.
#
#   ./release.sh RUN_DIR
set -euo pipefail

run_dir=${1:?usage: release.sh RUN_DIR}
state=$(mktemp)
trap 'rm -f "$state"' EXIT
# `cleanup` takes a state file: a JSON object that names a pod. The manifest of a run is one.
cp "$run_dir/runpod_deploy_pull_manifest.json" "$state"
runpod-deploy cleanup --state-file "$state" --mode delete --yes
