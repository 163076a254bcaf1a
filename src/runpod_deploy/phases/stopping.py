"""How a run stops its job. Knows the host and the journal; decides nothing."""

from __future__ import annotations

from ..errors import StagingFailed
from ..money import STOP_GRACE_S
from ..record.events import StopFailed
from ..run import Run
from .reconnect import with_reconnects


def stop_on_pod(run: Run) -> bool:
    """Whether no process of the job is left.

    A pod that cannot stop its job, because the job has broken it or hides from us, is an event and not an error: the
    results are pulled and the pod is released all the same, which ends every process. Raises SshLost, PodKilled.
    """
    try:
        with_reconnects(run, "stopping the job", lambda: run.host.stop_job(STOP_GRACE_S), None)
    except StagingFailed as error:
        run.record(StopFailed(error=error.message))
        return False
    return True
