"""The config front."""
