"""This machine: its clock, processes, signals, files and git."""
