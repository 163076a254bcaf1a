"""The secrets on a pod: written, and removed and looked for at the end."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ..errors import CloudUnreachable, SshLost, StagingFailed
from ..machine.env_file import read_env_file
from ..machine.limits import SECRET_BYTES
from ..machine.reading import read_limited
from ..pod.shell import remove_files, secret_text, write_file
from ..record.events import SecretsLeft, SecretsRemoved, SecretWritten
from ..run import Run
from ..spec import SecretSpec
from .check import local_path, missing_values
from .limits import enforce, remaining_s, run_limit
from .reconnect import with_reconnects

WRITE_TIMEOUT_S = 60.0
REMOVE_TIMEOUT_S = 30.0


def secrets(run: Run) -> None:
    """Each secret with a destination is on the pod with its mode. Raises StagingFailed."""
    write_each(run, (secret for secret in run.spec.job.secrets if secret.destination is not None))


def write_variables(run: Run) -> None:
    """Each secret without a destination is on the pod: setup has its variables already. Raises StagingFailed."""
    write_each(run, (secret for secret in run.spec.job.secrets if secret.destination is None))


def variables_of(run: Run) -> list[str]:
    """The files on the pod with the variables that every command gets."""
    return [s.path_on_pod(run.spec.run_id) for s in run.spec.job.secrets if s.destination is None]


def write_each(run: Run, secrets: Iterator[SecretSpec]) -> None:
    """These secrets are on the pod, unless the job has begun. Raises StagingFailed."""
    if run.state.job.pid is None:
        for secret in secrets:
            with_reconnects(run, f"secret {secret.name}", partial(write, run, secret), run_limit(run))


def write(run: Run, secret: SecretSpec) -> None:
    """The secret is on the pod. Its value travels on standard input only, so that no process list shows it."""
    value = value_of(run, secret)
    path = secret.path_on_pod(run.spec.run_id)
    try:
        command = write_file(path, secret.mode)
        reply = run.host.run(command, stdin=value, timeout_s=remaining_s(run, WRITE_TIMEOUT_S))
    except TimeoutError as error:
        enforce(run)
        raise unwritten(run, secret, f"it took longer than {WRITE_TIMEOUT_S:.0f} s") from error
    if reply.exit_code != 0:
        raise unwritten(run, secret, reply.stderr.decode(errors="replace").strip())
    run.record(SecretWritten(name=secret.name, destination=path, mode=secret.mode))


def unwritten(run: Run, secret: SecretSpec, reason: str) -> StagingFailed:
    """The error for a secret that is not on the pod."""
    hint = "check secrets[].destination in the config: its folder must be writable on the pod"
    return StagingFailed(
        f"secret {secret.name} could not be written to {secret.path_on_pod(run.spec.run_id)}: {reason}",
        hint=hint if secret.destination else "give it a `destination` in a folder that is writable on the pod",
    )


def value_of(run: Run, secret: SecretSpec) -> bytes:
    """The content of the secret's file on the pod. Raises StagingFailed if it is not here any more."""
    if missing := missing_values(run, secret):
        raise StagingFailed("; ".join(missing), hint="a run that is resumed needs its secrets again: put them in place")
    if secret.env_file is not None:
        return secret_text(read_env_file(local_path(run.spec, secret.env_file)).items())
    if secret.file is not None:
        return secret_in(local_path(run.spec, secret.file), secret)
    return secret_text((name, run.world.environ[name]) for name in secret.env)


def secret_in(path: Path, secret: SecretSpec) -> bytes:
    """The content of a secret's file here. Raises StagingFailed."""
    try:
        return read_limited(path, SECRET_BYTES)
    except OSError as error:
        raise StagingFailed(f"secret {secret.name}: {path} cannot be read: {error.strerror}") from error


def remove_secrets(run: Run, timeout_s: float = REMOVE_TIMEOUT_S) -> None:
    """The secrets are off the pod, or the journal says which may not be."""
    written = [secret for secret in run.spec.job.secrets if secret.name in run.state.work.secrets]
    if not written:
        return
    names = tuple(secret.name for secret in written)
    paths = [secret.path_on_pod(run.spec.run_id) for secret in written]
    try:
        reply = run.host.run(remove_files(paths), timeout_s=timeout_s)
    except (SshLost, TimeoutError, CloudUnreachable) as error:
        run.record(SecretsLeft(names=names, error=str(error)))
        return
    error_text = reply.stderr.decode(errors="replace").strip()
    run.record(SecretsLeft(names=names, error=error_text) if reply.exit_code else SecretsRemoved(names=names))
