"""What would surprise a user of a valid config: looks at files, the catalogue and the registry, and only warns.

Each scan takes a draft and returns findings; none changes anything. Knows nothing of runs.
"""
