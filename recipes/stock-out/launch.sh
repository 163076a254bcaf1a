#!/usr/bin/env bash
# Runs a job if its GPUs are in stock; if not, says what is, and what can be done. Exits 3 then.
#
#   ./launch.sh job.yaml [FLAG...]
set -uo pipefail

config=${1:?usage: launch.sh CONFIG [FLAG...]}
shift

if runpod-deploy gpu-inventory --config "$config"; then
  exec runpod-deploy run --config "$config" "$@"
fi

cat >&2 <<MENU

Nothing of pod.gpu_order is in stock in pod.datacenters. Four ways out:
  wait    runpod-deploy run --config $config --wait-for-stock 2h
  widen   add GPUs or datacenters to $config; the lists above show what is free
  switch  runpod-deploy run --config $config --fallback-cloud-type COMMUNITY
  defer   try again tonight: a driver sees exit code 3 and knows that it may
MENU
exit 3
