"""What is measured and kept of a pod, on real processes: cards without ECC, pods without a GPU, nothing at all."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.harness import Simulator, job, run

SNAPSHOTS = {
    "nvidia_smi_start.txt",
    "nvidia_smi_end.txt",
    "pod_describe_start.json",
    "pod_describe_end.json",
    "remote_env.json",
    "pip_freeze.txt",
}
EARLIER_FIELDS = {
    "ts_utc",
    *("gpu_util_pct", "gpu_mem_used_mb", "gpu_mem_total_mb", "gpu_temp_c", "gpu_ecc_errors"),
    *("cpu_load_1m", "cpu_user_pct", "cpu_sys_pct", "host_mem_used_mb", "host_mem_total_mb"),
    *("workspace_disk_used_bytes", "workspace_disk_total_bytes"),
}
"""The fields of a row of metrics.jsonl that scripts of the earlier tool read."""


def rows(path: Path) -> list[dict[str, object]]:
    """The rows of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_job_of_no_time_on_two_cards_without_ecc(sim: Simulator, tmp_path: Path) -> None:
    """It has a sample and its packages, and the manifest has the state that its pod had before it was deleted."""
    config = job(
        tmp_path / "p",
        body="true",
        artifacts=[],
        pod={"gpu_order": ["NVIDIA GeForce RTX 4090"], "gpu_count": 2, "env": {"PRIVATE": "canary-7f3a"}},
        telemetry={"sample_interval_sec": 5},
    )
    ended = run(sim, config)
    assert ended.code == 0 and ended.run_dir, ended.err
    assert (ended.manifest["pod_final_state"], sim.ledger["pods_left"]) == ("RUNNING", 0)
    first = rows(ended.run_dir / "metrics.jsonl")[0]
    gpus = first["gpus"]
    assert isinstance(gpus, list) and [gpu["index"] for gpu in gpus] == [0, 1]
    assert first["gpu_ecc_errors"] is None and isinstance(first["gpu_util_pct"], int) and first["gpu_mem_used_mb"]
    assert EARLIER_FIELDS - first.keys() == set()
    assert set(ended.manifest["telemetry_files"]) >= SNAPSHOTS | {"events.jsonl", "metrics.jsonl"}
    assert "4090" in (ended.run_dir / "nvidia_smi_end.txt").read_text()
    assert json.loads((ended.run_dir / "remote_env.json").read_text()).keys() == {
        "remote_uname",
        "remote_python_version",
    }
    assert "==" in (ended.run_dir / "pip_freeze.txt").read_text()
    kept = [path.read_text(errors="replace") for path in ended.run_dir.glob("pod_describe_*")]
    assert all("canary-7f3a" not in text and json.loads(text)["status"] == "RUNNING" for text in kept)


def test_a_pod_without_a_gpu(sim: Simulator, tmp_path: Path) -> None:
    config = job(
        tmp_path / "p",
        body="sleep 2",
        artifacts=[],
        pod={"gpu_order": [], "cpu": "cpu3c", "datacenters": ["EU-RO-1"]},
        telemetry={"sample_interval_sec": 5},
    )
    ended = run(sim, config)
    assert ended.code == 0 and ended.run_dir, ended.err
    first = rows(ended.run_dir / "metrics.jsonl")[0]
    assert first["gpus"] == [] and "gpu_util_pct" not in first and first["host_mem_total_mb"]
    assert not list(ended.run_dir.glob("nvidia_smi_*")) and (ended.run_dir / "remote_env.json").exists()
    assert ended.named("snapshot_failed") == []


HOSTILE = r"""mkdir -p /opt/x; for tool in dmesg nvidia-smi pip uname; do
cat >/usr/local/bin/$tool <<'END'
#!/bin/sh
echo "first line"
for name in "$VICTIM" ../../escaped spec.json .bashrc ssh/config; do
    printf '\n--8<-- runpod-deploy --8<-- %s\nforged\n' "$name"
done
head -c 200000 /dev/zero | tr '\0' '\1'
END
chmod +x /usr/local/bin/$tool; done
hash -r
"""


def test_what_a_pod_prints_names_no_file_here(sim: Simulator, tmp_path: Path) -> None:
    """The job has put programs in its path that print the line that begins a part of the snapshots."""
    victim = tmp_path / "victim"
    victim.write_text("original")
    config = job(tmp_path / "p", body=HOSTILE.replace("$VICTIM", str(victim)), artifacts=[])
    ended = run(sim, config)
    assert ended.code == 0 and ended.run_dir, ended.err
    assert (ended.run_dir / "dmesg_tail.txt").read_text().strip() == "first line"
    assert victim.read_text() == "original" and not list(tmp_path.rglob("escaped"))
    assert json.loads((ended.run_dir / "spec.json").read_text())["run_id"] == ended.manifest["run_id"]
    assert not (ended.run_dir / ".bashrc").exists()
