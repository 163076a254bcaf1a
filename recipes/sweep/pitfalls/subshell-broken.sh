#!/usr/bin/env bash
# BROKEN. Always exits with 0: a function in the background runs in a subshell, and its list ends with it.
failed=()
shard() { runpod-deploy run --config "$1" || failed+=("$1"); }
for config in "$@"; do shard "$config" & done
wait
echo "failed: ${#failed[@]}"
((${#failed[@]} == 0))
