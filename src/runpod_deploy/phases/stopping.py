"""How a run stops its job. Knows the host and the journal; decides nothing."""

from __future__ import annotations

from ..errors import StagingFailed
from ..machine.clock import within
from ..money import STOP_GRACE_S, stopping_s
from ..record.events import StopFailed
from ..run import Run
from .limits import begin_closing, never
from .reconnect import with_reconnects

# A job that ignores TERM takes ten seconds, and a busy machine here or there some more.
AT_LEAST_S = 30.0


def stop_on_pod(run: Run) -> bool:
    """Whether no process of the job is left.

    A pod that cannot stop its job, because the job has broken it or hides from us, is an event and not an error: the
    results are pulled and the pod is released all the same, which ends every process. Raises SshLost, PodKilled.
    """
    begin_closing(run)
    try:
        with within(run.world.clock, max(AT_LEAST_S, stopping_s(run.spec.job.budget)), "stopping the job"):
            with_reconnects(run, "stopping the job", lambda: run.host.stop_job(STOP_GRACE_S), never)
    except (StagingFailed, TimeoutError) as error:
        run.record(StopFailed(error=str(error)))
        return False
    return True
