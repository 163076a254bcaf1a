"""The modules that scripts of the earlier tool import from: there, warned of once, and working without a cloud."""

from __future__ import annotations

import importlib
import json
import logging
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

import runpod_deploy as rd
from tests.support.workshop import REPOSITORY

MODULES = {
    "config": "DEFAULT_STAGING_EXCLUDES LIFECYCLE_ACTIONS SCHEMA_VERSION STORAGE_EPHEMERAL STORAGE_NETWORK_VOLUME"
    " ArtifactPullSpec BudgetSpec CommandSpec JobContext LifecycleAction LifecyclePolicySpec LocalSpec PodSpec"
    " RemoteEnvSpec RsyncPushSpec RunSpec RunpodJobSpec SecretSpec SshSpec StopPolicySpec StorageSpec TelemetrySpec"
    " build_job_context load_job_spec validate_local_paths",
    "orchestrator": "run_job",
    "provider": "PodConnection StalePod _wait_for_pod_ready bulk_delete_pods cleanup_pod list_stale_pods logger"
    " provision_pod resolve_volume run_json select_gpu_across_datacenters stop_pod try_resume_pod wait_for_pod_ready",
    "pricing": "VOLUME_STORAGE_USD_PER_GB_MONTH GpuPrice estimate_volume_storage_cost_usd_per_day fetch_gpu_prices"
    " select_price_for_pod",
    "transport": "RemoteRunError RemoteRunner RsyncTransfer log_cmd rsync_argv",
    "metadata": "capture_local_git capture_payload_lockfile",
    "forensics": "load_events load_manifest walk_run_dirs",
    "preflight": "DatacenterInventory InventoryReport check_gpu_availability check_image_registry"
    " fetch_datacenter_payload report_gpu_inventory scan_consumer_pyproject scan_staged_payloads_for_absolute_paths",
    "manifest": "ArtifactResult build_pull_manifest write_pull_manifest",
    "telemetry": "TelemetrySession start_session",
    "cli": "main",
}
WARNED_OF = sorted(set(MODULES) - {"cli"})
PROBE = """
import sys, warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for module, names in {modules!r}.items():
        for name in names.split():
            exec(f"from runpod_deploy.{{module}} import {{name}}")
            exec(f"from runpod_deploy import {{module}}; {{module}}.{{name}}")
for warning in caught:
    print(warning.category.__name__, warning.filename, str(warning.message).split()[0], "runpod_deploy" in str(warning))
"""
JOB = """
schema_version: 2
name: old
pod: {image: runpod/pytorch:1, datacenters: [EU-SE-1], gpu_order: [NVIDIA A40]}
storage: {mode: ephemeral, volume_gb: 10}
staging: [{label: code, source: code, destination: /workspace/code}]
run: {script_path: /workspace/s.sh, log_path: /workspace/s.log, body: "true"}
artifacts:
  - {label: ckpt, remote_path: "/workspace/{run_id}", local_path: out, required: false}
"""


def module(name: str) -> Any:
    """The module of the earlier tool; that it warns is the business of another test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return importlib.import_module(f"runpod_deploy.{name}")


@pytest.fixture
def ctx(tmp_path: Path) -> rd.JobContext:
    path = tmp_path / "job.yaml"
    path.write_text(JOB)
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "train.py").write_text("open('/home/somebody/data.csv')\n")
    return rd.build_job_context(rd.load_job_spec(path), path, timestamp="20260102T030405Z")


def test_every_name_is_there_and_each_module_warns_once_where_it_is_imported() -> None:
    """Both forms of import are tried, in a process of its own, where nothing was imported before."""
    done = subprocess.run([sys.executable, "-c", PROBE.format(modules=MODULES)], capture_output=True, text=True)

    assert done.stderr == ""
    warned = [line.split() for line in done.stdout.splitlines()]
    assert {row[0] for row in warned} == {"DeprecationWarning"} and {row[1] for row in warned} == {"<string>"}
    assert sorted(row[2].split(".")[1] for row in warned) == WARNED_OF
    assert {row[3] for row in warned} == {"True"}


def test_names_of_two_homes_are_one_object() -> None:
    for name in sorted(set(MODULES) - {"cli", "provider", "preflight", "manifest", "telemetry", "transport", "config"}):
        assert all(getattr(module(name), word) is getattr(rd, word) for word in MODULES[name].split())


def test_a_module_of_ours_is_never_hidden_by_one_of_the_earlier_tool() -> None:
    ours = {path.stem for path in (REPOSITORY / "src/runpod_deploy").iterdir()}
    earlier = {path.stem for path in (REPOSITORY / "src/runpod_deploy/api/compat/modules").glob("[a-z]*.py")}
    assert ours & earlier == set()


def test_the_old_policy_says_what_it_means_now() -> None:
    assert rd.StopPolicySpec().lifecycle == rd.LifecyclePolicySpec()
    kept = rd.StopPolicySpec(on_success=False, on_failure=False).lifecycle
    assert (kept.on_success, kept.on_failure) == ("preserve", "preserve")


def test_a_program_answers_in_json_or_its_failure_is_told() -> None:
    run_json = module("provider").run_json

    assert run_json(["echo", '{"a": [1]}']) == {"a": [1]}
    for argv, what in ((["echo", "no"], "gave no JSON"), (["false"], "exited with 1"), (["no-such-program"], "JSON")):
        with pytest.raises(RuntimeError, match=what):
            run_json(argv)


def test_a_dry_run_gives_the_address_that_nothing_answers_at(ctx: rd.JobContext) -> None:
    provider = module("provider")
    pod = provider.provision_pod(ctx, volume_id=None, gpu_id="NVIDIA A40", datacenter_id="EU-SE-1", dry_run=True)

    assert pod == rd.PodConnection("<pod-id>", "203.0.113.10", 22022, "NVIDIA A40")
    assert not ctx.run_dir.exists()


def test_a_paused_pod_is_left_to_provision_pod(tmp_path: Path) -> None:
    ask = {"image": "i", "gpu_id": "g", "datacenter_id": "d"}
    assert module("provider").try_resume_pod(tmp_path / "state", **ask) is None


def test_scans_log_what_they_find(ctx: rd.JobContext, caplog: pytest.LogCaptureFixture) -> None:
    (ctx.config_path.parent / "pyproject.toml").write_text('[project]\ndependencies = ["runpod-deploy"]\n')
    with caplog.at_level(logging.WARNING, logger="runpod_deploy"):
        module("preflight").scan_consumer_pyproject(ctx)
        module("preflight").scan_staged_payloads_for_absolute_paths(ctx)

    assert "runpod-deploy would be installed on the pod" in caplog.text
    assert "train.py:1 names /home/somebody/" in caplog.text


def test_a_manifest_written_by_hand_is_read_like_any_other(ctx: rd.JobContext) -> None:
    manifest = module("manifest")
    path = manifest.write_pull_manifest(
        ctx,
        failed=True,
        pod=rd.PodConnection("p1", "h", 22, "NVIDIA A40"),
        datacenter_id="EU-SE-1",
        artifact_results=[manifest.ArtifactResult("ckpt", "failed", error="x" * 900)],
        telemetry_files=[ctx.run_dir / "events.jsonl"],
        wall_time_sec=1800,
        gpu_price_per_hour_usd=0.5,
        gpu_price_source="pod_describe",
    )

    assert path == ctx.run_dir / "runpod_deploy_pull_manifest.json"
    read = rd.load_manifest(ctx.run_dir)
    assert read is not None and read["estimated_cost_usd"] == 0.25 and read["telemetry_files"] == ["events.jsonl"]
    assert read["artifacts"][0]["remote_path"] == "/workspace/old-20260102T030405Z"
    assert len(read["artifacts"][0]["error"]) == 500
    assert list(read)[:5] == ["schema_version", "pulled_at_utc", "failed", "job_name", "run_id"]
    assert rd.walk_run_dirs(ctx.config_path.parent) == [ctx.run_dir]


def test_a_session_records_events_and_nothing_of_a_pod_that_does_not_answer(tmp_path: Path) -> None:
    runner = rd.RemoteRunner("127.0.0.1", 1, tmp_path / "key")
    values = {"run_dir": tmp_path, "runner": runner, "pod_id": "p", "assumed_hourly_rate_usd": 1.0}
    spec = rd.TelemetrySpec(capture_pod_describe=False, capture_remote_env=False)
    session = module("telemetry").start_session(spec=spec, **values)
    session.emit_event("eval_done", f1=0.9)
    session.capture_start()
    session.capture_end()

    assert [path.name for path in session.files_written] == ["events.jsonl"]
    row = json.loads((tmp_path / "events.jsonl").read_text())
    assert list(row) == ["ts_utc", "event", "f1"]

    silent = module("telemetry").start_session(spec=rd.TelemetrySpec(enabled=False), **values)
    silent.emit_event("x")
    silent.start_sampling()
    silent.stop_sampling()
    assert silent.files_written == []


def test_uploads_take_transfers_of_both_kinds(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    transport = module("transport")
    runner = rd.RemoteRunner("me@host", 22, tmp_path / "key", dry_run=True)
    with caplog.at_level(logging.INFO, logger="runpod_deploy"):
        runner.rsync_push(transport.RsyncTransfer("l", "src/", "/dst", ("*.tmp",)), chmod="0600")
        transport.log_cmd(logging.getLogger("runpod_deploy"), "local", ["echo", "a b"])

    assert runner.target == "me@host"
    assert "--delete --chmod=F600 '--exclude=*.tmp'" in caplog.text and "$ [local] echo 'a b'" in caplog.text
