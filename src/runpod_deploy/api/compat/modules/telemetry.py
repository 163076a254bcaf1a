"""`runpod_deploy.telemetry` of the earlier tool."""

from runpod_deploy.api.compat.modules import moved
from runpod_deploy.api.compat.session import TelemetrySession, start_session

__all__ = ["TelemetrySession", "start_session"]

moved("runpod_deploy.telemetry")
