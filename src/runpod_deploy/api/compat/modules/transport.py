"""`runpod_deploy.transport` of the earlier tool."""

from runpod_deploy.api import RemoteRunError, RemoteRunner, rsync_argv
from runpod_deploy.api.compat.modules import moved
from runpod_deploy.api.compat.remote import RsyncTransfer, log_cmd

__all__ = ["RemoteRunError", "RemoteRunner", "RsyncTransfer", "log_cmd", "rsync_argv"]

moved("runpod_deploy.transport")
