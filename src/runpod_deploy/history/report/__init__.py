"""Runs as one HTML page that needs nothing else. Pure: details in, text out."""
