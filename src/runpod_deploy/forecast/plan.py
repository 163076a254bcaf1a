"""The plan of a run, phase by phase, as text. Pure: spec, candidates and shipments in, lines out; never a secret."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..cloud.rates import expected_forecast, expected_rate
from ..cloud.values import Candidate
from ..money import Forecast, Limit, cents, requested_disks
from ..pod.pinning import TIMEOUT_S as PIN_TIMEOUT_S
from ..pod.transfer.shipment import Shipment
from ..spec import ArtifactPullSpec, CommandSpec, RsyncPushSpec, SecretSpec, Spec
from ..terminal.console import size

MOST_CANDIDATES = 8
LARGEST_SHOWN = 3
LIMIT_NAMES: dict[Limit, str] = {"cost_cap": "the cap", "max_runtime": "max_runtime_minutes"}


@dataclass(frozen=True, slots=True)
class PlannedPhase:
    """One phase: its name, and a line for each thing that it would do."""

    phase: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The facts for a plan that can be found without doing anything."""

    candidates: tuple[Candidate, ...]
    skipped: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()
    """The meanings of GPU names that are no ids."""
    volume_id: str = "<volume-id>"
    shipments: tuple[Shipment, ...] = ()
    secrets_here: dict[str, bool] = field(default_factory=dict)
    """Whether each secret's value is here, by the secret's name."""


def plan(spec: Spec, outlook: Outlook) -> list[PlannedPhase]:
    """Every phase of the run, in order."""
    job = spec.job
    mount = job.storage.volume_mount
    launch = (f"write {job.run.script_path} and start it, log {job.run.log_path}", *indented(job.run.body))
    return [
        PlannedPhase("check", tuple(check_lines(spec))),
        PlannedPhase("choose", tuple(choose_lines(outlook))),
        PlannedPhase("provision", tuple(provision_lines(spec, outlook))),
        PlannedPhase("connect", tuple(connect_lines(spec))),
        PlannedPhase("setup", (*python_lines(job.pod.python_version), *command_lines(job.setup))),
        PlannedPhase("secrets", tuple(secret_line(secret, outlook) for secret in job.secrets)),
        PlannedPhase(
            "stage",
            tuple(line for i, entry in enumerate(job.staging) for line in stage_lines(i, entry, outlook, mount)),
        ),
        PlannedPhase("preflight", tuple(command_lines(job.preflight))),
        PlannedPhase("launch", launch),
        PlannedPhase("watch", tuple(watch_lines(spec))),
        PlannedPhase("collect", tuple(collect_line(spec, entry) for entry in job.artifacts)),
        PlannedPhase("release", (f"after success: {job.lifecycle.on_success}", f"else: {job.lifecycle.on_failure}")),
    ]


def check_lines(spec: Spec) -> Iterator[str]:
    """Lines about the folder, the required paths and the variables."""
    yield f"project folder {spec.project_root}"
    if spec.job.local.required_paths:
        yield f"must be there: {', '.join(spec.job.local.required_paths)}"
    for name, value in spec.variables.items():
        yield f"{name} = {value}"


def choose_lines(outlook: Outlook) -> Iterator[str]:
    """A line for each candidate in the order in which they would be tried, and for each GPU that is left out."""
    yield from outlook.resolved
    for number, candidate in enumerate(outlook.candidates[:MOST_CANDIDATES], 1):
        yield f"{number}. {named(candidate)} at {priced(candidate.usd_per_gpu_hour)} a GPU"
    if len(outlook.candidates) > MOST_CANDIDATES:
        yield f"and {len(outlook.candidates) - MOST_CANDIDATES} more"
    yield from (f"left out: {reason}" for reason in outlook.skipped)


def provision_lines(spec: Spec, outlook: Outlook) -> Iterator[str]:
    """The pod that would be created, its price and its end."""
    pod, storage = spec.job.pod, spec.job.storage
    first = outlook.candidates[0]
    what = first.gpu_id if pod.cpu else f"{pod.gpu_count} x {first.gpu_id}"
    yield f"create pod {spec.run_id}: {what} in {first.datacenter_id or first.cloud_type}, image {pod.image}"
    volume = f"volume of {storage.volume_gb} GB"
    if storage.volume_name:
        volume = f"network volume {storage.volume_name} ({outlook.volume_id})"
    yield f"container disk {pod.container_disk_gb} GB, {volume} at {storage.volume_mount}, ports {', '.join(pod.ports)}"
    if pod.env:
        yield f"environment: {', '.join(pod.env)} (values not shown)"
    yield money_line(spec, first)


def money_line(spec: Spec, candidate: Candidate) -> str:
    """The pod's price per hour, and when it would be stopped at the latest."""
    rate, ahead = expected_rate(spec.job, candidate), expected_forecast(spec.job, candidate)
    source = " (assumed)" if rate.source == "assumed_rate" else ""
    disks = f"{cents(requested_disks(spec.job).usd_per_hour)} USD/h for its disks"
    lasts = duration(ahead.stops_after.total_seconds() / 60)
    stop = f"stopped after {lasts} and {cents(ahead.cost_usd)} USD at the latest"
    return f"{cents(rate.usd_per_hour)} USD/h{source} and {disks}; {stop}, by {limit_name(spec, ahead)}"


def limit_name(spec: Spec, ahead: Forecast) -> str:
    """The limit that stops the pod, with its value if that is money."""
    cap = f" of {cents(spec.job.budget.cost_cap_usd)} USD" if ahead.why == "cost_cap" else ""
    return LIMIT_NAMES[ahead.why] + cap


def connect_lines(spec: Spec) -> Iterator[str]:
    """Lines about the SSH connection and the guard."""
    yield f"wait up to {spec.job.budget.ssh_ready_timeout_sec} s for SSH, key {spec.job.ssh.key_path} or the run's own"
    guard = "and do not start the job without it" if spec.job.guard.required else "if possible"
    yield f"arm the guard on the pod, {guard}"


def python_lines(version: str | None) -> Iterator[str]:
    """A line about the Python version that is installed before the first command."""
    if version:
        yield f"within {PIN_TIMEOUT_S} s: Python {version} for uv, and uv itself if the image has none"


def command_lines(commands: Sequence[CommandSpec]) -> Iterator[str]:
    """Each command with its time limit."""
    for command in commands:
        env = ", with remote_env" if command.with_env else ""
        yield f"within {command.timeout_sec} s{env}:"
        yield from indented(command.command)


def secret_line(secret: SecretSpec, outlook: Outlook) -> str:
    """A secret by its name and source, never its value."""
    file = secret.file or secret.env_file
    source = f"file {file}" if file else f"environment: {', '.join(secret.env)}"
    here = "" if outlook.secrets_here.get(secret.name, True) else ", NOT HERE"
    place = f"{secret.destination}, mode {secret.mode}" if secret.destination else "variables"
    return f"{secret.name}: {place}, from {source}{here}"


def stage_lines(index: int, entry: RsyncPushSpec, outlook: Outlook, mount: str) -> Iterator[str]:
    """The files that an entry would upload, and what it would delete."""
    yield f"{entry.label}: {entry.source} -> {entry.destination}{deletion(entry, mount)}"
    if index < len(outlook.shipments):
        shipment = outlook.shipments[index]
        yield f"  {len(shipment.files):,} files, {size(shipment.size_bytes)}"
        yield from (f"  {file.name}  {size(file.size_bytes)}" for file in shipment.largest[:LARGEST_SHOWN])
        if shipment.links_out:
            yield f"  WARNING: links that lead out of the source are sent as links: {', '.join(shipment.links_out[:5])}"


def deletion(entry: RsyncPushSpec, mount: str) -> str:
    """What an entry would delete, in words."""
    if not entry.deletes(mount):
        return ", deleting nothing" if entry.delete is None else ""
    everything = f": ALL OF THE VOLUME at {mount} but these files and folders" if entry.reaches(mount) else ""
    return f", deleting files that are not here{everything}"


def watch_lines(spec: Spec) -> Iterator[str]:
    """Lines about how the end of the job would be judged."""
    run = spec.job.run
    marker = f" and a line with {run.success_marker!r}" if run.success_marker else ""
    yield f"succeeded: exit status 0{marker}"
    if run.failure_markers:
        yield f"failed at once: a line with {' or '.join(map(repr, run.failure_markers))}"
    if run.stall_timeout_minutes:
        yield f"stopped: no output for {run.stall_timeout_minutes} min"


def collect_line(spec: Spec, entry: ArtifactPullSpec) -> str:
    """The local path that an artifact would be pulled to."""
    what = f"contents of {entry.remote_path}" if entry.remote_path.endswith("/") else entry.remote_path
    often = f", also every {entry.every_sec} s" if entry.every_sec else ""
    need = "required" if entry.required else "if there"
    return f"{entry.label}: {what} -> {entry.landing(spec.project_root)} ({need}{often})"


def indented(text: str) -> tuple[str, ...]:
    """Shell text, indented so that it stands out."""
    return tuple(f"  | {line}" for line in text.rstrip("\n").split("\n"))


def named(candidate: Candidate) -> str:
    """A candidate in words."""
    place = f" in {candidate.datacenter_id}" if candidate.datacenter_id else ""
    return f"{candidate.gpu_id}{place} on {candidate.cloud_type}"


def priced(usd_per_hour: float | None) -> str:
    """A price in words."""
    return "unknown price" if usd_per_hour is None else f"{cents(usd_per_hour)} USD/h"


def duration(minutes: float) -> str:
    """A length of time in words."""
    if minutes < 1:
        return f"{minutes * 60:.0f} s"
    hours, rest = divmod(int(minutes), 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def as_lines(spec: Spec, steps: Sequence[PlannedPhase]) -> Iterator[str]:
    """The plan for a reader; phases with nothing to do are left out."""
    yield f"{spec.run_id}: what would happen; nothing is done"
    for step in steps:
        if step.lines:
            yield from ("", step.phase, *(f"  {line.expandtabs(4)}" for line in step.lines))
