"""The phases of a run: each looks, acts and records, and running it twice is the same as running it once."""
