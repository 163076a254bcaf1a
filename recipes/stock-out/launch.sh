#!/usr/bin/env bash
# Runs a job if one of its GPUs is in stock. If not, shows which GPUs are, and what you can do. Exits as the run, or with 3.
#
#   ./launch.sh job.yaml [FLAG...]
set -uo pipefail

config=${1:?usage: launch.sh CONFIG [FLAG...]}
shift

runpod-deploy gpu-inventory --config "$config"
code=$?
if ((code == 0)); then
  runpod-deploy run --config "$config" "$@" # if the stock is gone by now, this also ends with 3
  code=$?
fi
((code == 3)) || exit "$code"

cat >&2 <<MENU

No GPU of pod.gpu_order is in stock in pod.datacenters. Four ways out:
  wait    runpod-deploy run --config $config --wait-for-stock 2h
  widen   add GPUs or datacenters to $config; the lists above show what is free
  switch  runpod-deploy run --config $config --fallback-cloud-type COMMUNITY
  defer   try again later: exit code 3 tells a script that another try may help
MENU
exit 3
