"""Pods as containers on this machine: processes, files, and an SSH server each.

supervisor   one pod: boots it, keeps its container running, ends it
container    the files, PID 1 and environment of a pod's container
sandbox      a container made of Linux namespaces, with util-linux and podroot/sandbox.sh
sockets      sockets inside containers, made by the process socket_helper
ports        the machine's ports that lead to a pod's
sshd         the SSH server of one pod; session: one command or shell in it, as one of children;
             forwarding: its -L, -R and agents;
             sftp: its files, where the machine has no sftp-server
pace         how long each step of a boot takes
podroot/     start script and nvidia-smi, copied into pods
"""
