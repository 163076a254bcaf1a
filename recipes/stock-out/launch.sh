#!/usr/bin/env bash
# Runs a job if its GPUs are in stock; if not, says what is, and what can be done. Exits as the run, or with 3.
#
#   ./launch.sh job.yaml [FLAG...]
set -uo pipefail

config=${1:?usage: launch.sh CONFIG [FLAG...]}
shift

runpod-deploy gpu-inventory --config "$config"
code=$?
if ((code == 0)); then
  runpod-deploy run --config "$config" "$@" # stock may be gone by now: then this ends with 3 as well
  code=$?
fi
((code == 3)) || exit "$code"

cat >&2 <<MENU

No GPU of pod.gpu_order is in stock in pod.datacenters. Four ways out:
  wait    runpod-deploy run --config $config --wait-for-stock 2h
  widen   add GPUs or datacenters to $config; the lists above show what is free
  switch  runpod-deploy run --config $config --fallback-cloud-type COMMUNITY
  defer   try again tonight: a driver sees exit code 3 and knows that it may
MENU
exit 3
