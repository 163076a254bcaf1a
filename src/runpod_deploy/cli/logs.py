"""logs: the output of a job, or with --system the log of its host."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path

import click

from ..cloud.protocol import Cloud
from ..cloud.values import Address, LogLine
from ..config import load, parse_variables
from ..config.draft import Draft
from ..errors import DeployError, SshLost, UsageError
from ..history.known_runs import known_runs
from ..machine.clock import SystemClock
from ..phases.account import is_proven
from ..phases.host_log import kept_lines
from ..pod.job import log_command
from ..pod.openssh import connection_to, control_dir
from ..pod.remote_log import follow_copy, last_lines, stream
from ..record.begun_here import why_unknown
from ..record.fold import fold
from ..record.journal import read_events
from ..record.paths import RUNS_DIR, RunDir, of_another_user, refuse_links
from ..record.spec_file import read_spec
from ..record.state import State
from ..record.state_file import read_state_file
from ..spec import Spec
from ..spec.places import expanded
from ..terminal.line_splitter import Lines
from ..terminal.output import is_terminal, print_bytes, print_json, print_lines, warn
from .access import real_cloud
from .following import is_under_way, state_of
from .options import json_option, output_options, variable_options
from .run_names import optional_run_argument, or_latest

QUIET_S = 2.0
LOOK_EVERY_S = 1.0


@click.command("logs")
@optional_run_argument
@click.option(
    "--config", "-c", type=click.Path(path_type=Path), metavar="PATH", help="Take the latest run of this config."
)
@variable_options
@click.option(
    "--lines", type=click.IntRange(min=0), default=200, show_default=True, help="How many lines from the end to print."
)
@click.option("--no-follow", is_flag=True, help="Do not wait for more output. A job that is over is not waited for.")
@click.option(
    "--system",
    is_flag=True,
    help="Print the container's and the host's log: from the API, or what the run kept of pods that are gone.",
)
@click.option("--raw", is_flag=True, help="Print the bytes of the log as they are on a terminal, too.")
@json_option
@output_options
def logs(
    run_dir: Path | None,
    config: Path | None,
    var: tuple[str, ...],
    vars_file: Path | None,
    lines: int,
    no_follow: bool,
    system: bool,
    raw: bool,
    as_json: bool,
) -> None:
    """Print the output of the job of RUN, of the latest run of a config, or else of the latest run here.

    It is read on the pod while the run lasts, and from the copy in the run dir afterwards. A terminal shows it without
    control codes, which it would obey; a file or a pipe gets the bytes as they are.
    """
    folder = RunDir(chosen_folder(run_dir, config, var, vars_file).absolute())
    state = fold(read_events(folder.events))
    if system:
        print_system(folder, state, lines, as_json)
    elif as_json:
        raise UsageError("the log of a job is text, not JSON", hint="use --json only with --system")
    else:
        print_job(folder, state, lines, Printer(raw=raw), follow=not no_follow)


def chosen_folder(run_dir: Path | None, config: Path | None, var: tuple[str, ...], vars_file: Path | None) -> Path:
    """The run's folder. Raises UsageError, ConfigError."""
    if run_dir is not None and config is not None:
        raise UsageError("give either RUN or --config PATH")
    if config is not None:
        return latest(load(config, cli_variables=parse_variables(var, vars_file)))
    run_dir = or_latest(run_dir)
    if not may_be_run(run_dir):
        raise UsageError(f"{run_dir}: not a run dir", hint="`runpod-deploy ls-runs --all` lists them")
    return run_dir


def may_be_run(folder: Path) -> bool:
    """Whether there is the journal or the manifest of a run; False for a path that cannot be looked at.

    The earlier tool wrote no journal with `telemetry.enabled: false`.
    """
    try:
        return RunDir(folder).is_run or RunDir(folder).manifest.is_file()
    except OSError:
        return False


def latest(draft: Draft) -> Path:
    """The folder of the run that the config's state file names, or else of the latest run of the config."""
    state_file = draft.trial.job.state_file
    known_by: list[str] = [f"{draft.run_id_prefix}-"]
    if state_file is not None and (path := expanded(state_file)).is_file():
        recorded = read_state_file(path)
        if recorded.run_dir is not None:
            return recorded.run_dir
        known_by = [recorded.pod_id]
    runs = known_runs([str(draft.project_root / RUNS_DIR)], known_by, warn)
    if not runs:
        raise UsageError(
            f"{draft.path}: no run named {draft.run_id_prefix} was found",
            hint="give the --var values that it began with, or name it: `runpod-deploy logs RUN`",
        )
    return runs[-1].path


class Printer:
    """Writes output to stdout: as it is, or on a terminal line by line and safe to show."""

    def __init__(self, *, raw: bool) -> None:
        self._lines = None if raw or not is_terminal() else Lines()

    def __call__(self, data: bytes) -> None:
        """The output is on stdout, on a terminal as far as its lines are whole."""
        if self._lines is None:
            print_bytes(data)
        else:
            print_lines(line.expandtabs() for line in self._lines.feed(data))

    def finish(self) -> None:
        """A last line without its end is on stdout, too."""
        if self._lines is not None:
            print_lines(line.expandtabs() for line in self._lines.finish())


def print_job(folder: RunDir, state: State, lines: int, write: Printer, *, follow: bool) -> None:
    """The end of the job's log is on stdout, and with `follow` all that comes later. Raises SshLost, UsageError."""
    if not folder.spec.exists():
        write(last_lines(log_of_earlier_tool(folder.path), lines))
    elif state.end.released or state.end.finished or of_another_user(folder):
        write(last_lines(folder.log, lines))
    elif follow and folder.log.is_file() and is_under_way(folder):
        follow_copy(folder.log, lines, write, partial(has_ended, folder))  # that process copies it as it comes
    elif state.pod.address is None:
        raise SshLost(
            f"pod {state.pod.id or '(none yet)'} has not answered yet", hint="look at its host's log with --system"
        )
    else:
        refuse_links(folder)  # the connection writes into the ssh folder
        spec = read_spec(folder)
        connection = connection_to(spec, folder, address_of(spec, folder, state), state.pod.boots)
        control = control_dir(spec.job, spec.run_id)
        find_log = log_command(control, spec.job.run.log_path, spec.run_id)
        until = f"{control}/status" if follow and not state.job.ended else None
        stream(connection, find_log, lines, write, until=until)
    write.finish()


def log_of_earlier_tool(folder: Path) -> Path:
    """The job's log in a run dir of the earlier tool, which kept the name of `run.log_path`. Raises UsageError."""
    logs = sorted(folder.glob("*.log"))
    if len(logs) != 1:
        raise UsageError(
            f"{folder}: {len(logs)} files may be the job's log, and nothing here tells its name",
            hint="look into the folder: the earlier tool gave the log the name that it had on the pod",
        )
    return logs[0]


def has_ended(folder: RunDir) -> bool:
    """Whether the job is over, or nobody copies its log any more; after a moment, if it still runs."""
    over = state_of(folder).job.ended or not is_under_way(folder)
    if not over:
        SystemClock().sleep(LOOK_EVERY_S)
    return over


def address_of(spec: Spec, folder: RunDir, state: State) -> Address:
    """The address of the run's pod: as the API tells it, if somebody may have sent the run folder. Raises SshLost."""
    assert state.pod.address is not None
    return told_address(real_cloud(), folder, state) if why_unknown(spec.token, folder) else state.pod.address


def told_address(cloud: Cloud, folder: RunDir, state: State) -> Address:
    """The address of the run's own pod, as the API tells it. Raises SshLost if it shows none."""
    pod = cloud.get(state.pod.id or "")
    if pod is None or pod.address is None or not is_proven(state, pod):
        raise SshLost(
            f"{folder.path}: you did not begin this run on this machine, and the API shows no pod {state.pod.id} of it",
            hint=f"set RUNPOD_API_KEY to a key of the account of the run; {folder.log.name} has what came until now",
        )
    return pod.address


def print_system(folder: RunDir, state: State, lines: int, as_json: bool) -> None:
    """The cloud's own log of the run's pods is on stdout. Raises UsageError if there is none."""
    found = system_log(folder, state, lines)
    if as_json:
        print_json([asdict(line) for line in found])
    else:
        print_lines(f"{line.at} {line.source:9} {line.text}" for line in found)


def system_log(folder: RunDir, state: State, lines: int) -> list[LogLine]:
    """The log as the cloud has it now, or what the run kept of pods that are gone. Raises UsageError, DeployError."""
    kept = list(kept_lines(folder))[-lines:] if lines else []
    if state.pod.id is not None:
        try:
            return real_cloud().logs(state.pod.id, lines, QUIET_S) or kept
        except DeployError:
            if not kept:
                raise
    if kept or lines == 0:
        return kept
    if state.pod.abandoned:
        raise UsageError("the pods of this run are gone, and nothing was kept of their hosts' logs")
    raise UsageError("this run has no pod yet", hint="`runpod-deploy events RUN` shows what it is doing")
