"""Pods as containers on this machine: processes, files, and an SSH server each.

supervisor   one pod: boots it, keeps its container running, ends it
container    the files, PID 1 and environment of a pod's container
sandbox      a container made of Linux namespaces, with util-linux and podroot/sandbox.sh
sshd         the SSH server of one pod; session: one command or shell in it
pace         how long each step of a boot takes
podroot/     start script and nvidia-smi, copied into pods
"""
