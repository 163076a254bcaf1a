#!/usr/bin/env bash
# Takes the folder that the run itself named.
root=$(dirname "$1")/artifacts/runpod
run_dir=$(runpod-deploy run --config "$1" --var seed=first --print-run-dir | sed -n 's/^RUN_DIR=//p')
runpod-deploy run --config "$1" --var seed=next & # the slot is free
until [[ $(find "$root" -name spec.json | wc -l) -gt 1 ]]; do sleep 0.1; done
echo "first: $run_dir"
wait
