#!/usr/bin/env bash
# Exits as the run: with pipefail, a pipe fails if any part of it fails.
set -o pipefail
runpod-deploy run --config "$1" 2>&1 | tee run.log
