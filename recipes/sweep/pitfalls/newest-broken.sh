#!/usr/bin/env bash
# BROKEN. Takes the newest folder for the folder of the run that just ended, but the next run has already begun.
root=$(dirname "$1")/artifacts/runpod
runpod-deploy run --config "$1" --var seed=first
runpod-deploy run --config "$1" --var seed=next & # the slot is free
until [[ $(find "$root" -name spec.json | wc -l) -gt 1 ]]; do sleep 0.1; done
# shellcheck disable=SC2012 # the point of this file
echo "first: $(ls -td "$root"/*/ | head -n 1)"
wait
