"""The older API."""
