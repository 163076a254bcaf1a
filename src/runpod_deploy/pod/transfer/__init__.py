"""Uploads to the pod and downloads from it over SSH. Knows tar and rsync; knows nothing of runs."""
