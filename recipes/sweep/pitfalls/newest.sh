#!/usr/bin/env bash
# Takes the folder that the run itself has named.
run_dir=$(runpod-deploy run --config "$1" --var seed=first --print-run-dir | sed -n 's/^RUN_DIR=//p')
runpod-deploy run --config "$1" --var seed=next & # the slot is free
sleep 1
echo "first: $run_dir"
wait
