"""`run`: one job from YAML to manifest."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import click

from ..config import load, parse_variables
from ..config.proxies import proxy_for
from ..config.settings import checked_key, read_settings
from ..errors import UsageError
from ..machine.signals import SIGNALS
from ..record.new_run import begin
from ..record.paths import RunDir, of_another_user
from ..record.spec_file import record_spec
from ..spec import Spec
from ..terminal.output import print_err, print_lines
from .completion import datacenters, gpu_ids
from .durations import Duration
from .ended_elsewhere import exit_code_elsewhere, journal_place
from .findings import print_findings
from .options import (
    DEBUG,
    WARNING,
    adopt_key_option,
    config_argument,
    detach_option,
    plain_option,
    variable_options,
    verbosity_options,
    wait_option,
)
from .tagging import checked_text, note_option, parse_tags, tag_option
from .validate import local_warnings

ACTIONS = "delete, stop, preserve or recycle"
# Flags that replace a value of the file: flag, its place in the file, type, the meaning of the value.
REPLACING: tuple[tuple[str, str, type, str], ...] = (
    ("cost_cap_usd", "budget.cost_cap_usd", float, "The most that the run may cost, in USD"),
    ("max_runtime_minutes", "budget.max_runtime_minutes", int, "The longest that the pod may run, its boot included"),
    ("ssh_ready_timeout_sec", "budget.ssh_ready_timeout_sec", int, "How long a pod may take to boot"),
    ("max_gpu_price", "budget.max_gpu_price", float, "The highest price of one GPU, in USD per hour"),
    ("on_success", "lifecycle.on_success", str, f"What becomes of the pod after a success: {ACTIONS}"),
    ("on_failure", "lifecycle.on_failure", str, f"What becomes of the pod after a failure: {ACTIONS}"),
)


def replacing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds a flag for each value that may be replaced for one run."""
    for flag, place, kind, meaning in reversed(REPLACING):
        name = "--" + flag.replace("_", "-")
        command = click.option(name, type=kind, help=f"{meaning}. Replaces {place} for this run.")(command)
    return command


@click.command
@config_argument
@variable_options
@replacing_options
@click.option(
    "--gpu-id",
    shell_complete=gpu_ids,
    help="With --datacenter-id: ask for exactly this GPU there, and for no other.",
)
@click.option("--datacenter-id", shell_complete=datacenters, help="See --gpu-id.")
@click.option(
    "--fallback-cloud-type", type=click.Choice(["SECURE", "COMMUNITY"]), help="Try this cloud too if there is no stock."
)
@click.option("--force-fresh", is_flag=True, help="Create a new pod even if a recycled one is paused.")
@click.option(
    "--wait-for-stock",
    type=Duration(),
    metavar="DURATION",
    help="Keep looking for stock for this long: 90s, 30m, 2h, 1d.",
)
@tag_option
@note_option
@click.option(
    "--run-id",
    help="Start the run with this id, continue it, or repeat how it ended. If another machine began it and has gone, "
    "this machine goes on with it.",
)
@adopt_key_option
@click.option(
    "--journal",
    metavar="PLACE",
    help="With --run-id: copy journal and manifest to this folder, or to a URI such as s3://bucket/runs (see "
    "`pip install 'runpod-deploy[journal]'`), and look there first whether another machine has finished the run.",
)
@wait_option
@click.option("--dry-run", is_flag=True, help="Look up stock and prices, print the plan, change nothing.")
@click.option("--offline-dry-run", is_flag=True, help="Print the plan without using the network.")
@click.option("--json", "as_json", is_flag=True, help="With --dry-run or --offline-dry-run: print the plan as JSON.")
@click.option("--print-run-dir", is_flag=True, help="Print RUN_DIR=<path> as the first line on stdout.")
@detach_option
@verbosity_options
@plain_option
def run(config: Path, var: tuple[str, ...], vars_file: Path | None, as_json: bool, **given: Any) -> int:
    """Create one pod, run one job on it, download its artifacts, release the pod, and write a manifest.

    Ctrl-C or closing the terminal ends the run: the job is stopped, its results are downloaded, the pod is released.
    With --detach, or after `d` is typed while the run is drawn, the run goes on without the terminal.
    """
    draft = load(config, cli_variables=parse_variables(var, vars_file), overrides=overrides(given))
    print_findings([*draft.findings, *local_warnings(draft)], given["verbosity"])
    wishes = wishes_of(given)
    if given["dry_run"] or given["offline_dry_run"]:
        show_plan(replace(draft.trial, **wishes), as_json=as_json, offline=given["offline_dry_run"])
        return 0
    require_access()  # a key that cannot be used is found before a folder is made
    if (code := exit_code_elsewhere(draft, given)) is not None:
        return code
    spec, run_dir = begin(draft, run_id=checked_id(given["run_id"]))
    is_new = not run_dir.spec.exists() and not run_dir.events.exists() and of_another_user(run_dir) is None
    asked = record_spec(replace(spec, **wishes), run_dir)
    if asked.job != spec.job:
        print_err(
            f"warning: run {asked.run_id} was started with another config or other variables, and continues with those"
        )
    if not given["wait"]:
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # until the run can handle one
    if given["print_run_dir"]:
        with suppress(OSError):  # nobody reads it any more; the run was asked for all the same
            print_lines([f"RUN_DIR={run_dir.path}"])
    return become_resume(run_dir, given, is_new=is_new or not given["run_id"])


def show_plan(spec: Spec, *, as_json: bool, offline: bool) -> None:
    """The plan is printed. Only now is loaded what asks for stock: a run has another process for that."""
    from ..live import connect_cloud
    from .dry_run import print_plan

    print_plan(spec, None if offline else connect_cloud(), as_json=as_json)


def require_access() -> None:
    """The API can be asked, as far as this machine can tell. Raises AuthRefused, ConfigError."""
    settings = read_settings()
    checked_key(settings.api_key)
    proxy_for(settings.origin)


def become_resume(run_dir: RunDir, given: dict[str, Any], *, is_new: bool) -> NoReturn:
    """This process becomes `resume`, without the libraries that were needed to read the config.

    They would stay in memory for as long as the run is watched, which may be days, in each of many runs.
    """
    flags = [flag for flag in ("--detach", "--leave-to-guard") if given[flag[2:].replace("-", "_")]]
    flags += ["--no-color"] if given["no_color"] else []
    flags += {DEBUG: ["-v"], WARNING: ["-q"]}.get(given["verbosity"], [])
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    flags += ["--trust"] if is_new else []  # its spec is this process's own
    flags += ["--adopt-key", str(given["adopt_key"])] if given["adopt_key"] else []
    flags += ["--wait", f"{given['wait'].total_seconds()}s"]
    argv = [sys.executable, "-P", "-m", "runpod_deploy", "resume", str(run_dir.path), *flags]
    os.execv(sys.executable, argv)


def overrides(given: dict[str, Any]) -> dict[str, object]:
    """The values that flags replace, by their paths in the file."""
    return {place: given[flag] for flag, place, *_ in REPLACING if given[flag] is not None}


def wishes_of(given: dict[str, Any]) -> dict[str, Any]:
    """The flags that choose a pod, and what is said about the run, as fields of the spec. Raises UsageError."""
    if bool(given["gpu_id"]) != bool(given["datacenter_id"]):
        raise UsageError("--gpu-id and --datacenter-id go together", hint="give both, or neither")
    return {
        "any_machine": bool(given["run_id"]),
        "journal": journal_place(given),
        "tags": parse_tags(given["tag"]),
        "note": checked_text("--note", given["note"]),
        "gpu_id": given["gpu_id"],
        "datacenter_id": given["datacenter_id"],
        "fallback_cloud_type": given["fallback_cloud_type"],
        "force_fresh": given["force_fresh"],
        "wait_for_stock_s": given["wait_for_stock"].total_seconds() if given["wait_for_stock"] else None,
    }


def checked_id(run_id: str | None) -> str:
    """The id, which becomes the name of a folder and of a pod; empty if none is given. Raises UsageError."""
    if run_id and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", run_id):
        raise UsageError(
            f"--run-id {run_id!r} is not a valid id", hint="use up to 60 letters, digits, dots, dashes, underscores"
        )
    return run_id or ""
