#!/usr/bin/env bash
# BROKEN. The first failure makes `wait -n` fail, and -e ends the script, so nothing waits for the other runs.
set -e
for config in "$@"; do runpod-deploy run --config "$config" & done
for config in "$@"; do wait -n; done
echo "$# runs waited for"
