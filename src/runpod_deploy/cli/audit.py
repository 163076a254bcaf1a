"""audit: pods of ours that should not exist, from any machine; with --reap, their end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import click

from ..cloud.pod_labels import origin
from ..cloud.runpod import RunPodCloud
from ..cloud.values import Pod
from ..errors import FAILURE_KINDS, UsageError
from ..history.audit import SuspectPod, audit, suspect_cells, suspect_lines
from ..history.known_runs import known_runs
from ..machine.clock import SystemClock
from ..record.index import indexed_runs
from ..terminal.output import can_draw, info, print_json, print_lines, warn
from .access import real_cloud
from .options import json_option, output_options
from .pods import Wish, delete_asked
from .run_names import runs_folder
from .tables import print_table

COLUMNS = ("POD_ID", "STATUS", "AGE_H", "$/h", "REASON", "NAME", "WHY")


@click.command("audit")
@click.option("--reap", is_flag=True, help="Delete the leftovers, after listing them.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask first.")
@click.option(
    *("--pod", "pod_ids"),
    multiple=True,
    metavar="ID",
    help="With --reap: delete exactly this pod, if it is listed, whatever the reason; repeatable.",
)
@click.option(
    "--unknown",
    is_flag=True,
    help="With --reap: also delete pods that no run here knows. Another machine may use them: look there first.",
)
@click.option(
    *("--root", "roots"), multiple=True, metavar="DIR",
    help="A folder with runs of this machine; repeatable. [default: all runs of this machine]",
)  # fmt: skip
@json_option
@output_options
def audit_command(
    reap: bool, yes: bool, pod_ids: tuple[str, ...], unknown: bool, roots: tuple[str, ...], as_json: bool
) -> int:
    """List pods of this tool that should not exist, judged by their own data and by the journals on this machine.

    Leftovers are pods whose run is over, whose deadline has passed, or that never booted. Pods that are listed as
    `unknown`, `driver_gone`, `by_name` or `left_behind` may be in use, or hold results: look at them yourself, and
    delete one with --reap --pod ID. Exit 9 while leftovers exist.
    """
    cloud, now, roots = real_cloud(), SystemClock().now(), roots or all_roots()
    findings = examine(cloud, roots, now)
    if not as_json:
        show(findings, now)
    wanted = chosen(findings, pod_ids, unknown=unknown)
    if reap:
        return delete_asked(cloud, found_again(cloud, wanted, roots), Wish(yes, as_json=as_json))
    if as_json:
        print_json([as_row(finding) for finding in findings])
    return FAILURE_KINDS["release_unconfirmed"].exit_code if any(f.leftover for f in findings) else 0


def all_roots() -> tuple[str, ...]:
    """The folders that hold the runs of this project, and of all others that began runs on this machine."""
    return tuple(dict.fromkeys([runs_folder(), *(str(run.path.parent) for run in indexed_runs())]))


def chosen(findings: list[SuspectPod], pod_ids: tuple[str, ...], *, unknown: bool) -> list[SuspectPod]:
    """The findings that --reap deletes. Raises UsageError for an id that is not among them."""
    if missing := set(pod_ids) - {finding.pod.id for finding in findings}:
        hint = "give ids from the list of `runpod-deploy audit`; a pod that it does not list is in use, or is not ours"
        raise UsageError(f"not listed: {', '.join(sorted(missing))}", hint=hint)
    if pod_ids:
        return [finding for finding in findings if finding.pod.id in pod_ids]
    return [f for f in findings if f.leftover or (unknown and f.reason == "unknown" and not f.by_id_only)]


def examine(cloud: RunPodCloud, roots: Iterable[str], now: datetime) -> list[SuspectPod]:
    """The findings on all pods of the account."""
    return audit(*with_runs(cloud.list_pods(), roots), now)


def with_runs(pods: list[Pod], roots: Iterable[str]) -> tuple[list[Pod], Any]:
    """The pods, and the runs here that know any of them."""
    known = [ours for pod in pods if (ours := origin(pod))]
    names = {pod.id for pod in pods} | {ours.run_id for ours in known} | {ours.token for ours in known}
    return pods, known_runs(roots, names, warn)


def found_again(cloud: RunPodCloud, wanted: Iterable[SuspectPod], roots: Iterable[str]) -> list[str]:
    """The ids of the pods for which a second look finds the same.

    The listing may have been old, or a run may have been resumed meanwhile.
    """
    pods = [pod for finding in wanted if (pod := cloud.get(finding.pod.id)) is not None]
    reasons = {finding.pod.id: finding.reason for finding in wanted}
    again = audit(*with_runs(pods, roots), SystemClock().now())
    return [finding.pod.id for finding in again if finding.leftover or finding.reason == reasons[finding.pod.id]]


def show(findings: list[SuspectPod], now: datetime) -> None:
    """stdout has the table of findings; stderr has the meaning of each and what to do."""
    if not findings:
        print_lines(["No leftover pods."])
        return
    print_table(suspect_lines(findings, now), COLUMNS, suspect_cells(findings, now))
    if not can_draw():
        for finding in findings:
            info(f"{finding.pod.id}: {finding.explanation}")
    if any(finding.leftover for finding in findings):
        info("hint: delete the leftovers with `runpod-deploy audit --reap`")


def as_row(finding: SuspectPod) -> dict[str, Any]:
    """The finding as JSON."""
    pod = finding.pod
    return {
        "pod_id": pod.id,
        "name": pod.name,
        "run_id": finding.run_id,
        "status": pod.status,
        "created_at": pod.created_at.isoformat() if pod.created_at else None,
        "cost_per_hour_usd": pod.usd_per_hour,
        "reason": finding.reason,
        "leftover": finding.leftover,
        "explanation": finding.explanation,
    }
