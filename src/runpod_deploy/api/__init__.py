"""The public Python API, a thin layer over the rest. `runpod_deploy` itself offers all these names."""
