"""What a driver leaves behind, seen by other processes: its job's log, and its pod when it was killed."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fakes.program import Program
from tests.support.fakes.simulator import Simulated, simulator

BODY = "for number in 1 2 3; do echo line $number; done; sleep 600"


@pytest.fixture(scope="module")
def running() -> Iterator[Simulated]:
    with simulator() as simulated:
        yield simulated


@pytest.fixture
def sim(running: Simulated) -> Iterator[Simulated]:
    yield running
    running.reset()


@pytest.fixture
def program(sim: Simulated, tmp_path: Path) -> Program:
    return Program(tmp_path / "home", tmp_path, sim.environ)


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A job that prints three lines and goes on for minutes."""
    pod = {
        "image": "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404",
        "gpu_order": ["NVIDIA RTX 4000 Ada Generation"],
        "datacenters": ["EU-RO-1"],
    }
    document = {
        "schema_version": 2,
        "name": "left",
        "pod": pod,
        "storage": {"mode": "ephemeral", "volume_gb": 20},
        "budget": {"ssh_ready_timeout_sec": 1},
        "run": {"script_path": "/workspace/job.sh", "log_path": "/workspace/job.log", "body": BODY},
    }
    (tmp_path / "job.yaml").write_text(json.dumps(document))
    return "job.yaml"


def test_a_job_s_log_is_read_on_its_pod_and_then_from_the_copy(program: Program, config: str, tmp_path: Path) -> None:
    document = json.loads((tmp_path / config).read_text()) | {"budget": {"ssh_ready_timeout_sec": 60}}
    (tmp_path / config).write_text(json.dumps(document))
    started = program("run", "--config", config, "--detach", "--leave-to-guard", "--print-run-dir")
    assert started.exit_code == 0, started.err
    run_dir = started.out.splitlines()[0].removeprefix("RUN_DIR=")
    assert program("logs", run_dir, "--no-follow", "--lines", "2").out == "line 2\nline 3\n"
    assert program("logs", "--config", config, "--no-follow", "--lines", "1").out == "line 3\n"
    host = program("logs", run_dir, "--system", "--json").json
    assert {line["source"] for line in host} >= {"system"}
    assert program("audit").out == "No leftover pods.\n"


def test_a_pod_that_never_booted_is_found_and_reaped_after_its_driver_was_killed(
    sim: Simulated, program: Program, config: str, tmp_path: Path
) -> None:
    sim.fault(where="pod", what="never-running")
    killed = start_and_kill(sim, program, config)
    elsewhere = Program(tmp_path / "other", tmp_path / "other", sim.environ)
    assert reasons(elsewhere) in ({killed: "unknown"}, {killed: "never_booted"})
    for _ in range(30):
        if reasons(elsewhere)[killed] == "never_booted":
            break
        time.sleep(0.5)
    assert elsewhere("audit", "--reap", "--yes").exit_code == 0
    assert sim.call("GET", "/v2/pods")["pods"] == []


def start_and_kill(sim: Simulated, program: Program, config: str) -> str:
    """The id of the pod of a run whose driver was killed as soon as the pod was there."""
    process = program.start("run", "--config", config)
    try:
        for _ in range(400):
            if pods := sim.call("GET", "/v2/pods")["pods"]:
                return str(pods[0]["id"])
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    raise AssertionError("no pod was made")


def reasons(program: Program) -> dict[str, str]:
    """What audit says of each pod that it lists."""
    return {row["pod_id"]: row["reason"] for row in program("audit", "--json").json}
