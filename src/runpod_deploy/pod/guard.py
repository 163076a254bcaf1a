"""The guard's terms, and the ways to start it: in the container's command, or over SSH.

Knows the words of scripts/guard.sh; knows no SSH and no API.
"""

from __future__ import annotations

import base64
from datetime import datetime
from shlex import quote

from . import scripts
from .job import JobPaths
from .protocol import GuardTerms

OWN_START = {"runpod/": "/start.sh"}
"""Start scripts of known images. runpod/containers: container-template/start.sh, seen 2026."""

BOOT = (
    'd=$RUNPOD_DEPLOY_DIR; mkdir -p "$d"; printf %s "$RUNPOD_DEPLOY_GUARD" | base64 -d >"$d/guard-boot.sh"; '
    'setsid sh "$d/guard-boot.sh" "$d" </dev/null >/dev/null 2>&1 & exec '
)
"""The guard comes first, so that it covers whatever may fail or hang after it."""

ARMED_WITHIN_S = 5
DISARMED, RESTING = "disarmed", "rest"


def start_command(image: str, own: str | None) -> tuple[str, ...]:
    """Exec form of a container command that starts the guard, then what the image or the user starts.

    Empty where the image's own start is not known: the guard is then armed over SSH.
    """
    known = next((script for prefix, script in OWN_START.items() if image.startswith(prefix)), None)
    if own:
        return ("sh", "-c", f"{BOOT}sh -c {quote(own)}")
    return ("sh", "-c", BOOT + known) if known else ()


def pod_env(control_dir: str, deadline_at: datetime, *, idle_s: int, on_failure: str) -> dict[str, str]:
    """Variables of the container that give the guard its first terms, and its text. No secret among them."""
    return {
        "RUNPOD_DEPLOY_RUN_ID": control_dir.rsplit("/", 1)[-1],
        "RUNPOD_DEPLOY_DIR": control_dir,
        "RUNPOD_DEPLOY_DEADLINE": str(int(deadline_at.timestamp())),
        "RUNPOD_DEPLOY_IDLE_S": str(idle_s),
        "RUNPOD_DEPLOY_ON_FAILURE": on_failure,
        "RUNPOD_DEPLOY_GUARD": base64.b64encode(scripts.text("guard.sh").encode()).decode(),
    }


def terms_text(terms: GuardTerms, now: datetime) -> str:
    """The terms as the guard reads them."""
    rows = {
        "now": int(now.timestamp()),
        "deadline": int(terms.deadline_at.timestamp()),
        "idle_s": terms.idle_s,
        "started": terms.on_failure,
        "unstarted": "delete",
        "api": terms.api_base_url.rstrip("/"),
    }
    return "".join(f"{name} {value}\n" for name, value in rows.items())


def arm_command(paths: JobPaths) -> str:
    """Takes terms on stdin, starts the guard if none lives, and succeeds once it has proved that it does.

    The proof: it has repeated the terms, and the API has answered to the pod's key. Else its last words are printed.
    """
    guard, control = quote(f"{paths.control_dir}/guard"), quote(paths.control_dir)
    return f"""g={guard}; umask 077; mkdir -p "$g" && cat >"$g/terms.new" && mv "$g/terms.new" "$g/terms" || exit 1
rm -f "$g/{DISARMED}" "$g/{RESTING}"
pid=$(cat "$g/pid" 2>/dev/null)
if ! tr '\\0' '\\n' <"/proc/${{pid:-none}}/cmdline" 2>/dev/null | grep -qxF {control}; then
    setsid sh {quote(paths.tool("guard.sh"))} {control} </dev/null >/dev/null 2>&1 &
fi
n=0
while [ "$n" -lt {ARMED_WITHIN_S * 10} ]; do
    cmp -s "$g/terms" "$g/armed" && [ -e "$g/proof" ] && exit 0
    n=$((n + 1)); sleep 0.1
done
if cmp -s "$g/terms" "$g/armed"; then tail -n 1 "$g/log"; else echo 'it does not run'; fi
exit 1"""


def disarm_command(paths: JobPaths, *, from_next_start: bool) -> str:
    """Leaves the guard idle until it is armed again; at once, or only once the container has been started anew."""
    marker = RESTING if from_next_start else DISARMED
    return f"[ ! -d {quote(paths.control_dir)}/guard ] || : >{quote(paths.control_dir)}/guard/{marker}"
