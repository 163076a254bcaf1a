"""The end of the secrets on a pod: removed, and looked for afterwards."""

from __future__ import annotations

from ..errors import CloudUnreachable, SshLost
from ..pod.shell import remove_files
from ..record.events import SecretsLeft, SecretsRemoved
from ..run import Run

REMOVE_TIMEOUT_S = 30.0


def remove_secrets(run: Run, timeout_s: float = REMOVE_TIMEOUT_S) -> None:
    """The secrets are off the pod, or the journal says which may not be."""
    written = [secret for secret in run.spec.job.secrets if secret.name in run.state.work.secrets]
    if not written:
        return
    names = tuple(secret.name for secret in written)
    try:
        reply = run.host.run(remove_files(secret.destination for secret in written), timeout_s=timeout_s)
    except (SshLost, TimeoutError, CloudUnreachable) as error:
        run.record(SecretsLeft(names=names, error=str(error)))
        return
    error_text = reply.stderr.decode(errors="replace").strip()
    run.record(SecretsLeft(names=names, error=error_text) if reply.exit_code else SecretsRemoved(names=names))
