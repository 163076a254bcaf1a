"""A cloud on disk, and the folders of simulators on this machine."""
