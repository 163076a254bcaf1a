"""The end of a run that did not succeed, as lines for a person: what failed, the end of the log, the next commands.

Knows a state and the files of its run; knows no command's work.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..machine.reading import read_end
from ..money import cents
from ..record.log_markers import OWN
from ..record.parts import Failure
from ..record.paths import RunDir
from ..record.state import State
from ..spec.visible import shortened
from .hints import about, seen_from_here
from .line_splitter import Lines

TAIL_LINES, TAIL_BYTES, LONGEST_CHARS = 20, 1 << 17, 500
COMMAND_PHASES = ("setup", "preflight")
WITHOUT_TAIL = ("interrupted", "auth", "usage", "config", "busy")
KIND_WORDS = {
    "internal": "runpod-deploy has a defect",
    "usage": "the command cannot be carried out",
    "config": "the config, or something that it names, is wrong",
    "image": "no host can start the image",
    "stock_out": "no GPU within your limits was free",
    "auth": "RunPod does not accept the API key",
    "balance": "the account cannot pay for the pod",
    "cloud": "RunPod's API did not answer, or its answer made no sense",
    "boot_timeout": "the pod never answered over SSH",
    "ssh_lost": "the pod runs, but no longer answers over SSH",
    "staging": "an upload to the pod failed",
    "artifact_missing": "a required artifact could not be downloaded",
    "busy": "another process carries the run out",
    "release_unconfirmed": "a pod may still bill",
    "setup_failed": "a setup command failed",
    "preflight_failed": "a preflight command failed",
    "job_failed": "the job failed",
    "marker_missing": "the job ended without its success marker",
    "failure_marker": "the job printed a failure marker and was stopped",
    "left_running": "the job left processes running",
    "preamble_failed": "the job's shell ended before the job began",
    "cost_cap": "the run was stopped at its cost cap",
    "max_runtime": "the run was stopped at its time limit",
    "stalled": "the job was stopped because its log was silent",
    "pod_killed_unexpected": "the pod was ended from outside",
    "interrupted": "the run was interrupted",
}
"""Each kind of failure in plain words."""
STATUS_WORDS = {
    126: "a file is not executable",
    127: "a command was not found",
    134: "the program aborted itself",
    137: "killed by SIGKILL, often because the pod's memory was full",
    139: "the program crashed: segmentation fault",
    143: "ended by SIGTERM",
}
"""The usual meaning of exit statuses that say nothing to most people."""


def failure_lines(failure: Failure, state: State, run_dir: RunDir) -> Iterator[str]:
    """All that the end of the run says. `error:`, `hint:` and `kind:` are for scripts, too."""
    yield f"run {state.run_id} did not succeed: {KIND_WORDS.get(failure.kind, failure.kind)}"
    yield from tail_lines(failure, state, run_dir)
    yield f"error: {failure.message}{status_words(failure, state)}"
    if failure.hint:
        yield f"hint: {failure.hint}"
    yield f"kind: {failure.kind}"
    yield from next_lines(state, run_dir)


def status_words(failure: Failure, state: State) -> str:
    """The usual meaning of the job's exit status; empty if it has none, or is not the reason."""
    words = STATUS_WORDS.get(state.job.exit_code or 0) if failure.kind == "job_failed" else None
    return f" ({words})" if words else ""


def tail_lines(failure: Failure, state: State, run_dir: RunDir) -> Iterator[str]:
    """The last lines of the failed command or of the job, and the file that they are from; none if nothing ran."""
    if failure.kind in WITHOUT_TAIL:
        return
    if failure.phase in COMMAND_PHASES:
        path, found = run_dir.console, output_of(failure.phase, run_dir.console)
    else:
        path, found = run_dir.log, end_of_log(run_dir.log) if state.job.pid is not None else []
    if found:
        yield f"the last lines of {seen_from_here(path)}:"
        yield from (f"  | {shortened(line, LONGEST_CHARS)}" for line in found)


def end_of(path: Path) -> list[str]:
    """The lines at the end of a file as a terminal shows them, without empty ones; none if it cannot be read."""
    try:
        data = read_end(path, TAIL_BYTES)
    except OSError:
        return []
    lines = Lines()
    found = [*lines.feed(data), *lines.finish()]
    return [line for line in (found[1:] if len(data) == TAIL_BYTES else found) if line]


def end_of_log(path: Path) -> list[str]:
    """The last lines of the job's log, without the markers that only programs read."""
    return [line for line in end_of(path) if not line.startswith(OWN.decode())][-TAIL_LINES:]


def output_of(section: str, console: Path) -> list[str]:
    """The last lines that commands of the section printed, from console.log."""
    prefix = f"  {section} | "
    return [line.removeprefix(prefix) for line in end_of(console) if line.startswith(prefix)][-TAIL_LINES:]


def next_lines(state: State, run_dir: RunDir) -> Iterator[str]:
    """The commands that help now, each with its purpose, and the run's folder."""
    commands = list(next_commands(state, run_dir))
    width = max(len(command) for command, _ in commands)
    yield "next:"
    yield from (f"  {command:{width}}  # {purpose}" for command, purpose in commands)
    yield f"all files of the run: {seen_from_here(run_dir.path)}"


def next_commands(state: State, run_dir: RunDir) -> Iterator[tuple[str, str]]:
    """What to type next, and why."""
    where, status = run_dir.path, state.pod.final_state if state.end.released else None
    if state.job.pid is not None:
        yield about("logs", where), "the whole log of the job"
    yield about("events", where), "what happened, step by step"
    if status == "RUNNING":
        yield about("ssh", where), "a shell on the pod"
        yield about("pull", where), "fetch the artifacts so far"
    if status == "EXITED" and state.pod.address and not state.work.collected:
        yield about("pull --start", where), "fetch from the paused pod"
    if (cost := cost_until_deleted(state)) and state.pod.id:
        yield about("stop --delete", where), cost


def cost_until_deleted(state: State) -> str:
    """What the pod that the run has left costs a day until it is deleted; empty if none is left."""
    usd = state.left_usd_per_day if state.end.released else None
    if not usd:
        return ""
    what = "its disk costs" if state.pod.final_state == "EXITED" else "the pod costs"
    return f"{what} ${cents(usd)} a day"
