"""`ssh`: a shell or a command on the pod of a run, and ports of the pod on this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from ..cloud.pod_labels import bears
from ..cloud.protocol import Cloud
from ..cloud.proxy import proxy_urls
from ..cloud.values import Address
from ..errors import ConfigError, UsageError
from ..pod.openssh import connection_to
from ..pod.visit import Forward, parse_forward, ssh_command, visitor_environment
from ..record.begun_here import require_known
from ..record.fold import fold
from ..record.journal import read_events
from ..record.paths import RunDir, require_own
from ..record.spec_file import read_spec
from ..record.state import State
from ..terminal.hints import about
from ..terminal.output import info
from .access import real_cloud
from .options import output_options
from .resume import trust_option
from .run_names import run_argument


@click.command("ssh")
@run_argument
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option(
    *("-L", "forwards"),
    multiple=True,
    metavar="[HERE:]PORT",
    help="Open this port of the pod on this machine, such as 6006 of TensorBoard; repeatable.",
)
@trust_option
@output_options
def ssh(run_dir: Path, command: tuple[str, ...], forwards: tuple[str, ...], trust: bool) -> None:
    """Open a shell on the pod of RUN, or run COMMAND there: `runpod-deploy ssh RUN -- nvidia-smi`.

    The run goes on as it is, and ends its pod as it would without you. Ports that are forwarded with -L can be used on
    this machine only, for as long as the command lasts. Exit code: that of the shell or command.
    """
    folder = RunDir(run_dir.absolute())
    require_own(folder, trust=trust)
    spec = read_spec(folder)
    known = require_known(spec.token, folder, trust=trust)
    state = fold(read_events(folder.events))
    asked = [parse_forward(text) for text in forwards]
    address = address_of(state, folder, real_cloud(), known=known)
    say_what_to_open(asked, proxy_urls(state.pod.id or "", spec.job.pod.ports))
    connection = connection_to(spec, folder, address, state.pod.boots)
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    become(ssh_command(connection, command, asked, folder=spec.job.storage.volume_mount, terminal=terminal))


def address_of(state: State, folder: RunDir, cloud: Cloud, *, known: bool = True) -> Address:
    """The pod's address. Raises UsageError that says why it cannot be reached.

    Nothing is asked of an address in the run folder before the API has said that the pod is the run's own, and nothing
    at all of one that the API does not tell if the run was not begun here.
    """
    if state.pod.id is None:
        what = "has ended without a pod" if state.end.finished else "has no pod yet"
        raise UsageError(f"run {state.run_id} {what}", hint=f"see `{about('events', folder.path)}`")
    pod = cloud.get(state.pod.id)
    if pod is None or not bears(pod, name=state.pod.name, token=state.pod_token):
        raise UsageError(
            f"the pod {state.pod.id} of run {state.run_id} is gone: it costs nothing any more",
            hint=f"its log is here: `{about('logs', folder.path)}`",
        )
    if pod.status in ("EXITED", "ERROR", "TERMINATED"):
        raise UsageError(
            f"the pod {pod.id} of run {state.run_id} is not running: its status is {pod.status}",
            hint=f"`{about('pull --start', folder.path)}` starts it, downloads its artifacts, and pauses it again",
        )
    if (address := pod.address or (state.pod.address if known else None)) is None:
        raise UsageError(
            f"the pod {pod.id} of run {state.run_id} is still booting",
            hint=f"see what its host does with `{about('logs --system', folder.path)}`, and try again in a minute",
        )
    return address


def say_what_to_open(forwards: list[Forward], urls: tuple[str, ...]) -> None:
    """stderr names the addresses to open in a browser."""
    for forward in forwards:
        info(f"port {forward.there} of the pod: open http://localhost:{forward.here} (until you leave)")
    for url in urls:
        info(f"through RunPod, for everybody who knows the address: {url}")


def become(argv: list[str]) -> NoReturn:
    """This process becomes ssh, so that the terminal is ssh's own. Raises ConfigError if ssh cannot be started."""
    try:
        os.execvpe(argv[0], argv, visitor_environment(os.environ))
    except OSError as error:
        raise ConfigError(f"ssh cannot be started: {error.strerror}", hint="install the OpenSSH client") from error
