"""Shell text for the pod, made of the spec. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from ..spec import RemoteEnvSpec, RunpodJobSpec, SecretSpec


def environment(env: RemoteEnvSpec) -> str:
    """Lines that source those files that exist and export what they set, and then export the variables."""
    lines = [source(path) for path in env.source_files]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in env.exports.items()]
    return "".join(f"{line}\n" for line in lines)


def source(path: str) -> str:
    """A line that sources a file if it exists and exports what it sets; it never fails."""
    file = quoted_path(path)
    return f"if [ -f {file} ]; then set -a; . {file} || true; set +a; fi"


def quoted_path(path: str) -> str:
    """The path as one shell word; a leading `~/` still means the home folder."""
    if path.startswith("~/"):
        return f'"$HOME"/{shlex.quote(path[2:])}'
    return shlex.quote(path)


def command(text: str, env: RemoteEnvSpec | None) -> str:
    """A setup or preflight command, with the environment before it if the command wants it."""
    return (environment(env) if env else "") + text


def job_script(job: RunpodJobSpec) -> bytes:
    """The job's script: environment, secrets, and then the body, unchanged."""
    secrets = "".join(source(secret.destination) + "\n" for secret in job.secrets if secret.env)
    preamble = "#!/usr/bin/env bash\n" + environment(job.remote_env) + secrets
    return (preamble + job.run.body).encode()


def secret_text(values: Iterable[tuple[str, str]]) -> bytes:
    """`NAME='value'` lines that are safe to source whatever the values are."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values).encode()


def write_file(secret: SecretSpec) -> str:
    """A command that writes its stdin to the secret's path with its mode; other users can never read it."""
    path, draft = quoted_path(secret.destination), quoted_path(secret.destination + ".part")
    return (
        f'umask 077 && mkdir -p -- "$(dirname -- {path})" && cat > {draft}'
        f" && chmod {secret.mode} {draft} && mv -f -- {draft} {path}"
    )


def remove_files(paths: Iterable[str]) -> str:
    """A command that removes these files."""
    return "rm -f -- " + " ".join(quoted_path(path) for path in paths)
