#!/usr/bin/env bash
# The one that waits keeps the list; a shard only hands over its exit code.
failed=()
declare -A config_of=()
for config in "$@"; do
  runpod-deploy run --config "$config" &
  config_of[$!]=$config
done
for pid in "${!config_of[@]}"; do wait "$pid" || failed+=("${config_of[$pid]}"); done
echo "failed: ${#failed[@]}"
((${#failed[@]} == 0))
