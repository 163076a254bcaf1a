"""Jobs through the Python API: read, made, named, refused."""

from __future__ import annotations

import logging
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

import runpod_deploy as rd

YAML = """\
schema_version: 2
name: tune-{seed}
variables: {out: "{remote}/out-{seed}", remote: "{volume_mount}/lab"}
local: {required_paths: ["{seed}.txt", here.txt]}
pod: {image: ghcr.io/x/y:1, datacenters: [EU-SE-1], gpu_order: [NVIDIA L40S]}
storage: {mode: ephemeral, volume_gb: 10}
run: {script_path: /workspace/run.sh, log_path: /workspace/run.log, success_marker: DONE, body: echo DONE}
"""
STAMP = "20260604T101500Z"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "job.yaml"
    path.write_text(YAML)
    return path


def test_a_job_is_read_as_it_is_written_even_if_it_needs_a_variable_from_outside(config: Path) -> None:
    job = rd.load_job_spec(config)

    assert isinstance(job, rd.RunpodJobSpec)
    assert job.name == "tune-{seed}"
    assert job.pod.gpu_order == ("NVIDIA L40S",)


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(YAML.replace("ephemeral", "ephemral").replace("image:", "imgae:"))

    with pytest.raises(rd.DeployError) as caught:
        rd.load_job_spec(path)

    assert "imgae" in caught.value.message and "ephemral" in caught.value.message
    assert caught.value.exit_code == 2


def test_what_is_only_unusual_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "old.yaml"
    path.write_text(YAML + "stop: {on_success: true}\n")

    with caplog.at_level(logging.WARNING, logger="runpod_deploy"):
        assert rd.load_job_spec(path).lifecycle.on_success == "delete"

    assert "stop" in caplog.text


@pytest.mark.parametrize(
    "timestamp",
    [
        STAMP,
        datetime(2026, 6, 4, 10, 15, tzinfo=UTC),
        datetime(2026, 6, 4, 12, 15, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_names_follow_what_is_given_from_outside(config: Path, timestamp: str | datetime) -> None:
    context = rd.build_job_context(rd.load_job_spec(config), config, cli_variables={"seed": "7"}, timestamp=timestamp)

    assert context.run_id == f"tune-7-{STAMP}"
    assert context.run_dir == config.parent / "artifacts" / "runpod" / STAMP
    assert context.variables["out"] == "/workspace/lab/out-7"
    assert context.spec.name == "tune-{seed}"
    assert context.render("{job_name}: {project_root}") == f"tune-7: {config.parent}"
    assert context.render_path("{seed}/x") == config.parent / "7" / "x"
    assert context.render_path("x", base=Path("/base")) == Path("/base/x")
    assert context.render_path("~/x") == Path.home() / "x"
    with pytest.raises(KeyError, match="sead"):
        context.render("{sead}")
    assert not context.run_dir.exists()


def test_unknown_names_are_refused(config: Path) -> None:
    with pytest.raises(rd.DeployError, match="seed"):
        rd.build_job_context(rd.load_job_spec(config), config)


def test_all_missing_paths_are_named(config: Path) -> None:
    context = rd.build_job_context(rd.load_job_spec(config), config, cli_variables={"seed": "7"})
    with pytest.raises(FileNotFoundError) as caught:
        rd.validate_local_paths(context)
    assert "7.txt" in str(caught.value) and "here.txt" in str(caught.value)

    for name in ("7.txt", "here.txt"):
        (config.parent / name).touch()
    rd.validate_local_paths(context)


def test_a_dry_run_without_network_prints_the_plan_and_does_nothing(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("7.txt", "here.txt"):
        (config.parent / name).touch()
    result = rd.run_job(
        rd.load_job_spec(config),
        config_path=config,
        offline_dry_run=True,
        cli_variables={"seed": "7"},
        gpu_id_override="NVIDIA A40",
        datacenter_id_override="US-TX-3",
    )

    assert (result.outcome, result.exit_code) == ("planned", 0)
    printed = capsys.readouterr().out
    assert "NVIDIA A40 in US-TX-3" in printed and "/workspace/run.sh" in printed
    assert not (config.parent / "artifacts").exists()


def test_a_limit_that_the_cap_cannot_pay_is_refused_before_anything(config: Path) -> None:
    job = rd.load_job_spec(config)
    expensive = replace(job, budget=replace(job.budget, cost_cap_usd=1.0, max_runtime_minutes=600))

    with pytest.raises(rd.DeployError, match="more than the cap"):
        rd.run_job(expensive, config_path=config, cli_variables={"seed": "7"})


def test_the_package_is_quick_to_import_and_says_what_it_has() -> None:
    script = "import sys, runpod_deploy; print('pydantic' in sys.modules, 'urllib3' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "False"]
    assert (rd.SCHEMA_VERSION, rd.STORAGE_EPHEMERAL, rd.VOLUME_STORAGE_USD_PER_GB_MONTH) == (2, "ephemeral", 0.10)
    with pytest.raises(AttributeError, match="provision_pod"):
        rd.provision_pod  # type: ignore[attr-defined]  # noqa: B018 - that it is not there is the point
