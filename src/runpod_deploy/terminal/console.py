"""Events as lines for people. Pure but for the stream it writes to: one line an event, no control codes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TextIO

from ..money import left_usd_per_day
from ..record import events as e
from ..record.state import JOB_WORDS, State
from .lines import Lines

# Events that say nothing to a person who did not ask for detail.
DETAIL = (
    e.PhaseStarted,
    e.PhaseFinished,
    e.CandidatesChosen,
    e.ReleaseStarted,
    e.SuccessMarkerSeen,
    e.StageProgressed,
    e.GpuSelected,
    e.CommandFinished,
    e.ArtifactPullStarted,
)


class Console:
    """Prints a run's events and its job's output, unless there is nowhere to, and keeps both in console.log."""

    def __init__(self, out: TextIO | None, log_path: Path, *, quiet: bool = False, verbose: bool = False) -> None:
        self.out = out
        self.log_path = log_path
        self.quiet = quiet
        self.verbose = verbose
        self._output: dict[str, Lines] = {}

    def on_event(self, event: e.Event, state: State) -> None:
        """One line, if the event is worth one; before it, the end of the output that it is about the end of."""
        if isinstance(event, e.CommandFinished | e.JobEnded | e.RunFinished):
            self.finish_lines()
        if isinstance(event, DETAIL) and not self.verbose:
            return
        if (text := words(event, state)) is not None:
            loud = isinstance(event, e.PhaseFailed | e.PodKilledUnexpected)
            self.say([f"{elapsed(event, state)} {text}"], loud=loud)

    def finish_lines(self) -> None:
        """What was printed without an end of line is shown."""
        for source, lines in self._output.items():
            self.say([f"  {source} | {line}" for line in lines.finish()])

    def on_output(self, source: str, data: bytes) -> None:
        """Whole lines of output, each behind the name of what printed it."""
        self.say([f"  {source} | {line}" for line in self._output.setdefault(source, Lines()).feed(data)])

    def say(self, lines: list[str], *, loud: bool = False) -> None:
        """The lines are printed, unless it is quiet here, and kept. A closed terminal or a full disk ends nothing."""
        text = "".join(f"{line}\n" for line in lines)
        if not text:
            return
        try:
            with self.log_path.open("a", encoding="utf-8") as log:
                log.write(text)
        except OSError:
            pass
        if self.out is None or (self.quiet and not loud):
            return
        try:
            self.out.write(text)
            self.out.flush()
        except (OSError, ValueError):
            self.quiet = True


def elapsed(event: e.Event, state: State) -> str:
    """`[  1:05]` since the run began."""
    seconds = int((event.ts_utc - (state.started_at or event.ts_utc)).total_seconds())
    minutes, seconds = divmod(max(0, seconds), 60)
    return f"[{minutes:3d}:{seconds:02d}]"


def words(event: e.Event, state: State) -> str | None:
    """What happened, as a line for a person; None for what only machines read."""
    for speak in (about_pod, about_work, about_end):
        if (text := speak(event, state)) is not None:
            return text
    if isinstance(event, e.PhaseStarted):
        return f"{event.phase} …"
    if isinstance(event, e.PhaseFinished):
        return f"{event.phase} done in {event.duration_sec:.1f} s"
    return None


def about_pod(event: e.Event, state: State) -> str | None:
    """Lines about the pod."""
    match event:
        case e.RunStarted():
            return f"run {event.run_id}"
        case e.RunResumed():
            return f"resuming run {state.run_id} after: {event.after}"
        case e.CandidatesChosen():
            return f"{len(event.candidates)} candidates" + "".join(f"; skipped {s}" for s in event.skipped)
        case e.PodRequested():
            return f"asking for {event.gpu_id} in {event.datacenter_id} ({event.cloud_type})"
        case e.DatacenterFailover():
            return f"refused: {event.reason}" + (f"; next {event.to}" if event.to else "")
        case e.PodCreated():
            how = "found" if event.adopted else "created"
            return f"pod {event.pod_id} {how}: {rate(event)}; stops by {at(event.stop_at, event)}"
        case e.PodReopening():
            return f"starting pod {event.pod_id} again, to fetch what it holds"
        case e.PodResumed():
            return f"pod {event.pod_id} resumed: {rate(event)}; stops by {at(event.stop_at, event)}"
        case e.PodBooting():
            return f"booting: {event.stage}"
        case e.PodReachable():
            return f"reachable at {event.host} port {event.port}"
        case e.PodAbandoned():
            return f"giving this pod up: {event.reason}"
        case e.GuardArmed():
            return f"guard armed: the pod ends itself at {at(event.deadline_at, event)} if we cannot"
        case e.GuardMissing():
            return "NO GUARD on this pod: if this machine dies, it bills on"
    return None


def at(instant: datetime, event: e.Event) -> str:
    """The instant, with its day if that is another one than the event's."""
    return f"{instant:%H:%M:%S} UTC" if instant.date() == event.ts_utc.date() else f"{instant:%b %d %H:%M:%S} UTC"


def rate(event: e.PodCreated | e.PodResumed) -> str:
    """The pod's price; that of its disks too if it is a cent or more."""
    disks = f" + ${event.disks_usd_per_hour:.2f} for its disks" if event.disks_usd_per_hour >= 0.005 else ""
    return f"${event.usd_per_hour:.2f}/hr{disks}"


def about_work(event: e.Event, _state: State) -> str | None:
    """Lines about the work on the pod."""
    match event:
        case e.CommandStarted():
            return f"{event.section}[{event.index}]: {first_line(event.command)}"
        case e.CommandFinished():
            return f"{event.section}[{event.index}] exited with {event.exit_code} in {event.duration_sec:.1f} s"
        case e.CommandSilent():
            return f"{event.section}[{event.index}] has printed nothing for {event.silent_sec:.0f} s"
        case e.SecretWritten():
            return f"secret {event.name} written to {event.destination}"
        case e.StageFinished():
            sent, whole = size(event.bytes_transferred), size(event.bytes)
            how = f"{sent} of {whole} sent in {event.duration_sec:.1f} s"
            return f"staged {event.label}: {files(event.files)}, {how}"
        case e.StageProgressed():
            return f"{event.label}: {size(event.bytes)} of {size(event.of_bytes)}"
        case e.JobLaunched():
            return f"job launched (process {event.pid})"
        case e.RemoteStepStarted():
            return f"step {event.name} …"
        case e.RemoteStepCompleted():
            return f"step {event.name} done"
        case e.FailureMarkerSeen():
            return f"the log says {event.marker!r}" + ("" if event.configured else " (noted; the job goes on)")
        case e.JobEvent():
            return f"job says {event.name}: " + " ".join(
                f"{k}={v}" for k, v in event.fields.items() if k not in ("event", "log_offset")
            )
        case e.Heartbeat():
            at = f"{event.phase}, {event.doing}" if event.doing else event.phase
            return f"still at {at}; ${event.spent_usd:.2f} of ${event.cost_cap_usd:.2f} spent"
    return None


def about_end(event: e.Event, state: State) -> str | None:
    """Lines about trouble and about the end."""
    match event:
        case e.Retried():
            return f"{event.what}: {event.error}; trying again in {event.in_sec:.1f} s"
        case e.SnapshotFailed():
            return f"not recorded: {event.what}: {event.error}"
        case e.ConnectionLost():
            return f"connection lost: {event.error}"
        case e.ConnectionRestored():
            return f"connected again after {event.lost_sec:.0f} s; not a byte of the log is missing"
        case e.StopRequested():
            return f"stopping the job: {JOB_WORDS.get(event.why, event.why)}"
        case e.JobEnded():
            return f"job over: {event.why}, status {event.exit_code}"
        case e.PodKilledUnexpected():
            return f"POD LOST: {event.note}"
        case e.GuardReleased():
            return f"the pod's guard has ended it: {event.state or 'gone'}"
        case e.ArtifactPullCompleted():
            how = f"{size(event.bytes)} in {event.duration_sec:.1f} s"
            return f"pulled {event.label}: {files(event.files)}, {how}"
        case e.ArtifactPullFailed():
            return f"could not pull {event.label}: {event.error}"
        case e.ArtifactSkipped():
            return f"skipped {event.label}: {event.reason}"
        case e.RemoteLogPullFailed():
            return f"the end of {event.path} is missing: {event.error}"
        case e.PhaseFailed():
            return f"{event.phase} failed: {event.message}"
        case e.Interrupted():
            return f"interrupted by {event.signal}; closing (again: skip the pull; the pod is released in any case)"
        case e.Detached():
            return f"leaving the pod to its guard ({event.why})"
        case e.PodReleased():
            return released(event, state) if state.pod.id else "no pod is left"
        case e.RunFinished():
            return f"{event.outcome}, exit code {event.exit_code}"
    return None


def released(event: e.PodReleased, state: State) -> str:
    """What became of the pod, and what it goes on costing if it stays."""
    text = f"pod {state.pod.id} released ({event.action}): {event.state or 'gone'}"
    return f"{text}; {cost}" if (cost := left_cost(state)) else text


def left_cost(state: State) -> str:
    """What the run's pod goes on costing as it was left; empty if nothing that is known."""
    status = state.pod.final_state
    usd_per_day = left_usd_per_day(state.cost.rentals[-1], status, state.pod.volume_gb) if state.cost.rentals else None
    if not usd_per_day:
        return ""
    if status == "EXITED":
        return f"its disk costs ${usd_per_day:.2f} a day until it is deleted"
    return f"it goes on costing ${usd_per_day / 24:.2f}/hr until it is ended"


def files(count: int) -> str:
    """`1 file`, `3 files`."""
    return "1 file" if count == 1 else f"{count} files"


def first_line(text: str) -> str:
    """The first line of a command, with a mark if there are more."""
    head, *rest = text.strip().splitlines()
    return head + (" …" if rest else "")


def size(count: float) -> str:
    """Bytes as people say them: `3.4 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
