"""Events as lines for people, one line for each event, without control codes. Knows events and state; knows no run."""

from __future__ import annotations

from datetime import UTC, tzinfo
from pathlib import Path
from typing import TextIO

from ..machine.files import open_own
from ..machine.limits import LOG_BYTES
from ..money import cents
from ..record import events as e
from ..record.state import State, job_failure_text
from ..spec.visible import shortened, visible
from .amounts import files
from .amounts import size as size
from .cautions import empty, links_out, not_created, numbers, removed
from .instants import LOCAL, time_of_day
from .line_splitter import Lines
from .pod_lines import pod_line
from .reader import Reader

# Events that are shown only with -v.
DETAIL = (
    e.PhaseStarted,
    e.PhaseFinished,
    e.CandidatesChosen,
    e.RowSkipped,
    e.HostLogKept,
    e.ReleaseStarted,
    e.SuccessMarkerSeen,
    e.StageProgressed,
    e.GpuSelected,
    e.CommandFinished,
    e.ArtifactPullStarted,
)

DETACHED = {
    "ssh_lost": "the pod does not answer over SSH",
    "handed_over": "the script that asked for the pod goes on with it",
}
"""Why a run was left, if not because the user asked for that."""


class Console:
    """Prints a run's events and its job's output to `out`, if there is one, and writes both to console.log."""

    def __init__(self, out: TextIO | None, log_path: Path, *, quiet: bool = False, verbose: bool = False) -> None:
        self.reader = None if out is None else Reader(out)
        self.log_path = log_path
        self.quiet = quiet
        self.verbose = verbose
        self.zone = LOCAL if out is not None and is_a_terminal(out) else UTC
        self._output: dict[str, Lines] = {}

    def on_event(self, event: e.Event, state: State) -> None:
        """The event's line is printed, if it has one. The last line of a command that has ended comes before it."""
        if isinstance(event, e.CommandFinished | e.JobEnded | e.RunFinished | e.OnEndFinished):
            self.finish_lines()
        if isinstance(event, DETAIL) and not self.verbose:
            return
        if (text := event_line(event, state)) is not None:
            loud = isinstance(event, e.PhaseFailed | e.PodKilledUnexpected)
            here = event_line(event, state, self.zone) or text
            if isinstance(event, e.RunFinished):
                text = here = f"{text}; run folder {self.log_path.parent}"
            self.write(stamped_lines(event, state, text), loud=loud, shown=stamped_lines(event, state, here))

    def finish_lines(self) -> None:
        """Output that ended without a newline is printed, too."""
        for source, lines in self._output.items():
            self.write([f"  {source} | {line}" for line in lines.finish()])

    def on_output(self, source: str, data: bytes) -> None:
        """Whole lines of output are printed, each after the name of what printed it."""
        self.write([f"  {source} | {line}" for line in self._output.setdefault(source, Lines()).feed(data)])

    def write(self, lines: list[str], *, loud: bool = False, shown: list[str] | None = None) -> None:
        """The lines are in console.log, and printed unless -q was given and they are not loud; others, if shown differ.

        A full disk or a closed terminal ends no run. This is the one way to both, and what comes from outside is made
        visible here.
        """
        text = text_of(lines)
        if not text:
            return
        try:
            with open(self.log_path, "a", encoding="utf-8", opener=open_own) as log:
                log.write(text if log.tell() < LOG_BYTES else "")
        except OSError:
            pass
        if self.reader is None or (self.quiet and not loud):
            return
        try:
            self.reader.write(text if shown is None else text_of(shown))
        except (OSError, ValueError):
            self.quiet = True


def text_of(lines: list[str]) -> str:
    """The lines as text that is safe to show."""
    return "".join(visible(line, keep="\t") + "\n" for line in lines)


def is_a_terminal(out: TextIO) -> bool:
    """Whether a person reads the stream."""
    try:
        return out.isatty()
    except ValueError:  # it is closed
        return False


def stamped_lines(event: e.Event, state: State, text: str) -> list[str]:
    """The text after the time; its further lines are indented, so that none of them looks like an event of ours."""
    stamp = elapsed(event, state)
    first, *more = shortened(text).splitlines() or [""]
    return [f"{stamp} {first}", *(" " * len(f"{stamp} ") + line for line in more)]


def elapsed(event: e.Event, state: State) -> str:
    """`[  1:05]` since the run began."""
    seconds = int((event.ts_utc - (state.started_at or event.ts_utc)).total_seconds())
    minutes, seconds = divmod(max(0, seconds), 60)
    return f"[{minutes:3d}:{seconds:02d}]"


def event_line(event: e.Event, state: State, zone: tzinfo | None = UTC) -> str | None:
    """The line that tells a person what happened, with times of that zone; None for what only programs read."""
    for line_about in (pod_line, work_line, end_line):
        if (text := line_about(event, state, zone)) is not None:
            return text
    if isinstance(event, e.PhaseStarted):
        return f"{event.phase} …"
    if isinstance(event, e.PhaseFinished):
        return f"{event.phase} done in {event.duration_sec:.1f} s"
    return None


def work_line(event: e.Event, _state: State, _zone: tzinfo | None) -> str | None:
    """The line of an event about the work on the pod."""
    match event:
        case e.CommandStarted():
            return f"{event.section}[{event.index}]: {first_line(event.command)}"
        case e.CommandFinished():
            return f"{event.section}[{event.index}] exited with {event.exit_code} in {event.duration_sec:.1f} s"
        case e.CommandSilent():
            return f"{event.section}[{event.index}] has printed nothing for {event.silent_sec:.0f} s; still waiting"
        case e.SecretsLeft():
            return f"COULD NOT REMOVE {', '.join(event.names)} from the pod: {event.error}"
        case e.SecretWritten():
            return f"secret {event.name} written to {event.destination}"
        case e.StageFinished():
            sent, whole = size(event.bytes_transferred), size(event.bytes)
            how = f"{sent} of {whole} sent in {event.duration_sec:.1f} s"
            return f"staged {event.label}: {files(event.files)}, {how}{removed(event)}{links_out(event)}"
        case e.StageProgressed():
            return f"{event.label}: {size(event.bytes)} of {size(event.of_bytes)}"
        case e.JobLaunched():
            return f"job launched (process {event.pid} on the pod)"
        case e.RemoteStepStarted():
            return f"step {event.name} …"
        case e.RemoteStepCompleted():
            return f"step {event.name} done"
        case e.FailureMarkerSeen():
            return f"the log contains {event.marker!r}" + ("" if event.configured else " (the job goes on)")
        case e.JobEvent():
            return visible(f"job event {event.name}: {job_fields(event)}")
        case e.JobRowsLimited():
            return f"the job has added {event.limit} events; later ones stay in its log only"
        case e.Heartbeat():
            step = f"{event.phase}, {event.doing}" if event.doing else event.phase
            return f"still at {step}; ${cents(event.spent_usd)} of ${cents(event.cost_cap_usd)} spent"
    return None


def job_fields(event: e.JobEvent) -> str:
    """The fields that the job gave to its event."""
    return " ".join(f"{key}={value}" for key, value in event.fields.items() if key not in ("event", "log_offset"))


def end_line(event: e.Event, state: State, zone: tzinfo | None) -> str | None:
    """The line of an event about trouble, or about the end of the job or of the run."""
    match event:
        case e.Retried():
            return f"{event.what}: {event.error}; trying again in {event.in_sec:.1f} s"
        case e.SnapshotFailed():
            return f"could not record {event.what}, and the run goes on without it: {event.error}"
        case e.ConnectionLost():
            return f"connection to the pod lost, reconnecting: {event.error}"
        case e.ConnectionRestored():
            return f"reconnected after {event.lost_sec:.0f} s; the log has no gap"
        case e.ListenerFailed():
            return f"a defect of the tool: {event.listener} failed, and the run goes on: {event.error}"
        case e.LogTruncated() | e.ControlFolderLost() | e.ProcessesLeft() | e.IdleProcessesEnded():
            return job_line(event)
        case e.StopRequested():
            return f"stopping the job: {job_failure_text(event.why, None)}"
        case e.StopFailed():
            return f"the job could not be stopped, and ends with its pod: {event.error}"
        case e.JobEnded():
            return job_ended_line(event)
        case e.PodKilledUnexpected():
            return f"POD LOST: {event.note}"
        case e.GuardReleased():
            return f"the guard has ended the pod: {event.state or 'gone'}"
        case e.ArtifactPullCompleted():
            how = f"{size(event.bytes)} in {event.duration_sec:.1f} s"
            return f"pulled {event.label}: {files(event.files)}, {how}{not_created(event)}"
        case e.ArtifactEmpty():
            return empty(event)
        case e.ArtifactMetricsRead():
            return f"metrics in {event.label}: {numbers(event.metrics)}"
        case e.ArtifactMetricsUnreadable():
            return f"WARNING: no metrics in {event.label}, which must be a JSON object with numbers: {event.error}"
        case e.ArtifactPullFailed():
            return f"could not pull {event.label}: {event.error}"
        case e.ArtifactSkipped():
            return f"skipped {event.label}: {event.reason}"
        case e.RemoteLogPullFailed():
            return f"could not download the end of {event.path}: {event.error}"
        case e.PhaseFailed():
            return f"{event.phase} failed: {event.message}"
        case e.Interrupted():
            return f"interrupted by {event.signal}: pulling results, then releasing the pod (Ctrl-C again: no pull)"
        case e.Detached():
            return detached_line(event, state, zone)
        case e.PodReleased():
            return released(event, state) if state.pod.id else "no pod is left"
        case e.RunFinished():
            spent = cents(state.cost.spent_usd(event.ts_utc))
            return f"{event.outcome}, exit code {event.exit_code}; spent ${spent}{not_here(event, state)}"
    return None


def not_here(event: e.RunFinished, state: State) -> str:
    """The optional artifacts that a success is without, with a semicolon before them; empty if all are here."""
    failed = [label for label, artifact in state.work.artifacts if artifact.status == "failed"]
    return f"; not here, and not required: {', '.join(failed)}" if failed and event.outcome == "succeeded" else ""


def job_line(event: e.LogTruncated | e.ControlFolderLost | e.ProcessesLeft | e.IdleProcessesEnded) -> str:
    """The line of an event about something unusual that the job has done."""
    match event:
        case e.LogTruncated():
            return f"the job has emptied its log; the {size(event.log_bytes)} that had arrived are kept here"
        case e.ControlFolderLost():
            return "the job has removed the tool's folder on the pod; the job, its log and its guard go on"
        case e.ProcessesLeft():
            return f"the script has ended and left processes running: {some_of(event.processes)}"
    return f"ended processes that the job had left and that were idle: {some_of(event.processes)}"


def some_of(processes: tuple[str, ...]) -> str:
    """The first processes, and how many more there are."""
    more = f" and {len(processes) - 3} more" if len(processes) > 3 else ""
    return visible("; ".join(processes[:3])) + more


def job_ended_line(event: e.JobEnded) -> str:
    """The job's exit status, and the reason if the job did not end by itself."""
    status = "no exit status is known" if event.exit_code is None else f"exit status {event.exit_code}"
    reason = "" if event.why == "exited" else job_failure_text(event.why, event.exit_code)
    return f"job ended: {'; '.join(filter(None, (status, reason, event.note)))}"


def detached_line(event: e.Detached, state: State, zone: tzinfo | None) -> str:
    """The line for a run that nobody follows any more: what its pod does, and what ends the pod."""
    if event.why == "elsewhere":
        return "this machine leaves the run to the other one"
    what = DETACHED.get(event.why, "the job goes on")
    if (deadline := state.pod.guard_deadline_at) is None:
        return f"detached: {what}; NO GUARD is on the pod, so it bills until you end it"
    return f"detached: {what}; the guard ends the pod at {time_of_day(deadline, event.ts_utc, zone)} at the latest"


def released(event: e.PodReleased, state: State) -> str:
    """The pod's fate, and its costs from now on if it was not deleted."""
    if event.state is None:
        return f"pod {state.pod.id} is gone: it costs nothing any more"
    text = f"pod {state.pod.id} released ({event.action}): {event.state}"
    return f"{text}; {cost}" if (cost := left_cost(state)) else text


def left_cost(state: State) -> str:
    """The costs of the run's pod from now on, and how to end them; empty if there are none, or none are known."""
    status = state.pod.final_state
    usd_per_day = state.left_usd_per_day
    if not usd_per_day:
        return ""
    how = f"`runpod-deploy stop {state.run_id} --delete`"
    if status == "EXITED":
        return f"its disk costs ${cents(usd_per_day)} a day until you delete it with {how}"
    return f"it costs ${cents(usd_per_day / 24)}/hr until you delete it with {how}"


def first_line(text: str) -> str:
    """The first line of a command, with `…` if there are more."""
    head, *rest = text.strip().splitlines()
    return head + (" …" if rest else "")
