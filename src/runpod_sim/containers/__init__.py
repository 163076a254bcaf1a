"""Pods as containers on this machine: processes, files, and an SSH server each."""
