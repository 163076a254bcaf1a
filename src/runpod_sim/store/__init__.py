"""A cloud on disk.

folders   locks on simulators' folders; clean-up after simulators that were killed
state     save the cloud as JSON; load it
"""
