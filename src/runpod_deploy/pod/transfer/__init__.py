"""Files between here and the pod, over the run's one connection. Knows tar and rsync; knows nothing of runs."""
