"""Runs as one HTML page without external files. Pure: details in, text out."""
