#!/usr/bin/env bash
# The shell that waits keeps the list, and each run gives it only an exit code.
failed=()
declare -A config_of=()
for config in "$@"; do
  runpod-deploy run --config "$config" &
  config_of[$!]=$config
done
for pid in "${!config_of[@]}"; do wait "$pid" || failed+=("${config_of[$pid]}"); done
echo "failed: ${#failed[@]}"
((${#failed[@]} == 0))
