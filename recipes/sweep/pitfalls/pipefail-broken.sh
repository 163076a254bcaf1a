#!/usr/bin/env bash
# BROKEN. Always exits with 0: the exit code of the pipe is that of `tee`.
runpod-deploy run --config "$1" 2>&1 | tee run.log
