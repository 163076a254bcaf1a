#!/usr/bin/env bash
# Deletes the pod of a run, with its disk, when you have seen enough.
#
#   ./release.sh RUN_DIR
set -euo pipefail

run_dir=${1:?usage: release.sh RUN_DIR}
state=$(mktemp)
trap 'rm -f "$state"' EXIT
# `cleanup` takes a state file: a JSON object that names a pod. The manifest of a run is one.
cp "$run_dir/runpod_deploy_pull_manifest.json" "$state"
runpod-deploy cleanup --state-file "$state" --mode delete --yes
