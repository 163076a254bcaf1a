#!/usr/bin/env bash
# A failure is counted, not died of; every run is waited for.
failed=0
for config in "$@"; do runpod-deploy run --config "$config" & done
for config in "$@"; do wait -n || failed=$((failed + 1)); done
echo "$# runs waited for"
((failed == 0))
