"""Looks beyond a config itself."""
