"""Setup and preflight: shell commands on the pod, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from ..errors import DeployError, PreflightFailed, SetupFailed
from ..pod.pinning import pin_python, pinned_version
from ..pod.protocol import Reply
from ..pod.shell import command as shell_text
from ..record.events import CommandFinished, CommandSilent, CommandStarted, PythonPinned
from ..run import Run
from ..spec import CommandSpec
from . import snapshots
from .heartbeat import record_if_due
from .limits import enforce, remaining_s
from .reconnect import with_reconnects

TAIL_BYTES = 600
# A command that prints nothing for so long is spoken of, again and again.
SILENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class ConfiguredCommand:
    """One command at its place in the config."""

    section: str
    index: int
    command: CommandSpec
    failure: type[DeployError]

    @property
    def name(self) -> str:
        """`setup[2]`, as messages say it."""
        return f"{self.section}[{self.index}]"


def setup(run: Run) -> None:
    """The interpreter is pinned if asked for, and each setup command has succeeded once.

    Raises SetupFailed, LimitReached.
    """
    version = run.spec.job.pod.python_version
    if version is not None:
        carry(run, "python", (pin_python(version, run.spec.job.storage.volume_mount),), SetupFailed)
    carry(run, "setup", run.spec.job.setup, SetupFailed)


def preflight(run: Run) -> None:
    """Each preflight command has succeeded once. Raises PreflightFailed, LimitReached."""
    carry(run, "preflight", run.spec.job.preflight, PreflightFailed)
    snapshots.before_job(run)


def carry(run: Run, section: str, commands: tuple[CommandSpec, ...], failure: type[DeployError]) -> None:
    """Each command of the section has succeeded once. A lost connection ends a command, which is then run again."""
    for index, command in enumerate(commands):
        if run.state.job.pid is None and (section, index) not in run.state.work.commands_done:
            step = ConfiguredCommand(section, index, command, failure)
            run.record(CommandStarted(section=section, index=index, command=command.command))
            with_reconnects(run, step.name, partial(attempt, run, step))


def attempt(run: Run, step: ConfiguredCommand) -> None:
    """The command has succeeded. Raises the step's failure, LimitReached, SshLost."""
    clock = run.world.clock
    begun = clock.monotonic()
    reply = ended(run, step)
    took = round(clock.monotonic() - begun, 3)
    if step.section == "python" and (version := pinned_version(reply.stdout.decode(errors="replace"))):
        run.record(PythonPinned(version=version))
    run.record(CommandFinished(section=step.section, index=step.index, exit_code=reply.exit_code, duration_sec=took))
    if reply.exit_code != 0:
        raise step.failure(
            f"{step.name} exited with status {reply.exit_code}: {step.command.command.strip()}",
            hint=f"its output ended with: {tail(reply)}",
        )


def ended(run: Run, step: ConfiguredCommand) -> Reply:
    """The ended command. Raises the step's failure when its own time is over, LimitReached when the run's is."""
    command = step.command
    text = shell_text(command.command, run.spec.job.remote_env if command.with_env else None)
    try:
        return run.host.run(
            text,
            timeout_s=remaining_s(run, command.timeout_sec),
            on_output=Listener(run, step),
        )
    except TimeoutError as error:
        enforce(run)
        raise step.failure(
            f"{step.name} was still running after {command.timeout_sec} s and was stopped: {command.command.strip()}",
            hint=f"raise its timeout_sec in {step.name}",
        ) from error


class Listener:
    """Passes on what a command prints, and says so when it prints nothing for long."""

    def __init__(self, run: Run, step: ConfiguredCommand) -> None:
        self.run, self.step = run, step
        self.heard_at = self.told_at = run.world.clock.monotonic()

    def __call__(self, data: bytes) -> None:
        """The output is shown; b"" is silence."""
        record_if_due(self.run, self.step.name)
        now = self.run.world.clock.monotonic()
        if data:
            self.heard_at = self.told_at = now
            self.run.show(self.step.section, data)
        elif now - self.told_at >= SILENCE_S:
            self.told_at = now
            silent_sec = round(now - self.heard_at, 1)
            self.run.record(CommandSilent(section=self.step.section, index=self.step.index, silent_sec=silent_sec))


def tail(reply: Reply) -> str:
    """The end of what the command printed, on one line."""
    text = (reply.stderr or reply.stdout)[-TAIL_BYTES:].decode(errors="replace")
    return " | ".join(text.strip().splitlines()[-4:]) or "(nothing)"
