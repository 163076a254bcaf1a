"""A simulator of the RunPod cloud: its API, its pods, its failures and its bill."""
