#!/usr/bin/env bash
# Counts a failure and goes on, and waits for every run.
failed=0
for config in "$@"; do runpod-deploy run --config "$config" & done
for config in "$@"; do wait -n || failed=$((failed + 1)); done
echo "$# runs waited for"
((failed == 0))
