"""A simulator that is ended, or killed, and started again on the same folder is the same cloud."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from .conftest import Json, Sim, serving, tool

VOLUME = {"name": "v", "size": 10, "dataCenter": "EU-RO-1"}


def with_two_pods(sim: Sim) -> tuple[Json, Json]:
    """A running pod on a network volume, and a stopped one."""
    volume = sim.call("POST", "/v2/network-volumes", VOLUME).body["id"]
    up = sim.ready(sim.create(name="up", mounts={"network": [{"volumeId": volume, "path": "/workspace"}]}))
    sim.ssh(up, "echo volume > /workspace/file; echo disk > /root/file")
    stopped = sim.create(name="stopped")
    sim.act(stopped, "stop")
    sim.until(lambda: sim.pod(stopped)["status"] == "EXITED")
    sim.call("POST", "/v2/account/secrets", {"name": "s", "value": "v"})
    return up, stopped


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_saved_cloud_goes_on(home: Path, tmp_path: Path, end: signal.Signals) -> None:
    options = ("--state", str(tmp_path / "cloud"))
    with serving(home, *options) as first:
        up, stopped = with_two_pods(first)
        first.until(lambda: '"name": "s"' in (tmp_path / "cloud/state.json").read_text())
        os.kill(first.pid, end)
        first.until(lambda: first.ssh(up, "true").returncode == 255)
    with serving(home, *options) as second:
        assert second.key == first.key
        again = second.ready(up)
        assert second.ssh(again, "cat /workspace/file /root/file").stdout == b"volume\ndisk\n"
        assert second.pod(stopped)["status"] == "EXITED"
        assert second.call("GET", "/v2/account/secrets").body["secrets"][0]["name"] == "s"
        assert second.call("GET", "/_sim/ledger").body["pods_created"] == 2
        assert second.call("DELETE", f"/v2/pods/{up['id']}").status == 204
    with serving(home, *options) as third:
        assert third.call("GET", f"/v2/pods/{up['id']}").status == 404


def test_two_cannot_work_in_one_folder(serve: Callable[..., Sim], tmp_path: Path) -> None:
    holder = serve("--state", str(tmp_path / "cloud"))
    second = subprocess.run(tool("serve", "--state", str(tmp_path / "cloud")), capture_output=True, text=True)
    assert second.returncode == 1
    assert second.stderr == f"runpod-sim: {tmp_path}/cloud is in use by process {holder.pid}\n"


@pytest.mark.parametrize("text", ["not JSON", "[]", '{"saved_at": 0, "pods": [{"id": "x", "ask": {}}]}'])
def test_a_state_of_another_version_is_one_sentence_and_is_kept(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    done = subprocess.run(tool("serve", "--state", str(tmp_path)), capture_output=True, text=True)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert f"{tmp_path}/state.json is damaged or was written by another version" in done.stderr
    assert (tmp_path / "state.json").read_text() == text


def test_the_clouds_clock_may_be_wrong(serve: Callable[..., Sim]) -> None:
    sim = serve("--clock-skew", "-7200")
    answer = sim.call("POST", "/v2/pods", sim.body())
    for told in (datetime.fromisoformat(answer.body["createdAt"]), parsedate_to_datetime(answer.headers["Date"])):
        assert 7190 < (datetime.now(UTC) - told).total_seconds() < 7230
