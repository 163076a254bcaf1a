"""Shell text for the pod, made of the spec. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from ..spec import RemoteEnvSpec, RunpodJobSpec

TELL_SOURCE = "{{ echo {} >&6; }} 2>/dev/null"
"""A line that tells through file 6 which file is sourced next: a file that ends the shell is found out by that."""
TELL_BODY = "{ echo body >&6; } 2>/dev/null; exec 6>&-"
"""A line that tells that all files were sourced."""

PROVEN = """\
rd_pipe=$(mktemp -u) && mkfifo -m 600 "$rd_pipe" && exec 6<>"$rd_pipe" && rm -f "$rd_pipe" || exit 125
(
{preamble}{body}
eval {text}
)
rd_code=$? rd_at=''
echo end >&6
while read -r rd_line <&6; do
    case $rd_line in body) exit "$rd_code" ;; end) break ;; *) rd_at=$rd_line ;; esac
done
echo "the command did not begin: $rd_at ended its shell with exit code $rd_code" >&2
[ "$rd_code" -ne 0 ] || rd_code=97
exit "$rd_code"
"""
"""A command whose environment may end its shell: then the command has failed, whatever the exit code is."""


def environment(env: RemoteEnvSpec) -> str:
    """Lines that source those files that exist and export what they set, and then export the variables."""
    lines = [source(path) for path in env.source_files]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in env.exports.items()]
    return "".join(f"{line}\n" for line in lines)


def source(path: str) -> str:
    """A line that sources a file if it exists and exports what it sets. The shell's own options stay as they are."""
    file, told = quoted_path(path), TELL_SOURCE.format(shlex.quote(path))
    return (
        f"if [ -f {file} ]; then {told}; rd_options=$(set +o); set -a; . {file} || true; set +a; "
        'eval "$rd_options"; unset rd_options; fi'
    )


def presets(python: str | None) -> str:
    """Variables that a job has unless the image or the config sets them: output at once, and the pinned Python."""
    pinned = f'export UV_PYTHON="${{UV_PYTHON-{python}}}"\n' if python else ""
    return 'export PYTHONUNBUFFERED="${PYTHONUNBUFFERED-1}"\n' + pinned


def quoted_path(path: str) -> str:
    """The path as one shell word; a leading `~/` still means the home folder."""
    if path.startswith("~/"):
        return f'"$HOME"/{shlex.quote(path[2:])}'
    return shlex.quote(path)


def command(text: str, env: RemoteEnvSpec | None, python: str | None = None, secrets: Iterable[str] = ()) -> str:
    """A setup or preflight command, with the environment before it if the command wants it, and files of secrets."""
    sourced = "".join(f"{source(path)}\n" for path in secrets)
    preamble = presets(python) + (environment(env) if env else "") + sourced
    if not sourced and (env is None or not env.source_files):
        return preamble + text
    return PROVEN.format(preamble=preamble, body=TELL_BODY, text=shlex.quote(text))


def job_script(job: RunpodJobSpec, run_id: str) -> bytes:
    """The job's script: environment, secrets, and then the body, unchanged."""
    secrets = "".join(f"{source(secret.path_on_pod(run_id))}\n" for secret in job.secrets if secret.variables)
    preamble = presets(job.pod.python_version) + environment(job.remote_env) + secrets
    return (f"#!/usr/bin/env bash\n{preamble}{TELL_BODY}\n" + job.run.body).encode()


def secret_text(values: Iterable[tuple[str, str]]) -> bytes:
    """`NAME='value'` lines that are safe to source whatever the values are."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values).encode()


IN_MEMORY = "/dev/shm/runpod-deploy."
"""The start of the paths of secrets that are kept in memory."""

WRITE_FILE = """\
umask 077
file={file}
mkdir -p -- "$(dirname -- "$file")" || exit 1
old=$(readlink -- "$file")
place=$(mktemp {memory}XXXXXX 2>/dev/null)
[ "$(stat -f -c %T -- "$place" 2>/dev/null)" = tmpfs ] || {{ rm -f -- "$place"; place=; }}
draft=${{place:-$file.part}}
if cat >"$draft" && chmod {mode} "$draft" && {{ [ -z "$place" ] || ln -sf -- "$place" "$file.part"; }} &&
    mv -f -- "$file.part" "$file"
then case $old in {memory}*) rm -f -- "$old" ;; esac
else rm -f -- "$draft" "$file.part"; exit 1
fi
"""

REMOVE_FILES = """\
left=
for file in {files}; do
    place=$(readlink -- "$file")
    case $place in {memory}*) rm -f -- "$place" ;; *) place= ;; esac
    rm -f -- "$file" "$file.part"
    for path in "$file" "$file.part" "$place"; do
        [ ! -e "$path" ] && [ ! -L "$path" ] || left="$left $path"
    done
done
[ -z "$left" ] || {{ echo "still there:$left" >&2; exit 1; }}
"""


LIST_COMMANDS = """\
for p in $(ls /proc | grep '^[0-9]' | sort -rn); do
    mark=$(tr '\\0' '\\n' <"/proc/$p/environ" | sed -n 's/^RUNPOD_DEPLOY_COMMAND=//p')
    [ -n "$mark" ] && [ "$mark" != "$RUNPOD_DEPLOY_COMMAND" ] || continue
    words=$(tr '\\0\\n' '  ' <"/proc/$p/cmdline" | cut -c 1-120)
    case $words in '' | *RUNPOD_DEPLOY_TEXT*) ;; *) echo "$p $words" ;; esac
done 2>/dev/null | head -n 5
"""
"""A command that lists the newest processes of the other commands that run on the pod."""


def write_file(path: str, mode: str) -> str:
    """A command that writes its stdin to this path of a secret with this mode; other users can never read it.

    The content is in memory if the pod has a place for that, and the path is a link to it: a stop of the pod ends it.
    """
    return WRITE_FILE.format(file=quoted_path(path), memory=IN_MEMORY, mode=mode)


def remove_files(paths: Iterable[str]) -> str:
    """A command that removes these files, and fails if one is still there."""
    return REMOVE_FILES.format(files=" ".join(quoted_path(path) for path in paths), memory=IN_MEMORY)
