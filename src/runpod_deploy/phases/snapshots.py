"""Snapshots of the pod, kept beside the journal: its GPUs, its description, its software.

Knows what to ask for and where to keep it. Never ends a run. The pod bills while it answers: all that is asked at one
time is one command.
"""

from __future__ import annotations

from collections.abc import Callable
from shlex import quote
from typing import Any

from ..cloud.pod_labels import LABELS
from ..cloud.values import Pod
from ..machine.files import write_atomically
from ..pod import scripts
from ..pod.shell import command as shell_text
from ..record.events import RemoteEnvSeen, SnapshotFailed
from ..run import Run
from ..spec.strict_json import dumps, loads

TIMEOUT_S = 15.0
PART_S = 6
# The most that is kept of each output.
PART_BYTES = 262_144
SEPARATOR = "--8<-- runpod-deploy --8<--"
DMESG_LINES = 200
REMOTE_ENV, PYTHON, SAMPLE = "remote_env.json", "python", "sample"
PARTS = {REMOTE_ENV, PYTHON, SAMPLE, "nvidia_smi_start.txt", "nvidia_smi_end.txt", "dmesg_tail.txt", "pip_freeze.txt"}
"""The names that a part may have. The pod prints them, so any other is a stranger's."""
# The boot has just looked at the pod, so that a listing of this age is good enough.
FRESH_S = 10.0

# Prints a line with the name of the part and then the output of a program, whatever its exit status; nothing if there
# is no such program.
PART = f"""part() {{
    command -v "$2" >/dev/null || return 0
    printf '\\n%s %s\\n' '{SEPARATOR}' "$1"; shift
    timeout {PART_S} "$@" 2>&1 </dev/null | head -c {PART_BYTES}
}}
"""
# In the background: a slow disk must not keep the job waiting.
FREEZE = """: >%s.part; setsid sh -c '
    { pip freeze || python3 -m pip freeze || uv pip freeze; } >"$0.part" && mv "$0.part" "$0" || rm -f "$0.part"' \\
    %s </dev/null >/dev/null 2>&1 &"""
# The end of a short job waits this long for it, in twentieths of a second.
FREEZE_TWENTIETHS = 120


def at_start(run: Run) -> None:
    """The snapshots of a pod that has just booted are here, as far as the pod answers.

    Where nothing is installed before the job, `before_job` takes those of the pod's inside.
    """
    switches = run.spec.job.telemetry
    if not switches.enabled or run.state.job.pid is not None:
        return
    if is_set_up(run):
        take(run, parts_at_start(run))
    if switches.capture_pod_describe and not (run.dir.path / "pod_describe_start.json").exists():
        describe(run, "pod_describe_start.json", max_age_s=FRESH_S)


def is_set_up(run: Run) -> bool:
    """Whether commands of the config change the pod before the job."""
    job = run.spec.job
    return bool(job.setup or job.preflight or job.pod.python_version)


def parts_at_start(run: Run) -> list[str]:
    """The commands for those of the first snapshots that are not here yet."""
    switches, parts = run.spec.job.telemetry, []
    if switches.capture_nvidia_smi and not (run.dir.path / "nvidia_smi_start.txt").exists():
        parts.append("part nvidia_smi_start.txt nvidia-smi")
    if switches.capture_remote_env and not (run.dir.path / REMOTE_ENV).exists():
        parts.append(f"part {REMOTE_ENV} uname -a; part {PYTHON} python3 --version")
    return parts


def before_job(run: Run) -> None:
    """The pod is writing a list of its installed packages, which `at_end` fetches."""
    switches = run.spec.job.telemetry
    if not switches.enabled or run.state.job.pid is not None:
        return
    parts = [] if is_set_up(run) else parts_at_start(run)
    if switches.capture_remote_env:
        path = freeze_path(run)
        parts.append(f"({shell_text(FREEZE % (path, path), run.spec.job.remote_env)}) >/dev/null 2>&1")
    take(run, parts)


def freeze_path(run: Run) -> str:
    """The path of the list of installed packages on the pod, as one shell word."""
    return quote(f"/tmp/runpod-deploy-{run.spec.run_id}.pip_freeze")


def at_end(run: Run) -> None:
    """The snapshots of a pod whose work is over are here, as far as the pod still answers."""
    switches = run.spec.job.telemetry
    if not switches.enabled:
        return
    parts = []
    if switches.capture_nvidia_smi:
        parts.append("part nvidia_smi_end.txt nvidia-smi")
    if switches.capture_dmesg:
        tail = f"sh -c 'dmesg 2>&1 | tail -n {DMESG_LINES}'"
        parts.append(f"! command -v dmesg >/dev/null || part dmesg_tail.txt {tail}")
    if switches.capture_remote_env:
        path = freeze_path(run)
        parts.append(f"n=0; while [ -e {path}.part ] && [ $n -lt {FREEZE_TWENTIETHS} ]; do")
        parts.append("    sleep 0.05; n=$((n + 1)); done")
        parts.append(f"[ ! -s {path} ] || part pip_freeze.txt cat {path}")
    if switches.capture_nvidia_smi and run.state.job.pid is not None and not run.dir.metrics.exists():
        # The job ended before its first sample came.
        parts.append(f"part {SAMPLE} sh -c {quote(scripts.program('sample.sh'))} sample {quote(mount(run))}")
    take(run, parts)


def described_at_end(run: Run, pod: Pod | None) -> None:
    """The API's last description of a pod that still exists is here."""
    switches = run.spec.job.telemetry
    if pod is not None and switches.enabled and switches.capture_pod_describe:
        attempt(run, "pod_describe_end.json", lambda: keep_description(run, "pod_describe_end.json", pod))


def take(run: Run, parts: list[str]) -> None:
    """The output of each part is in its file: one round trip, however many parts there are."""
    if parts:
        text = PART + "\n".join(parts)
        attempt(run, "snapshot", lambda: keep(run, run.host.run(text, timeout_s=TIMEOUT_S).stdout))


def keep(run: Run, printed: bytes) -> None:
    """Each part of the output that we know is in its file. Raises OSError."""
    said = {name: text for name, text in named_parts(printed.decode(errors="replace")) if name in PARTS}
    if REMOTE_ENV in said:
        version = said.pop(PYTHON, "").removeprefix("Python ").strip() or None
        system = said[REMOTE_ENV].strip()
        facts = {"remote_uname": system, "remote_python_version": version}
        said[REMOTE_ENV] = dumps(facts, indent=2) + "\n"
        run.record(RemoteEnvSeen(remote_uname=system, remote_python_version=version))
    if SAMPLE in said:
        keep_sample(run, said.pop(SAMPLE))
    for name, text in said.items():
        if text:
            write_atomically(run.dir.path / name, text)


def keep_sample(run: Run, text: str) -> None:
    """metrics.jsonl has the sample. Raises OSError, ValueError."""
    row = loads(text)
    if isinstance(row, dict):
        write_atomically(run.dir.metrics, dumps({"ts_utc": run.world.clock.now().isoformat(), **row}) + "\n")


def mount(run: Run) -> str:
    """The folder whose disk is measured."""
    return run.spec.job.storage.volume_mount


def named_parts(printed: str) -> list[tuple[str, str]]:
    """Name and text of each part."""
    pieces = (piece.partition("\n") for piece in printed.split(f"\n{SEPARATOR} ")[1:])
    return [(name, text) for name, _, text in pieces]


def describe(run: Run, name: str, *, max_age_s: float) -> None:
    """The API's description of the pod is in the file. It may be as old as a listing that many runs share."""

    def ask() -> None:
        pod = run.world.cloud.look(run.state.pod.id or "", max_age_s)
        if pod is not None:
            keep_description(run, name, pod)

    attempt(run, name, ask)


def keep_description(run: Run, name: str, pod: Pod) -> None:
    """The description is in the file. Raises OSError."""
    write_atomically(run.dir.path / name, dumps(without_secrets(pod), indent=2) + "\n")


def without_secrets(pod: Pod) -> dict[str, Any]:
    """The API's answer without the values of the pod's environment, except for our own labels."""
    return {**pod.raw, "env": {name: value if name in LABELS else None for name, value in pod.env.items()}}


def attempt(run: Run, what: str, act: Callable[[], object]) -> None:
    """The act was tried, and an error is only an event: a measurement must never end a job that is paid for."""
    try:
        act()
    except Exception as error:
        run.record(SnapshotFailed(what=what, error=str(error) or type(error).__name__))
