"""Every name that scripts of the earlier tool use: there, called as they call it, and frozen where they rely on it."""

from __future__ import annotations

import dataclasses
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

import runpod_deploy as rd
from runpod_deploy.errors import AuthRefused, BootTimeout, ConfigError, ConfigMissing, DeployError, UsageError
from tests.support.workshop import REPOSITORY

PAGE = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
# What can be called, as it was: what comes before `*` may be given by place; `=` marks what may be left out.
CALLS = {
    "load_job_spec": "path",
    "build_job_context": "spec config_path * cli_variables= timestamp=",
    "validate_local_paths": "ctx",
    "run_job": "spec * config_path dry_run= offline_dry_run= gpu_id_override= datacenter_id_override="
    " max_gpu_price_usd= cli_variables= print_run_dir= ssh_ready_timeout_sec_override= force_fresh="
    " fallback_cloud_type=",
    "walk_run_dirs": "project_root",
    "load_manifest": "path",
    "load_events": "run_dir_or_file",
    "capture_local_git": "project_root",
    "capture_payload_lockfile": "project_root",
    "fetch_gpu_prices": "* api_key= force_refresh= cache_ttl_sec=",
    "select_price_for_pod": "prices * gpu_id cloud_type spot",
    "estimate_volume_storage_cost_usd_per_day": "gb",
    "select_gpu_across_datacenters": "payload * datacenters gpu_order on_failover= prices= max_gpu_price_usd=",
    "resolve_volume": "volumes * volume_name expected_datacenter_id",
    "cleanup_pod": "pod_id * action dry_run state_file= volume_in_gb=",
    "list_stale_pods": "",
    "bulk_delete_pods": "ids * dry_run",
    "report_gpu_inventory": "ctx",
    "rsync_argv": "* source destination port ssh_key excludes delete= chmod=",
    "JobContext": "config_path spec run_id run_dir variables",
    "JobContext.render": "self value",
    "JobContext.render_path": "self value * base=",
    "GpuPrice": "id display_name secure_price community_price secure_spot_price community_spot_price lowest_price",
    "StalePod": "pod_id name volume_in_gb age_hours estimated_daily_cost_usd",
    "InventoryReport": "gpu_order datacenters",
    "DatacenterInventory": "datacenter_id configured_available configured_low_stock configured_stockout"
    " configured_unknown other_available",
    "PodConnection": "pod_id host port gpu_id",
    "RemoteRunner": "host port ssh_key dry_run=",
    "RemoteRunner.ssh_argv": "self cmd * detached=",
    "RemoteRunner.ssh_exec": "self cmd * timeout_sec= check=",
    "RemoteRunner.ssh_stream": "self cmd",
    "RemoteRunner.ssh_exec_detached": "self cmd * timeout_sec=",
    "RemoteRunner.rsync_push": "self transfer * timeout_sec= chmod=",
    "RemoteRunner.rsync_pull": "self * remote_path local_path excludes= timeout_sec= delete=",
}
SECTIONS = {
    "LocalSpec": "project_root required_paths",
    "PodSpec": "image datacenters gpu_order cloud_type ports container_disk_gb gpu_count spot min_vcpu_count"
    " min_memory_gb python_version",
    "StorageSpec": "mode volume_mount volume_name volume_gb",
    "SshSpec": "key_path",
    "BudgetSpec": "cost_cap_usd assumed_hourly_rate_usd max_runtime_minutes poll_interval_sec ssh_ready_timeout_sec",
    "RemoteEnvSpec": "source_files exports",
    "CommandSpec": "command timeout_sec with_env",
    "RsyncPushSpec": "label source destination excludes excludes_default excludes_extra delete",
    "SecretSpec": "name destination env file mode",
    "RunSpec": "script_path log_path success_marker failure_markers body",
    "ArtifactPullSpec": "label remote_path local_path required excludes delete",
    "LifecyclePolicySpec": "on_success on_failure",
    "TelemetrySpec": "enabled sample_interval_sec capture_nvidia_smi capture_dmesg capture_pod_describe"
    " capture_remote_env capture_local_git capture_payload_lockfile",
    "RunpodJobSpec": "schema_version name run_id_prefix state_file local pod storage ssh budget remote_env setup"
    " preflight staging secrets run artifacts lifecycle telemetry variables",
}
PROPERTIES = (
    *("SshSpec.resolved_key_path", "BudgetSpec.timeout_sec", "RsyncPushSpec.effective_excludes"),
    *("RunpodJobSpec.resolved_state_file", "InventoryReport.any_stocked", "RemoteRunner.target"),
)
CONSTANTS = {
    "SCHEMA_VERSION": 2,
    "STORAGE_EPHEMERAL": "ephemeral",
    "STORAGE_NETWORK_VOLUME": "network_volume",
    "VOLUME_STORAGE_USD_PER_GB_MONTH": 0.10,
    "LIFECYCLE_ACTIONS": ("preserve", "stop", "delete", "recycle"),
}


def found(name: str) -> Any:
    """The object that the package offers under that name."""
    first, *rest = name.split(".")
    value = getattr(rd, first)
    return getattr(value, rest[0]) if rest else value


@pytest.mark.parametrize("name", CALLS)
def test_it_is_called_as_it_was(name: str) -> None:
    by_place, _, by_name = CALLS[name].partition("*")
    parameters = inspect.signature(found(name)).parameters

    placed = [p.name for p in parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert placed[: len(by_place.split())] == [word.rstrip("=") for word in by_place.split()]
    for word in (*by_place.split(), *by_name.split()):
        parameter = parameters[word.rstrip("=")]
        if word.endswith("="):
            assert parameter.default is not inspect.Parameter.empty, f"{name}({word}) may be left out"
    needed = {p.name for p in parameters.values() if p.default is inspect.Parameter.empty}
    assert needed <= {word for word in CALLS[name].split() if not word.endswith("=")}, "nothing more is asked for"


@pytest.mark.parametrize("name", SECTIONS)
def test_sections_have_their_fields_and_cannot_be_changed(name: str) -> None:
    section = found(name)

    assert set(SECTIONS[name].split()) <= {field.name for field in dataclasses.fields(section)}
    assert section.__dataclass_params__.frozen and "__slots__" in vars(section)


@pytest.mark.parametrize("name", ["JobContext", "GpuPrice", "StalePod", "InventoryReport", "DatacenterInventory"])
def test_answers_cannot_be_changed(name: str) -> None:
    assert found(name).__dataclass_params__.frozen and "__slots__" in vars(found(name))


@pytest.mark.parametrize("name", PROPERTIES)
def test_derived_values_are_there(name: str) -> None:
    assert isinstance(found(name), property)


def test_constants_have_their_values() -> None:
    assert {name: getattr(rd, name) for name in CONSTANTS} == CONSTANTS
    assert len(rd.DEFAULT_STAGING_EXCLUDES) == 7
    assert get_args(rd.LifecycleAction) == rd.LIFECYCLE_ACTIONS
    assert isinstance(rd.__version__, str)


def test_a_copy_with_changes_is_made_by_replace() -> None:
    policy = rd.LifecyclePolicySpec(on_success="stop")

    assert rd.replace(policy, on_success="delete") == rd.LifecyclePolicySpec()


def test_errors_are_caught_as_scripts_of_old_catch_them(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("nme: x")
    for path, kind in (("wrong.yaml", ValueError), ("wrong.yaml", RuntimeError), ("absent.yaml", FileNotFoundError)):
        with pytest.raises(kind) as caught:
            rd.load_job_spec(tmp_path / path)
        assert isinstance(caught.value, ConfigError) and str(caught.value) == caught.value.message
    assert issubclass(ConfigMissing, ConfigError) and issubclass(rd.RemoteRunError, RuntimeError)
    assert all(issubclass(kind, RuntimeError) for kind in (DeployError, AuthRefused, BootTimeout, UsageError))


def test_paths_may_be_texts(tmp_path: Path) -> None:
    assert rd.walk_run_dirs(str(tmp_path)) == []
    assert rd.capture_local_git(str(tmp_path)) == rd.capture_local_git(tmp_path)
    assert set(rd.capture_payload_lockfile(str(tmp_path)).values()) == {None}


def test_the_page_speaks_of_every_name() -> None:
    for name in (*CALLS, *SECTIONS, *CONSTANTS, "LifecycleAction", "replace", *rd.api.__all__):
        assert re.search(rf"`[^`]*\b{re.escape(name.split('.')[-1])}", PAGE), f"docs/api.md says nothing of {name}"


def test_all_names_can_be_listed_and_imported_at_once() -> None:
    code = (
        "import runpod_deploy; print(sorted(dir(runpod_deploy))); from runpod_deploy import *; print(run_job, replace)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "'run_job'" in done.stdout and "<function run_job" in done.stdout
    assert set(rd.api.__all__) <= set(dir(rd))
