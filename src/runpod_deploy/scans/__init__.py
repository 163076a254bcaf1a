"""Checks of a valid config against the world: local files, RunPod's catalogue and the image registry.

Each scan takes a draft and returns findings; none changes anything. Knows nothing of runs.
"""
