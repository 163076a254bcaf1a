"""Scripts in the form in which they were written for the earlier tool, on a simulated cloud."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.workshop import Workshop, open_workshop

BY_HAND = """
import json, sys
from pathlib import Path
from runpod_deploy.config import build_job_context, load_job_spec
from runpod_deploy.provider import (
    cleanup_pod, provision_pod, run_json, select_gpu_across_datacenters, _wait_for_pod_ready)
from runpod_deploy.pricing import fetch_gpu_prices, select_price_for_pod
from runpod_deploy.preflight import check_gpu_availability, report_gpu_inventory
from runpod_deploy.telemetry import start_session
from runpod_deploy.transport import RemoteRunner

config = Path("examples/hello/hello.yaml")
spec = load_job_spec(config)
ctx = build_job_context(spec, config)
check_gpu_availability(ctx)
assert report_gpu_inventory(ctx).any_stocked
prices = {gpu: select_price_for_pod(fetch_gpu_prices(), gpu_id=gpu, cloud_type="SECURE", spot=False)
          for gpu in spec.pod.gpu_order}
gpu, dc = select_gpu_across_datacenters(
    run_json(["runpodctl", "datacenter", "list", "-o", "json"]), datacenters=spec.pod.datacenters,
    gpu_order=spec.pod.gpu_order, prices=prices, max_gpu_price_usd=5.0)
pod = provision_pod(ctx, volume_id=None, gpu_id=gpu, datacenter_id=dc, dry_run=False)
row = run_json(["runpodctl", "pod", "get", pod.pod_id, "-o", "json"])
assert (row["ssh"]["port"], row["desiredStatus"]) == (pod.port, "RUNNING"), row
assert [r["id"] for r in run_json(["runpodctl", "pod", "list", "--status", "RUNNING", "-o", "json"])] == [pod.pod_id]
assert _wait_for_pod_ready(pod.pod_id, gpu_id=gpu, timeout_sec=20) == pod
runner = RemoteRunner(host=pod.host, port=pod.port, ssh_key=ctx.run_dir / "ssh" / "key")
tel = start_session(run_dir=ctx.run_dir / "own", runner=runner, spec=spec.telemetry, pod_id=pod.pod_id,
                    assumed_hourly_rate_usd=1.0)
tel.capture_start(); tel.start_sampling()
print("said:", runner.ssh_exec("echo hello from $(hostname)").stdout.strip() != "")
tel.stop_sampling(); tel.capture_end()
print("files:", *sorted(path.name for path in tel.files_written))
print("price:", tel.gpu_price_source, "state:", tel.pod_final_state)
cleanup_pod(pod.pod_id, action="delete", dry_run=False)
"""
LONG_SSH = """
import sys, time
from runpod_deploy import provider
from runpod_deploy.cli import main
_run_json, _PodConnection, _logger = provider.run_json, provider.PodConnection, provider.logger
def extended(pod_id, *, gpu_id):
    raise RuntimeError("not called")
provider._wait_for_pod_ready = extended
if __name__ == "__main__":
    sys.exit(main())
"""


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return open_workshop(tmp_path)


def test_a_pod_by_hand_is_protected_recorded_and_ended(workshop: Workshop) -> None:
    (workshop.dir / "driver.py").write_text(BY_HAND)

    done = workshop.rehearse("python3", "driver.py")

    assert done.exit_code == 0, done.output
    assert "said: True" in done.output and "price: pod_describe state: RUNNING" in done.output
    assert "the script that asked for the pod goes on with it; the guard ends the pod at" in done.output
    assert "events.jsonl" not in done.output.partition("files:")[2].splitlines()[0]
    assert {"metrics.jsonl", "pip_freeze.txt", "pod_describe_end.json"} <= set(done.output.split())
    assert (done.ledger["pods_created"], done.ledger["pods_left"]) == (1, 0)
    (run_dir,) = (workshop.dir / "examples/hello/artifacts/runpod").glob("[!.]*")
    events = [json.loads(line)["event"] for line in (run_dir / "events.jsonl").read_text().splitlines()]
    assert "guard_armed" in events and events[-1] == "detached"


def test_a_wrapper_that_replaces_a_function_still_starts_the_command(workshop: Workshop) -> None:
    (workshop.dir / "long_ssh.py").write_text(LONG_SSH)

    done = workshop.rehearse("python3", "long_ssh.py", "run", "--config", "examples/hello/hello.yaml", "-q")

    assert (done.exit_code, done.ledger["pods_left"]) == (0, 0), done.output
