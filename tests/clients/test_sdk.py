"""RunPod's own Python package against the simulator, unchanged: each call that a user of pods makes."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

from tests.simulator.conftest import Sim

from .conftest import python_client

pytestmark = [pytest.mark.clients, pytest.mark.timeout(600)]

STORY_OF_1 = """
import json, runpod
told = {"gpus": len(runpod.get_gpus()), "gpu": runpod.get_gpu("NVIDIA A40")["memoryInGb"]}
told["user"] = runpod.get_user()["id"]
runpod.update_user_settings("ssh-ed25519 AAAA me")
asked = dict(image_name="runpod/base:1", ports="22/tcp", volume_in_gb=20, container_disk_in_gb=10, env={"A": "1"})
pod = runpod.create_pod("sdk", gpu_type_id="SIM 3600", support_public_ip=True, country_code="RO", **asked)
told["listed"] = [row["id"] for row in runpod.get_pods()] == [pod["id"]]
told["status"] = [runpod.get_pod(pod["id"])["desiredStatus"], runpod.stop_pod(pod["id"])["desiredStatus"]]
while runpod.get_pod(pod["id"])["desiredStatus"] != "EXITED":
    pass
told["status"].append(runpod.resume_pod(pod["id"], 1)["desiredStatus"])
told["ended"] = runpod.terminate_pod(pod["id"])
cpu = runpod.create_pod("cpu", "runpod/base:1", instance_id="cpu3c-2-4", container_disk_in_gb=10)
runpod.terminate_pod(cpu["id"])
told["template"] = runpod.create_template("t1", "debian:12", is_serverless=False)["name"]
auth = runpod.create_container_registry_auth("r1", "me", "swordfish")
told["deleted"] = runpod.delete_container_registry_auth(auth["id"])
try:
    runpod.create_pod("none", gpu_type_id="SIM 3600", gpu_count=9, **asked)
except runpod.error.QueryError as error:
    told["refused"] = str(error)
print(json.dumps(told))
"""
STORY_OF_2 = """
import json, runpod
told = {"gpus": len(runpod.get_gpus()), "gpu": runpod.get_gpu("NVIDIA A40")["memory"]}
told["user"] = runpod.get_user()["id"]
runpod.update_user_settings("ssh-ed25519 AAAA me")
asked = dict(image_name="runpod/base:1", ports="22/tcp", volume_in_gb=20, container_disk_in_gb=10, env={"A": "1"})
pod = runpod.create_pod("sdk", gpu_type_id="SIM 3600", min_memory_in_gb=62, **asked)
told["listed"] = [row["id"] for row in runpod.get_pods()] == [pod["id"]]
told["status"] = [pod["status"], runpod.stop_pod(pod["id"])["id"] == pod["id"]]
while runpod.get_pod(pod["id"])["status"] != "EXITED":
    pass
told["status"].append(runpod.resume_pod(pod["id"])["status"])
told["ended"] = runpod.terminate_pod(pod["id"])
cpu = runpod.create_pod("cpu", "runpod/base:1", instance_id="cpu3c-2-4")
runpod.terminate_pod(cpu["id"])
told["template"] = runpod.create_template("t2", "debian:12")["name"]
auth = runpod.create_container_registry_auth("r2", "me", "swordfish")
told["deleted"] = runpod.delete_container_registry_auth(auth["id"])
try:
    runpod.create_pod("none", gpu_type_id="SIM 3600", gpu_count=9, **asked)
except runpod.error.QueryError as error:
    told["refused"] = str(error)
print(json.dumps(told))
"""


def told_by(sim: Sim, python: str, story: str) -> dict[str, Any]:
    """What the script printed at last."""
    exports = {"RUNPOD_API_KEY": sim.key, "RUNPOD_API_BASE_URL": sim.url}
    done = subprocess.run([python, "-c", "import os, runpod; runpod.api_key = os.environ['RUNPOD_API_KEY']\n" + story],
        capture_output=True, text=True, timeout=120, env=os.environ | exports)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("requirement", "story", "status", "template"),
    [
        ("runpod==1.12.0", STORY_OF_1, ["RUNNING", "EXITED", "RUNNING"], "t1"),
        ("runpod==2.0.0rc2", STORY_OF_2, ["PROVISIONING", True, "PROVISIONING"], "t2"),
    ],
)
def test_every_call_about_pods_works(
    sim: Sim, pytestconfig: pytest.Config, requirement: str, story: str, status: list[Any], template: str
) -> None:
    assert pytestconfig.cache is not None
    told = told_by(sim, python_client(pytestconfig.cache, requirement), story)
    assert "no longer any instances available" in told.pop("refused")
    assert told.pop("gpus") > 40
    deleted = told.pop("deleted")
    assert deleted in (None, True)
    assert told == {
        "gpu": 48, "user": "user_simulated", "listed": True, "status": status, "ended": None, "template": template
    }  # fmt: skip
    assert [pod["status"] for pod in sim.call("GET", "/_sim/ledger").body["pods"][-2:]] == ["TERMINATED"] * 2
