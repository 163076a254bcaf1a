#!/usr/bin/env bash
# BROKEN. Ends with 0 whatever the run says: a pipe has the exit code of `tee`.
runpod-deploy run --config "$1" 2>&1 | tee run.log
