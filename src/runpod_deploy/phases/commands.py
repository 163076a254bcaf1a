"""Setup and preflight: shell commands on the pod, one after the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

from ..errors import DeployError, PreflightFailed, SetupFailed
from ..pod.pinning import pin_python, pinned_version
from ..pod.protocol import Reply
from ..pod.shell import LIST_COMMANDS
from ..pod.shell import command as shell_text
from ..record.events import CommandFinished, CommandSilent, CommandStarted, PythonPinned
from ..run import Run
from ..spec import CommandSpec
from . import heartbeat, price_changes, secret_files, snapshots
from .limits import enforce, remaining_s, run_limit
from .pod_note import leave_note
from .reconnect import with_reconnects

TAIL_BYTES = 600
# Each time that a command has printed nothing for this long, the console says so.
SILENCE_S = 300.0
# So long before a command's time is over, or after half of it, the pod is asked what is running.
LOOK_BEFORE_S = 5.0
LIST_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class ConfiguredCommand:
    """One command and its place in the config."""

    section: str
    index: int
    spec: CommandSpec
    failure: type[DeployError]

    @property
    def name(self) -> str:
        """The place as messages name it: `setup[2]`."""
        return f"{self.section}[{self.index}]"


def setup(run: Run) -> None:
    """The interpreter is pinned if asked for, and each setup command has succeeded once, with the secrets' variables.

    Raises SetupFailed, StagingFailed, LimitReached.
    """
    version = run.spec.job.pod.python_version
    if version is not None:
        run_all(run, "python", (pin_python(version),), SetupFailed)
    secret_files.write_variables(run)
    run_all(run, "setup", run.spec.job.setup, SetupFailed)
    leave_note(run)


def preflight(run: Run) -> None:
    """Each preflight command has succeeded once. Raises PreflightFailed, LimitReached."""
    run_all(run, "preflight", run.spec.job.preflight, PreflightFailed)
    snapshots.before_job(run)


def run_all(run: Run, section: str, commands: tuple[CommandSpec, ...], failure: type[DeployError]) -> None:
    """Each command of the section has succeeded once. A command whose connection was lost is run again."""
    for index, command in enumerate(commands):
        if run.state.job.pid is None and (section, index) not in run.state.work.commands_done:
            entry = ConfiguredCommand(section, index, command, failure)
            run.record(CommandStarted(section=section, index=index, command=command.command))
            with_reconnects(run, entry.name, partial(attempt, run, entry), run_limit(run))


def attempt(run: Run, entry: ConfiguredCommand) -> None:
    """The command has succeeded. Raises the section's failure, LimitReached, SshLost."""
    clock = run.world.clock
    begun = clock.monotonic()
    reply = reply_of(run, entry)
    took = round(clock.monotonic() - begun, 3)
    if entry.section == "python" and (version := pinned_version(reply.stdout.decode(errors="replace"))):
        run.record(PythonPinned(version=version))
    run.record(CommandFinished(section=entry.section, index=entry.index, exit_code=reply.exit_code, duration_sec=took))
    if reply.exit_code != 0:
        raise entry.failure(
            f"{entry.name} exited with status {reply.exit_code}: {entry.spec.command.strip()}",
            hint=f"its output ended with: {tail(reply)}",
        )


def reply_of(run: Run, entry: ConfiguredCommand) -> Reply:
    """The command's exit status and output.

    Raises the section's failure when the command's own time is over, LimitReached when the run's is.
    """
    command = entry.spec
    python = None if entry.section == "python" else run.spec.job.pod.python_version
    env = run.spec.job.remote_env if command.with_env else None
    text = shell_text(command.command, env, python, secret_files.variables_of(run))
    timeout_s = remaining_s(run, command.timeout_sec)
    listener = Listener(run, entry, timeout_s)
    try:
        return run.host.run(text, timeout_s=timeout_s, on_output=listener)
    except TimeoutError as error:
        enforce(run)
        raise entry.failure(
            f"{entry.name} was still running after {command.timeout_sec} s and was stopped: {command.command.strip()}",
            hint=f"raise {entry.name}.timeout_sec in the config if the command needs more time; {listener.running}",
        ) from error


class Listener:
    """Shows the output of a command, and records when the command prints nothing for long."""

    def __init__(self, run: Run, entry: ConfiguredCommand, timeout_s: float = math.inf) -> None:
        self.run, self.entry = run, entry
        self.heard_at = self.recorded_at = run.world.clock.monotonic()
        self.look_at = self.heard_at + max(timeout_s / 2, timeout_s - LOOK_BEFORE_S)
        self.running = "what it did then is not known"
        """The processes shortly before the command's time was over."""

    def __call__(self, data: bytes) -> None:
        """The output is shown, or the silence is recorded if it is long; b"" means that nothing was printed."""
        heartbeat.record_if_due(self.run, self.entry.name)
        price_changes.follow_if_due(self.run)
        enforce(self.run)
        now = self.run.world.clock.monotonic()
        if now >= self.look_at:
            self.look_at = math.inf
            self.running = running(self.run)
        if data:
            self.heard_at = self.recorded_at = now
            self.run.show(self.entry.section, data)
        elif now - self.recorded_at >= SILENCE_S:
            self.recorded_at = now
            silent_sec = round(now - self.heard_at, 1)
            self.run.record(CommandSilent(section=self.entry.section, index=self.entry.index, silent_sec=silent_sec))


def running(run: Run) -> str:
    """The newest processes on the pod, as a part of a hint."""
    try:
        reply = run.host.run(LIST_COMMANDS, timeout_s=LIST_TIMEOUT_S)
    except (DeployError, TimeoutError) as error:
        return f"what was running then could not be seen: {error}"
    lines = reply.stdout.decode(errors="replace").strip().splitlines()
    return "running then: " + (" | ".join(line.strip() for line in lines) or "nothing")


def tail(reply: Reply) -> str:
    """The end of the command's output, on one line."""
    text = (reply.stderr or reply.stdout)[-TAIL_BYTES:].decode(errors="replace")
    return " | ".join(text.strip().splitlines()[-4:]) or "(nothing)"
