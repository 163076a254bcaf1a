"""The guard's terms, and the two ways to start it: in the container's command, or over SSH.

Knows the files and variables of scripts/guard.sh; knows no SSH and no API.
"""

from __future__ import annotations

import base64
import gzip
from datetime import datetime
from shlex import quote

from . import scripts
from .job import JobPaths
from .protocol import GuardTerms

KNOWN_START_SCRIPTS = {"runpod/": "/start.sh"}
"""Start scripts by the prefix of the image (runpod/containers: container-template/start.sh, seen 2026)."""

START = (
    'unset RUNPOD_DEPLOY_COMMAND; export G RUNPOD_DEPLOY_DIR; RUNPOD_DEPLOY_ROLE="guard ${RUNPOD_DEPLOY_DIR##*/}@" '
    "setsid sh -c 'eval \"$G\"' guard.sh </dev/null >/dev/null 2>&1 & "
)
"""Shell text that starts the guard, whose text is in the variable G: neither files nor arguments give it away."""

BOOT = f'G=$(printf %s "$RUNPOD_DEPLOY_GUARD" | base64 -d | gzip -d); {START}unset G; exec '
"""Shell text that starts the guard. It comes first, so that the guard covers all that may fail or hang later."""

ARM_TIMEOUT_S = 5
IDLE_S = 3600
"""After this time the guard releases a pod whose job has ended or never began, if no process of ours came for it."""
NOT_INSTALLED = 3
"""The exit code of arming if the scripts could not be put on the pod."""
DISARMED, RESTING = "disarmed", "rest"


def start_command(image: str, own: str | None) -> tuple[str, ...]:
    """The container command, in exec form, that starts the guard and then the command of the image or the user.

    Empty if the start script of the image is not known: the guard is then started over SSH.
    """
    known = next((script for prefix, script in KNOWN_START_SCRIPTS.items() if image.startswith(prefix)), None)
    if own:
        return ("sh", "-c", f"{BOOT}sh -c {quote(own)}")
    return ("sh", "-c", BOOT + known) if known else ()


def pod_env(control_dir: str, terms: GuardTerms) -> dict[str, str]:
    """The container's variables with the guard's first terms and its script. None of them is secret."""
    return {
        "RUNPOD_DEPLOY_RUN_ID": control_dir.rsplit("/", 1)[-1],
        "RUNPOD_DEPLOY_DIR": control_dir,
        "RUNPOD_DEPLOY_DEADLINE": str(int(terms.deadline_at.timestamp())),
        "RUNPOD_DEPLOY_IDLE_S": str(terms.idle_s),
        "RUNPOD_DEPLOY_ON_FAILURE": terms.on_failure,
        "RUNPOD_DEPLOY_GUARD": packed(scripts.program("guard.sh")),
    }


def packed(text: str) -> str:
    """The text, short enough for a variable, as `base64 -d | gzip -d` unpacks it. The same text packs the same way."""
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def terms_text(terms: GuardTerms, now: datetime) -> str:
    """The terms in the format of the guard's terms file."""
    rows = {
        "now": int(now.timestamp()),
        "deadline": int(terms.deadline_at.timestamp()),
        "idle_s": terms.idle_s,
        "ended_s": terms.idle_s if terms.ended_s is None else terms.ended_s,
        "started": terms.on_failure,
        "unstarted": "delete",
        "api": terms.api_base_url.rstrip("/"),
    }
    secrets = "".join(f"secret {path}\n" for path in terms.secrets)
    return "".join(f"{name} {value}\n" for name, value in rows.items()) + secrets


def arm_command(paths: JobPaths, terms_bytes: int, install: str) -> str:
    """A command that reads terms on stdin, starts the guard if none runs, and succeeds once it has accepted them.

    The rest of stdin is for `install`, which puts the scripts on the pod: with both in one command, a pod that is far
    away needs one answer less. The guard has accepted the terms when it has copied them and the API has accepted the
    pod's key. Otherwise the last line of the guard's log is printed.
    """
    guard, control, text = (quote(part) for part in (f"{paths.control_dir}/guard", paths.control_dir, program(paths)))
    role = quote(f"RUNPOD_DEPLOY_ROLE=guard {paths.process_tag}")
    # dd reads not a byte more; the head of busybox would.
    return f"""g={guard}; umask 077; mkdir -p "$g" && dd bs=1 count={terms_bytes} >"$g/terms.new" 2>/dev/null || exit 1
({install}) || exit {NOT_INSTALLED}
mv "$g/terms.new" "$g/terms" || exit 1
rm -f "$g/{DISARMED}" "$g/{RESTING}"
first=$(tr '\\0' '\\n' 2>/dev/null </proc/1/environ | sed -n 's/^RUNPOD_DEPLOY_DIR=//p')
[ -z "$first" ] || {{ mkdir -p "$first/guard" && echo {control} >"$first/guard/successor"; }}
is_guard() {{ tr '\\0' '\\n' <"/proc/${{1:-none}}/environ" | grep -qxF {role}; }} 2>/dev/null
runs=$(cat "$g/pid" 2>/dev/null)
if ! is_guard "$runs"; then
    runs=''
    for p in /proc/[0-9]*; do ! is_guard "${{p#/proc/}}" || runs=$p; done
fi
if [ -z "$runs" ]; then
    G=$(cat {text}) RUNPOD_DEPLOY_DIR={control}
    {START}
else
    # A guard that sleeps looks at its terms when its sleep is ended; otherwise it would within a second.
    sed -n "s/^\\([0-9]*\\) (sleep) [^Z] ${{runs##*/}} .*/\\1/p" /proc/[0-9]*/stat | xargs kill -KILL
fi 2>/dev/null
n=0
while [ "$n" -lt {ARM_TIMEOUT_S * 20} ]; do
    cmp -s "$g/terms" "$g/armed" && [ -e "$g/proof" ] && exit 0
    n=$((n + 1)); sleep 0.05
done
if cmp -s "$g/terms" "$g/armed"; then tail -n 1 "$g/log"; else echo 'it does not run'; fi
exit 1"""


def program(paths: JobPaths) -> str:
    """The path of the installed guard."""
    return paths.tool("guard.sh")


def disarm_command(paths: JobPaths, *, from_next_start: bool) -> str:
    """A command that makes the guard idle until it is armed again: at once, or from the container's next start."""
    marker = RESTING if from_next_start else DISARMED
    return f"[ ! -d {quote(paths.control_dir)}/guard ] || : >{quote(paths.control_dir)}/guard/{marker}"
