"""One job, end to end, as a user meets it: from YAML to manifest, good and bad."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from datetime import datetime
from pathlib import Path

import pytest

from tests.support.harness import TOOL, WORK, Simulator, Tool, job, run

WILD_KEYS = [
    "schema_version",
    "pulled_at_utc",
    "failed",
    "job_name",
    "run_id",
    "config_path",
    "storage_mode",
    "datacenter_id",
    "gpu_id",
    "gpu_price_per_hour_usd",
    "gpu_price_source",
    "pod_id",
    "pod_final_state",
    "pod_resumed",
    "image",
    "cost_cap_usd",
    "wall_time_sec",
    "estimated_cost_usd",
    "volume_mount",
    "volume_name",
    "volume_gb",
    "deploy_metadata",
    "artifacts",
    "telemetry_files",
]


def test_a_job_from_yaml_to_manifest(sim: Simulator, tmp_path: Path) -> None:
    (tmp_path / "p/src").mkdir(parents=True)
    (tmp_path / "p/src/data file.txt").write_text("42")
    config = job(
        tmp_path / "p",
        body=WORK + 'cat "/workspace/src/data file.txt"\nprintf "no newline at the end DONE"',
        staging=[{"label": "src", "source": "src", "destination": "/workspace"}],
        setup=[{"command": "echo setting up"}],
        preflight=[{"command": "test -f '/workspace/src/data file.txt'"}],
        run={"success_marker": "DONE"},
    )
    ended = run(sim, config)
    assert ended.code == 0, ended.err
    assert ended.out.startswith("RUN_DIR=/") and ended.run_dir
    assert (ended.run_dir / "out/result.txt").read_text() == "result\n"
    assert (ended.run_dir / "run.log").read_bytes() == b"42no newline at the end DONE"
    held = {path.name for path in ended.run_dir.iterdir()}
    assert held >= {"events.jsonl", "spec.json", "run.log", "console.log", "ssh", "runpod_deploy_pull_manifest.json"}
    assert list(ended.manifest)[: len(WILD_KEYS)] == WILD_KEYS
    assert ended.manifest["failed"] is False and ended.manifest["outcome"] == "succeeded"
    assert sim.ledger["pods_left"] == 0 and sim.ledger["pods_created"] == 1
    assert [phase["name"] for phase in ended.manifest["phases"]][-1] == "release"


def test_a_job_that_exits_3_is_known_at_once(sim: Simulator, tmp_path: Path) -> None:
    ended = run(sim, job(tmp_path / "p", body="exit 3"))
    assert ended.code == 20 and ended.manifest["job_exit_code"] == 3
    assert "\nerror: the job exited with status 3\nkind: job_failed\nnext:\n" in ended.err
    assert "\n  runpod-deploy stop --delete " in ended.err
    over, launched = ended.named("job_ended")[0], ended.named("job_launched")[0]
    took = datetime.fromisoformat(over["ts_utc"]) - datetime.fromisoformat(launched["ts_utc"])
    assert took.total_seconds() < 2
    assert [pod["how"] for pod in sim.ledger["pods"]] == ["stopped"]


def test_the_cap_stops_a_body_that_hangs(sim: Simulator, tmp_path: Path) -> None:
    config = job(
        tmp_path / "p",
        body=WORK + "sleep 600",
        pod={"gpu_order": ["SIM 3600"]},
        lifecycle={"on_failure": "delete"},
        budget={"assumed_hourly_rate_usd": 1.0, "max_runtime_minutes": 60},
    )
    ended = run(sim, config, "--cost-cap-usd", "4")
    assert ended.code == 21 and ended.manifest["failure"]["kind"] == "cost_cap"
    created, stopped = ended.named("pod_created")[0], ended.named("stop_requested")[0]
    lived = datetime.fromisoformat(stopped["ts_utc"]) - datetime.fromisoformat(created["created_at"])
    assert 4 <= lived.total_seconds() < 6
    assert ended.run_dir and (ended.run_dir / "out/result.txt").exists()
    assert sim.ledger["pods_left"] == 0


# All signals take one way, and come at every moment in memory (lifecycle/test_signals.py); here they take turns.
INTERRUPTS = [
    ("provision", signal.SIGINT),
    ("connect", signal.SIGTERM),
    ("setup", signal.SIGINT),
    ("stage", signal.SIGTERM),
    ("preflight", signal.SIGINT),
    ("watch", signal.SIGINT),
    ("watch", signal.SIGTERM),
]


@pytest.mark.parametrize(("phase", "number"), INTERRUPTS)
def test_an_interrupt_in_any_phase_is_130_and_leaves_nothing_running(
    sim: Simulator, tmp_path: Path, phase: str, number: signal.Signals
) -> None:
    (tmp_path / "p/src").mkdir(parents=True)
    (tmp_path / "p/src/big").write_bytes(os.urandom(5_000_000))
    config = job(
        tmp_path / "p",
        body=WORK + "sleep 60",
        setup=[{"command": "sleep 2"}],
        preflight=[{"command": "sleep 2"}],
        staging=[{"label": "src", "source": "src", "destination": "/workspace"}],
    )
    tool = Tool(sim, "run", "--config", str(config), "--print-run-dir")
    tool.await_event(lambda row: row["event"] == "phase_started" and row["phase"] == phase)
    if phase == "watch":
        time.sleep(1.0)
    tool.signal(number)
    ended = tool.end()
    assert ended.code == 130, ended.err
    assert ended.manifest["outcome"] == "interrupted" and ended.manifest["failed"] is True
    assert all(pod["status"] == "EXITED" or pod["ended"] for pod in sim.ledger["pods"])
    if phase == "watch":
        assert ended.run_dir and (ended.run_dir / "out/result.txt").exists()


def test_a_second_interrupt_skips_the_pull_and_not_the_release(sim: Simulator, tmp_path: Path) -> None:
    body = WORK + "trap '' TERM\nwhile :; do sleep 1; done"
    tool = Tool(sim, "run", "--config", str(job(tmp_path / "p", body=body)), "--print-run-dir")
    tool.await_event(lambda row: row["event"] == "job_launched")
    time.sleep(0.5)
    tool.signal(signal.SIGINT)
    tool.await_event(lambda row: row["event"] == "phase_started" and row["phase"] == "collect")
    begun = time.monotonic()
    tool.signal(signal.SIGINT)
    ended = tool.end()
    assert ended.code == 130 and time.monotonic() - begun < 9, "the job has ten seconds to end, which were skipped"
    assert [pod["status"] for pod in sim.ledger["pods"]] == ["EXITED"]


def test_eight_runs_of_one_second_are_eight_runs(sim: Simulator, tmp_path: Path) -> None:
    config = job(tmp_path / "p", body=WORK)
    tools = [Tool(sim, "run", "--config", str(config), "--print-run-dir") for _ in range(8)]
    ended = [tool.end() for tool in tools]
    assert [e.code for e in ended] == [0] * 8, [e.err for e in ended if e.code]
    assert len({e.run_dir for e in ended}) == 8
    assert len({e.manifest["run_id"] for e in ended}) == 8 == sim.ledger["pods_created"]
    assert sim.ledger["pods_left"] == 0


def test_ssh_by_hand_with_the_config_of_the_run(sim: Simulator, tmp_path: Path) -> None:
    tool = Tool(sim, "run", "--config", str(job(tmp_path / "p", body="sleep 30")), "--print-run-dir")
    tool.await_event(lambda row: row["event"] == "job_launched")
    assert tool.run_dir
    shown = subprocess.run(
        ["ssh", "-F", str(tool.run_dir / "ssh/config"), "pod", "pwd; ls /workspace"],
        capture_output=True,
        text=True,
    )
    assert "job.sh" in shown.stdout, shown.stderr
    tool.signal(signal.SIGINT)
    tool.end()


@pytest.mark.parametrize(
    ("name", "text", "code", "words"),
    [
        ("missing", None, 2, "job.yaml"),
        ("folder", "", 2, "job.yaml"),
        ("list", "- 1\n- 2\n", 2, "mapping"),
        ("unknown", "schema_version: 2\nnmae: x\n", 2, "name"),
        ("torn", "name: [\n", 2, "job.yaml"),
    ],
)
def test_bad_configs_get_a_line_and_a_hint(
    sim: Simulator, tmp_path: Path, name: str, text: str | None, code: int, words: str
) -> None:
    path = tmp_path / "job.yaml"
    if name == "folder":
        path.mkdir()
    elif text is not None:
        path.write_text(text)
    ended = Tool(sim, "run", "--config", str(path)).end()
    assert ended.code == code and words in ended.err and "Traceback" not in ended.err
    assert sim.ledger["pods_created"] == 0 and ended.out == ""


def test_no_key_is_exit_4_with_a_hint(sim: Simulator, tmp_path: Path) -> None:
    ended = Tool(sim, "run", "--config", str(job(tmp_path / "p")), env={"RUNPOD_API_KEY": ""}).end()
    assert ended.code == 4 and "hint: Set RUNPOD_API_KEY" in ended.err and "Traceback" not in ended.err


def test_a_refused_key_is_exit_4(sim: Simulator, tmp_path: Path) -> None:
    ended = run(sim, job(tmp_path / "p"), env={"RUNPOD_API_KEY": "rpa_wrong"})
    assert ended.code == 4 and "Traceback" not in ended.err and "rpa_wrong" not in ended.err


def test_an_unreachable_api_is_exit_5(sim: Simulator, tmp_path: Path) -> None:
    ended = run(sim, job(tmp_path / "p"), env={"RUNPOD_API_BASE_URL": "http://127.0.0.1:9"})
    assert ended.code == 5 and "Traceback" not in ended.err and re.search(r"hint: \S", ended.err)


def test_help_is_quick_and_whole() -> None:
    shown = subprocess.run([TOOL, "--help"], capture_output=True, text=True)
    assert shown.returncode == 0 and "run" in shown.stdout and "resume" in shown.stdout
