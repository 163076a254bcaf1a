"""Runs read back from their folders: those of this tool and of older ones. Only `billing` writes to them."""
