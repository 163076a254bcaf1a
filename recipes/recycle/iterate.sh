#!/usr/bin/env bash
# Runs the config again on the same pod whenever you press Enter. q and Enter ends the script and deletes the pod.
#
#   ./iterate.sh job.yaml [FLAG...]
set -uo pipefail

config=${1:?usage: iterate.sh CONFIG [FLAG...]}
shift
state=$(dirname "$config")/pod.json

finish() { [[ ! -e $state ]] || runpod-deploy cleanup --state-file "$state" --mode delete --yes; }
trap finish EXIT

answer=''
while [[ $answer != q ]]; do
  runpod-deploy run --config "$config" "$@" || echo "exit code $?" >&2
  read -r -p 'Enter: run again; q: end and delete the pod > ' answer || break
done
