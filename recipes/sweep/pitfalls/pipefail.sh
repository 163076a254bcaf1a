#!/usr/bin/env bash
# Ends as the run ends: with pipefail a pipe fails if any part of it does.
set -o pipefail
runpod-deploy run --config "$1" 2>&1 | tee run.log
