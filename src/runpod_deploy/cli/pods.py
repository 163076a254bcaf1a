"""ls-stale and cleanup: pods that were left, and how to end them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import click

from ..cloud.pod_labels import RUN_ID_LABEL, bears, origin, token_of
from ..cloud.removal import Action, Ended, end, end_all
from ..cloud.runpod import RunPodCloud
from ..cloud.stale import StalePod, chosen, stale_cells, stale_lines, stale_pods, total_line
from ..cloud.values import Pod
from ..errors import FAILURE_KINDS, AuthRefused, ConfigError, UsageError
from ..machine.clock import SystemClock
from ..record.paths import MANIFEST_NAME
from ..record.state_file import StateFile, read_state_file
from ..spec.visible import shortened
from ..terminal.amounts import counted
from ..terminal.output import can_draw, info, print_err, print_json, print_lines
from .access import real_cloud
from .durations import Duration
from .options import json_option, output_options
from .tables import print_table

NAME_CHARS = 80
STALE_COLUMNS = ("POD_ID", "NAME", "GB", "$/day", "$/mo", "AGE")


@click.command("ls-stale")
@json_option
@output_options
def ls_stale(as_json: bool) -> None:
    """List the stopped (EXITED) pods of the account and the price of their disks."""
    found = stale_pods(real_cloud().list_pods(), SystemClock().now())
    if as_json:
        print_json([asdict(pod) for pod in found])
    else:
        print_stale(found)


@click.command
@click.option("--state-file", type=click.Path(path_type=Path), metavar="PATH", help="End the pod that this file names.")
@click.option("--all-stopped", is_flag=True, help="Delete stopped pods of the account, after listing them.")
@click.option(
    "--mode",
    type=click.Choice(["preserve", "stop", "delete"]),
    default="delete",
    show_default=True,
    help="With --state-file: what happens to the pod.",
)
@click.option("--prefix", default="", metavar="TEXT", help="With --all-stopped: only pods whose names begin with this.")
@click.option(
    "--older-than",
    type=Duration(),
    metavar="DURATION",
    help="With --all-stopped: only pods older than this, such as 7d.",
)
@click.option(
    "--yes", "-y", is_flag=True, help="Do not ask first; with --state-file, end also a pod that may be another one."
)
@click.option("--dry-run", is_flag=True, help="Print what would be done, and do nothing.")
@json_option
@output_options
def cleanup(
    state_file: Path | None,
    all_stopped: bool,
    mode: str,
    prefix: str,
    older_than: timedelta | None,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """End the pod of a state file, or delete all stopped pods. Exit 9 if a pod may still bill."""
    if (state_file is None) == (not all_stopped):
        raise UsageError("give either --state-file PATH or --all-stopped")
    if state_file is not None:
        end_one(state_file, mode, Wish(yes, dry_run, as_json))
        return 0
    return end_stopped(prefix, older_than, Wish(yes, dry_run, as_json))


@dataclass(frozen=True, slots=True)
class Wish:
    """The flags of a command that ends pods."""

    yes: bool
    """Do not ask first."""
    dry_run: bool = False
    as_json: bool = False


def end_one(state_file: Path, mode: str, wish: Wish) -> None:
    """The pod of the state file is as asked, confirmed. Raises ReleaseUnconfirmed, ConfigError, UsageError."""
    recorded = read_state_file(state_file)
    if mode == "preserve" or wish.dry_run:
        if wish.as_json:
            print_json([{"pod_id": recorded.pod_id, "would": mode}])
        info(f"pod {recorded.pod_id}: " + ("left as it is" if mode == "preserve" else f"would {mode} it"))
        return
    cloud, action = real_cloud(), as_action(mode)
    pod = check_owner(cloud, recorded, state_file)
    if not wish.yes and pod is not None and (doubt := doubt_about(pod, recorded)):
        raise UsageError(
            f"{state_file} names pod {pod.id}, and {doubt}: nothing was done, and the pod goes on as it is",
            hint=f"if it is to be ended: `runpod-deploy cleanup --state-file {state_file} --mode {mode} --yes`",
        )
    end(cloud, SystemClock(), recorded.pod_id, action)
    info(f"pod {recorded.pod_id}: {outcome(action, seen=pod is not None)}")
    if wish.as_json:
        print_json([asdict(Ended(pod_id=recorded.pod_id))])
    if action == "delete" and state_file.name != MANIFEST_NAME:  # the manifest of a run names its pod as well
        state_file.unlink(missing_ok=True)


def outcome(action: Action, *, seen: bool) -> str:
    """The end of a pod in words. A file of the earlier tool does not tell which account its pod belongs to."""
    if not seen:
        return "this API key sees no such pod: it is gone, or belongs to another account"
    return f"{'deleted' if action == 'delete' else 'stopped'}, confirmed"


def as_action(mode: str) -> Action:
    """The mode as an action."""
    return "delete" if mode == "delete" else "stop"


def check_owner(cloud: RunPodCloud, recorded: StateFile, state_file: Path) -> Pod | None:
    """The pod of the file. Raises ConfigError if it belongs to another run, because the file is out of date, and
    AuthRefused if the key does not see the pod and is another one than the pod was requested with.
    """
    pod = cloud.get(recorded.pod_id)
    if pod is None and recorded.account not in ("", cloud.account):
        raise AuthRefused(
            f"{state_file}: its pod {recorded.pod_id} was requested with another API key than this one, which does not "
            "see it: nothing was done, and the pod may still bill",
            hint="set RUNPOD_API_KEY to a key of the account that the run began with",
        )
    if pod is not None and recorded.run_id and not belongs_to(pod, recorded):
        raise ConfigError(
            f"{state_file}: its pod {pod.id} now belongs to {pod.name!r}, not to {recorded.run_id!r}",
            hint="the file is out of date: remove it, and look for leftover pods with `runpod-deploy audit`",
        )
    return pod


def doubt_about(pod: Pod, recorded: StateFile) -> str:
    """Why the file may not mean this pod; empty if it does. Anybody can write the id of a pod to a file.

    Files of the earlier tool name no run, and its pods have the names of runs and bear no token.
    """
    if origin(pod) is None:
        return f"nothing on that pod ({shortened(repr(pod.name), NAME_CHARS)}) shows that runpod-deploy made it"
    if not recorded.run_id and token_of(pod):
        return f"not the run that it belongs to ({shortened(repr(pod.name), NAME_CHARS)})"
    return ""


def belongs_to(pod: Pod, recorded: StateFile) -> bool:
    """Whether the pod is that of the file's run. A manifest, or an older file, has no token: then by name."""
    if recorded.token:
        return bears(pod, name=recorded.run_id, token=recorded.token)
    return recorded.run_id in (pod.name, pod.env.get(RUN_ID_LABEL))


def end_stopped(prefix: str, older_than: timedelta | None, wish: Wish) -> int:
    """The exit code, once the chosen stopped pods are deleted."""
    cloud = real_cloud()
    found = chosen(stale_pods(cloud.list_pods(), SystemClock().now()), prefix=prefix, older_than=older_than)
    if not wish.as_json:
        print_stale(found)
    if wish.dry_run:
        info(f"would delete {counted(len(found), 'pod')}")
        if wish.as_json:
            print_json([asdict(pod) for pod in found])
        return 0
    return delete_asked(cloud, [pod.pod_id for pod in found], wish)


def delete_asked(cloud: RunPodCloud, pod_ids: list[str], wish: Wish) -> int:
    """The exit code, once the pods are deleted: 1 if the user said no, 9 if a pod may still bill."""
    if pod_ids and not wish.yes and not click.confirm(f"Delete {counted(len(pod_ids), 'pod')}?", err=True):
        info("nothing was deleted")
        return 1
    done = []
    for ended in end_all(cloud, SystemClock(), pod_ids, "delete"):
        done.append(ended)
        print_err(f"error: {ended.error}") if ended.error else info(f"pod {ended.pod_id}: deleted")
    failed = sum(bool(ended.error) for ended in done)
    if wish.as_json:
        print_json([asdict(ended) for ended in done])
    elif done:
        print_lines([f"deleted: {len(done) - failed}, failed: {failed}"])
    return FAILURE_KINDS["release_unconfirmed"].exit_code if failed else 0


def print_stale(found: list[StalePod]) -> None:
    """stdout has the table and its sum, or says that there are no such pods."""
    if not found:
        print_lines(["No stale (EXITED) pods."])
        return
    print_table(stale_lines(found), STALE_COLUMNS, stale_cells(found))
    if can_draw():
        print_lines([total_line(found)])
