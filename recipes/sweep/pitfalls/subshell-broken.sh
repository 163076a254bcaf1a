#!/usr/bin/env bash
# BROKEN. Always ends with 0: a function in the background is a subshell, and its list dies with it.
failed=()
shard() { runpod-deploy run --config "$1" || failed+=("$1"); }
for config in "$@"; do shard "$config" & done
wait
echo "failed: ${#failed[@]}"
((${#failed[@]} == 0))
